"""Compare a committed contract with another: what changed, how severe it is, which code it affects.

    .venv/bin/python scripts/spec_diff.py NEW                      with openapi.json, the line 1.0; markdown
    .venv/bin/python scripts/spec_diff.py NEW --contract 1.8 --format json

NEW is a file, or the root of a deployment, whose own document is read: https://platform.example.com

Exit status: 0 for no or cosmetic changes, 2 for additive ones and deprecations, 3 for breaking ones, 1 for an
error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

import regenerate
from contract import document, lines, report, swap
from contract.changes import compare
from contract.lines import OLDEST, ContractLine, UnknownLine
from contract.openapi_form import NotASpecification
from contract.redocly import ToolMissing, verdicts
from contract.severity import Judged, judge
from contract.usage import modules, uses
from openapi_python_client.strings import PythonIdentifier


class Arguments(argparse.ArgumentParser):
    """A parser that exits with 1 after a usage error, since 2 means "additive"."""

    def error(self, message: str) -> NoReturn:
        """Exit with the message."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def differences(
    root: Path, base: dict[str, Any], new: dict[str, Any], line: ContractLine = OLDEST
) -> list[Judged]:
    """Return every change between two contracts, with its severity for the code under `root`."""
    overlay = regenerate.overlay(root, line)
    mended, _ = regenerate.apply_mends(new, overlay)
    after = regenerate.operation_ids(mended)
    tags_before, tags_after = first_tags(regenerate.apply_mends(base, overlay)[0]), first_tags(mended)
    # A new operation id changes nothing if the overlay sets the old one.
    named = frozenset(
        ("operation", *operation)
        for operation, module in modules(root, base, line).items()
        if PythonIdentifier(after.get(operation, ""), "") == module
    )
    # The first tag names the package that the module lies in.
    named |= {
        ("tags", *operation) for operation, tag in tags_before.items() if tags_after.get(operation) == tag
    }
    return judge(compare(base, new), verdicts(base, new), uses(root, base, line), named)


def first_tags(contract: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the first tag of each operation by method and path; without one, the generator's default."""
    return {
        (method, path): (operation.get("tags") or ["default"])[0]
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "responses" in operation
    }


def main() -> int:
    parser = Arguments(description=__doc__.splitlines()[0])
    parser.add_argument("new", metavar="NEW", help="the other specification: a file, or a deployment's root")
    parser.add_argument("--contract", default=OLDEST.name, help="the line of the contract; by default 1.0")
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    parser.add_argument(
        "--root", type=Path, default=regenerate.ROOT, help="the tree with the committed contract"
    )
    arguments = parser.parse_args()
    swap.finish(arguments.root)
    try:
        line = lines.find_line(arguments.root, arguments.contract)
        new, name = document.read_any(arguments.new)
        print("comparing: some seconds", file=sys.stderr)
        judged = differences(arguments.root, document.read(arguments.root / line.document), new, line)
    except (NotASpecification, regenerate.RegenerationError, ToolMissing, UnknownLine) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    write = report.markdown if arguments.format == "markdown" else report.as_json
    print(write(judged, line.document, name), end="")
    return report.verdict(judged).exit_status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the tree is unchanged")
