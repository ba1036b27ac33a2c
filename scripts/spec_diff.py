"""Compare the committed contract with another: what changed, how bad it is, and which of our code it touches.

    .venv/bin/python scripts/spec_diff.py NEW            markdown
    .venv/bin/python scripts/spec_diff.py NEW --format json

Exit status: 0 for nothing or only words for people, 2 for additions, 3 for what breaks, 1 for any error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

import regenerate
from contract import document, report, swap
from contract.changes import compare
from contract.redocly import ToolMissing, verdicts
from contract.severity import Judged, judge
from contract.usage import modules, uses
from openapi_python_client.strings import PythonIdentifier


class Arguments(argparse.ArgumentParser):
    """A parser whose own errors end with 1, since 2 says "additive"."""

    def error(self, message: str) -> NoReturn:
        """End with the message."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def differences(root: Path, base: dict[str, Any], new: dict[str, Any]) -> list[Judged]:
    """Return every change between two contracts, judged against the code under `root`."""
    mended, _ = regenerate.apply_mends(new, regenerate.overlay(root))
    after = operation_ids(mended)
    # A new id of the framework changes nothing where the overlay gives the module its old name.
    named = frozenset(
        ("operation", *operation)
        for operation, module in modules(root, base).items()
        if PythonIdentifier(after.get(operation, ""), "") == module
    )
    return judge(compare(base, new), verdicts(base, new), uses(root, base), named)


def operation_ids(contract: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the id of each operation by method and path."""
    return {
        (method, path): operation["operationId"]
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def main() -> int:
    parser = Arguments(description=__doc__.splitlines()[0])
    parser.add_argument("new", type=Path, metavar="NEW", help="the other specification, JSON or YAML")
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    parser.add_argument("--root", type=Path, default=regenerate.ROOT, help="the tree to compare with")
    arguments = parser.parse_args()
    committed = arguments.root / "openapi.json"
    swap.finish(arguments.root)
    try:
        judged = differences(arguments.root, document.read(committed), document.read(arguments.new))
    except (document.NotASpecification, ToolMissing) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    write = report.markdown if arguments.format == "markdown" else report.as_json
    print(write(judged, committed.name, arguments.new.name), end="")
    return int(report.verdict(judged))


if __name__ == "__main__":
    sys.exit(main())
