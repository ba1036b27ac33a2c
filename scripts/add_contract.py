"""Add a line of the contract: a breaking release that is spoken beside the others.

    .venv/bin/python scripts/add_contract.py 1.8 NEW

NEW is a file, or the root of a deployment. Writes contracts/1.8/openapi.json, a draft of its overlay and the
package generated from both; all of them or none. The draft keeps the actions of the newest line that still
match, and shortens the operation ids of the others. Takes some ten seconds. Exit status 1 means an error.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regenerate
import yaml
from contract import document, lines, swap
from contract.lines import ContractLine, UnknownLine
from contract.openapi_form import NotASpecification

_NEXT_STEPS = """Written: {written}. What is left to do:
  {overlay}: read the draft, and give operations the names that they have in other lines
  pyproject.toml: add {package} to the wheel, to the modules of mypy and to import-linter's root_packages
  src/aignostics_async/contracts/: a translation named after the line, v{marker}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", metavar="LINE", help="the name of the line, such as 1.8")
    parser.add_argument("new", metavar="NEW", help="the specification: a file, or a deployment's root")
    parser.add_argument("--root", type=Path, default=regenerate.ROOT, help="the tree to add it to")
    arguments = parser.parse_args()
    swap.finish(arguments.root)
    try:
        line = lines.later_line(arguments.name)
        if line.name in {each.name for each in lines.all_lines(arguments.root)}:
            raise UnknownLine(f"there is a line {line.name} already; `make update-spec` moves it on")
        new, _ = document.read_any(arguments.new)
        print("generating: some ten seconds", file=sys.stderr)
        add(arguments.root.resolve(), line, new)
    except (NotASpecification, regenerate.RegenerationError, UnknownLine) as error:
        print(f"{error}\nThe tree is unchanged.", file=sys.stderr)
        return 1
    return 0


def add(root: Path, line: ContractLine, new: dict[str, Any]) -> None:
    """Write the line with its draft and its package."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        shutil.copytree(root / "scripts", scratch / "scripts", ignore=shutil.ignore_patterns("node*"))
        for other in lines.all_lines(root):
            for name in (other.document, other.overlay):
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, scratch / name)
        (scratch / line.document).parent.mkdir(parents=True)
        (scratch / line.document).write_text(document.pretty(new), encoding="utf-8")
        draft = yaml.safe_dump(draft_overlay(root, line, new), sort_keys=False, width=110)
        (scratch / line.overlay).write_text(draft, encoding="utf-8")
        regenerate.build_package(scratch, line, scratch / "generated" / line.package)
        (scratch / "generated/stamp.json").write_text(regenerate.stamp(scratch), encoding="utf-8")
        written = (line.document, line.overlay, f"generated/{line.package}", "generated/stamp.json")
        swap.put(root, {name: scratch / name for name in written})
    told = {"overlay": line.overlay, "package": line.package, "marker": line.marker}
    print(_NEXT_STEPS.format(written=", ".join(written), **told))


def draft_overlay(root: Path, line: ContractLine, new: dict[str, Any]) -> dict[str, Any]:
    """Return the actions of the newest line that match, and short ids for the other operations."""
    actions = regenerate.overlay(root, lines.all_lines(root)[-1])
    mended, unmatched = regenerate.apply_mends(new, actions)
    kept = [action for action in actions["actions"] if action["target"] not in unmatched]
    info = {"title": f"Mends for the generated client of {line.name}", "version": "1.0.0"}
    return {"overlay": "1.0.0", "info": info, "actions": [*short_ids(mended), *kept]}


def short_ids(mended: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an action for each operation id that ends with the framework's copy of path and method.

    An id that would be that of two operations stays as it is.
    """
    ids = regenerate.operation_ids(mended)
    shortened = {each: _short(*each, name) for each, name in ids.items()}
    taken = Counter(shortened.values())
    for (method, path), short in shortened.items():
        if short != ids[method, path] and taken[short] == 1:
            yield {"target": f'$.paths["{path}"].{method}.operationId', "update": short}


def _short(method: str, path: str, name: str) -> str:
    own = name.removesuffix(f"_{method}")
    short = own.removesuffix(re.sub(r"\W", "_", path))
    return short if short not in ("", own) else name


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the tree is unchanged")
