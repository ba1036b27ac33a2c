"""Draw a reproducible sample of a checkout, to be read and judged by people.

    python scripts/sample.py sentences FILE --seed N [--count 30]
    python scripts/sample.py docstrings --seed N [--count 40]
    python scripts/sample.py mutants --seed N [--count 30] [--within src/...] [--apply K]

The same seed draws the same sample of the same tree. Docstrings are those of public functions, classes and
methods. `--apply` plants the mutant of that number in the checkout itself; scripts/mutants.py tries them in a
copy.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from textwrap import indent
from typing import TypeVar

from tree import mutation
from tree.sentences import sentences
from tree.surface import Public, public

ROOT = Path(__file__).resolve().parent.parent

Drawn = TypeVar("Drawn")


def main() -> int:
    arguments = _parser().parse_args()
    print("\n".join(arguments.draw(arguments)))
    return 0


def draw(population: list[Drawn], seed: int, count: int) -> list[Drawn]:
    """Return some of the population, in its order; all of it where there are no more."""
    chosen = random.Random(seed).sample(range(len(population)), min(count, len(population)))
    return [population[number] for number in sorted(chosen)]


def _sentences(arguments: argparse.Namespace) -> list[str]:
    path = arguments.file
    drawn = draw(sentences(path.read_text(encoding="utf-8")), arguments.seed, arguments.count)
    return [f"{path}:{each.line}: {each.text}" for each in drawn]


def _docstrings(arguments: argparse.Namespace) -> list[str]:
    return [_shown(each) for each in draw(public(arguments.root), arguments.seed, arguments.count)]


def _shown(each: Public) -> str:
    return (
        f"{each.place}: {each.name}\n{each.signature}\n{indent(each.docstring or 'NO DOCSTRING', '    ')}\n"
    )


def _mutants(arguments: argparse.Namespace) -> list[str]:
    drawn = mutation.sample(arguments.root, arguments.seed, arguments.count, arguments.within)
    if arguments.apply is None:
        return [f"{number}  {mutant}" for number, mutant in enumerate(drawn)]
    drawn[arguments.apply].apply(arguments.root)
    return [f"applied: {drawn[arguments.apply]}"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, draws, count in (
        ("sentences", _sentences, 30),
        ("docstrings", _docstrings, 40),
        ("mutants", _mutants, 30),
    ):
        command = commands.add_parser(name)
        command.set_defaults(draw=draws)
        command.add_argument("--root", type=Path, default=ROOT, help="the checkout; this one by default")
        command.add_argument("--seed", type=int, required=True)
        command.add_argument("--count", type=int, default=count, help=f"how many; {count} by default")
        if name == "sentences":
            command.add_argument("file", type=Path, metavar="FILE", help="a Markdown file")
        if name == "mutants":
            command.add_argument("--within", default="src", help="a folder or file of src")
            command.add_argument("--apply", type=int, metavar="K", help="plant the mutant of this number")
    return parser


if __name__ == "__main__":
    sys.exit(main())
