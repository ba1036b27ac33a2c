"""Print the figures of one checkout, or of two side by side.

    python scripts/tree_figures.py [ROOT | OLD NEW] [--details] [--json]

The JSON is a list with one object per checkout: "root", and "figures", a list of objects with "label",
"value" and "details". The options --tests, --test-seconds and --coverage add figures that were measured
elsewhere, one value per checkout.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tree.figures import Figure, figures

ROOT = Path(__file__).resolve().parent.parent
_GIVEN = {"tests": "tests", "test_seconds": "test seconds", "coverage": "coverage, in percent"}


def main() -> int:
    arguments = _parser().parse_args()
    roots = arguments.roots or [ROOT]
    tables = [[*figures(root), *_given(arguments, number)] for number, root in enumerate(roots)]
    if arguments.json:
        both = zip(roots, tables, strict=True)
        print(json.dumps([{"root": str(root), "figures": _objects(table)} for root, table in both], indent=2))
    else:
        print(table_text(tables))
        if arguments.details:
            print("\n".join(line for table in tables for line in _details(table)))
    return 0


def table_text(tables: list[list[Figure]]) -> str:
    """Return an aligned table with a column for each checkout."""
    rows = [[row[0].label, *(_number(figure.value) for figure in row)] for row in zip(*tables, strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([label.ljust(widths[0]), *map(str.rjust, values, widths[1:])]) for label, *values in rows
    )


def _given(arguments: argparse.Namespace, number: int) -> Iterator[Figure]:
    """Give the figures from the command line for the checkout of that number."""
    for option, label in _GIVEN.items():
        values = getattr(arguments, option)
        if values:
            yield Figure(label, values[number] if number < len(values) else "", [])


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.10g}"


def _objects(table: list[Figure]) -> list[dict[str, object]]:
    return [figure._asdict() for figure in table]


def _details(table: list[Figure]) -> list[str]:
    return [
        line
        for figure in table
        if figure.details
        for line in (f"\n{figure.label}:", *(f"  {detail}" for detail in figure.details))
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("roots", type=Path, nargs="*", metavar="ROOT", help="a checkout; this one by default")
    parser.add_argument("--details", action="store_true", help="list what is behind each figure")
    parser.add_argument("--json", action="store_true", help="print JSON")
    for option, label in _GIVEN.items():
        flag = f"--{option.replace('_', '-')}"
        parser.add_argument(
            flag, type=float, nargs="+", default=[], metavar="N", help=f"{label}, one per root"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
