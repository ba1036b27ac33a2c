"""Update the contract: try a new specification in a scratch tree, report what breaks, and only then write.

    read -> compare -> overlay -> validate -> generate -> type check -> contract tests -> report

    .venv/bin/python scripts/update_spec.py NEW                    the line 1.0, openapi.json
    .venv/bin/python scripts/update_spec.py NEW --contract 1.8     contracts/1.8/openapi.json

NEW is a file, or the root of a deployment. The tree changes only at the end, and only with --write: the
contract, its generated package and an entry in the changelog, all of them or none. Exit status: 0 if every
step passed, 1 if it stopped.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import inventory
import regenerate
import spec_diff
import yaml
from contract import changelog, document, lines, report, swap, types
from contract.lines import OLDEST, ContractLine, UnknownLine
from contract.openapi_form import NotASpecification
from contract.redocly import ToolMissing
from contract.severity import Judged

_LEFT_BEHIND = shutil.ignore_patterns(
    *(".git", ".venv", ".incoming", "node_modules", "__pycache__", "*_cache", ".hypothesis"),
    *("build", "dist", "demo"),
)
_TEST_SECONDS = 1800
# What `make test` runs of them, in as many processes.
_PYTEST = (sys.executable, *("-m", "pytest", "-q", "-m", "not slow", "-n", "auto", "--dist", "worksteal"))
# What a step takes on two cores.
_EXPECTED = {
    "comparing": "some seconds",
    "generating": "some ten seconds",
    "type check": "half a minute, two minutes the first time",
    "contract tests": "three minutes",
}


class Stopped(Exception):
    """The new specification does not fit yet; the text says why and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("new", metavar="NEW", help="the new specification: a file, or a deployment's root")
    parser.add_argument("--contract", default=OLDEST.name, help="the line of the contract; by default 1.0")
    parser.add_argument("--write", action="store_true", help="write it to the tree if every step passes")
    parser.add_argument("--root", type=Path, default=regenerate.ROOT, help="the tree to update")
    arguments = parser.parse_args()
    swap.finish(arguments.root)
    root: Path = arguments.root.resolve()
    try:
        line = lines.find_line(root, arguments.contract)
        with tempfile.TemporaryDirectory() as scratch:
            update(root, line, arguments.new, Path(scratch, "tree"), write=arguments.write)
    except (
        *(NotASpecification, ToolMissing, UnknownLine),
        *(regenerate.RegenerationError, Stopped),
    ) as error:
        print(f"\nStopped: {error}\nThe tree is unchanged.", file=sys.stderr)
        return 1
    return 0


def update(root: Path, line: ContractLine, source: str, scratch: Path, *, write: bool) -> None:
    """Run every step for a specification; raises the reason to stop."""
    base, (new, name) = document.read(root / line.document), document.read_any(source)
    _begin("comparing")
    judged = spec_diff.differences(root, base, new, line)
    text = report.markdown(judged, line.document, name)
    _say("compared", report.summary(judged))
    try:
        unmatched = _generate(root, line, scratch, new)
        _check_types(scratch, line, judged)
        _test(root, scratch)
    finally:
        print(f"\n{text}")
    if not write:
        which = "" if line == OLDEST else f" CONTRACT={line.name}"
        print(f"Every step passed. To write it: make update-spec{which} NEW={source} WRITE=1")
        return
    if unmatched:
        raise Stopped(
            f"delete the actions of {line.overlay} that match nothing any more, and try again:\n  "
            + "\n  ".join(unmatched)
        )
    changelog.add(scratch / "CHANGELOG.md", name, judged)
    written = [line.document, f"generated/{line.package}", "generated/stamp.json", "CHANGELOG.md"]
    if (root / inventory.PATH).exists():
        (scratch / inventory.PATH).write_text(inventory.made(scratch), encoding="utf-8")
        written.append(str(inventory.PATH))
    swap.put(root, {each: scratch / each for each in written})
    print("Written: " + ", ".join(written))


def _generate(root: Path, line: ContractLine, scratch: Path, new: dict[str, Any]) -> list[str]:
    """Create the scratch tree with the new contract and its client; return actions without a match."""
    _begin("generating")
    shutil.copytree(root, scratch, ignore=_LEFT_BEHIND, symlinks=True)
    (scratch / line.document).write_text(document.pretty(new), encoding="utf-8")
    actions = regenerate.overlay(root, line)
    mended, unmatched = regenerate.apply_mends(new, actions)
    for target in unmatched:
        _say("overlay", f"this action matches nothing any more: {target}")
    if unmatched:
        # Without them, the remaining steps see a consistent scratch tree.
        actions["actions"] = [each for each in actions["actions"] if each["target"] not in unmatched]
        (scratch / line.overlay).write_text(yaml.safe_dump(actions), encoding="utf-8")
    regenerate.check_valid(mended, line)
    _say("validated", "the contract with the overlay is valid OpenAPI")
    package = scratch / "generated" / line.package
    shutil.rmtree(package, ignore_errors=True)
    regenerate.build_package(scratch, line, package)
    (scratch / "generated/stamp.json").write_text(regenerate.stamp(scratch), encoding="utf-8")
    _say("generated", f"{len(regenerate.operation_ids(mended))} operations, no warning, nothing left out")
    return unmatched


def _check_types(scratch: Path, line: ContractLine, judged: list[Judged]) -> None:
    _begin("type check")
    errors = types.check(scratch, line)
    if errors:
        places = types.to_rewrite(errors, judged)
        told = [f"the façade does not fit the new client: {len(errors)} type errors. To rewrite:"]
        for (file, function), reasons in places.items():
            told += [f"  {function} in {file}", *(f"    {reason}" for reason in reasons)]
        raise Stopped("\n".join(told))
    _say("type check", "the façade fits the new client")


def _test(root: Path, scratch: Path) -> None:
    _begin("contract tests")
    shared = Path(os.environ.get("AIGNOSTICS_SHARED", root.parent / "shared")).resolve()
    environment = {
        **os.environ,
        "AIGNOSTICS_SHARED": str(shared),
        "PYTHONPATH": os.pathsep.join(str(scratch / name) for name in ("src", "generated")),
    }
    try:
        done = subprocess.run(
            [*_PYTEST, "tests/contract"],
            cwd=scratch, env=environment, capture_output=True, text=True, check=False, timeout=_TEST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Stopped(f"the contract tests take more than {_TEST_SECONDS} s with it") from error
    if done.returncode:
        raise Stopped(f"the contract tests fail with it:\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    _say("contract tests", done.stdout.strip().splitlines()[-1].strip("= "))


def _begin(step: str) -> None:
    print(f"{step + ':':16}{_EXPECTED[step]} ...", file=sys.stderr, flush=True)


def _say(step: str, text: str) -> None:
    print(f"{step + ':':16}{text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the tree is unchanged")
