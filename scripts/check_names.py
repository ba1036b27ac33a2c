"""Check the names and the words of a checkout.

    python scripts/check_names.py [ROOT]

Prints `file:line: fault` and ends with 1 for

- a type name that is defined more than once in src,
- a private name that is imported from another package,
- a word of scripts/retired_words.toml in a name, comment, docstring, other string or document.

A package is a folder of the root package, with everything below it. The modules beside these folders together
are one more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tree.imports import Import, read_imports
from tree.source import Modules, read_modules
from tree.typenames import ambiguous
from tree.words import read_words, uses

ROOT = Path(__file__).resolve().parent.parent
WORDS = Path("scripts/retired_words.toml")

_FOLDERS = ("src", "scripts", "docs", "tests", "examples", "benchmarks")
_FILES = ("*.md", "Makefile", "pyproject.toml")
_SUFFIXES = {".py", ".pyi", ".md", ".toml", ".yaml"}
# A changelog uses old names, too.
_EXEMPT = {Path("CHANGELOG.md"), WORDS}
_SKIPPED = {"node_modules", "__pycache__", "generated"}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    root = parser.parse_args().root
    modules = read_modules(root)
    kinds = {
        "type names defined more than once": list(defined_twice(modules)),
        "private names imported across packages": list(private_imports(root, modules)),
        "retired words": list(set(retired_words(root))),
    }
    for fault in sorted(fault for faults in kinds.values() for fault in faults):
        print(fault)
    counts = Counter({kind: len(faults) for kind, faults in kinds.items()})
    if counts.total():
        print(", ".join(f"{count} {kind}" for kind, count in counts.items()), file=sys.stderr)
    return 1 if counts.total() else 0


def defined_twice(modules: Modules) -> Iterator[str]:
    """Give a fault for each definition of a type name but the first."""
    for name, (first, *others) in ambiguous(modules).items():
        for other in others:
            yield f"{other.path}:{other.line}: {name} is defined in {first.path}:{first.line} too; rename one"


def private_imports(root: Path, modules: Modules) -> Iterator[str]:
    """Give a fault for each private name imported from another package; modules are not names."""
    for each in read_imports(root, modules):
        if _is_private(each) and _package(each.importer, modules) != _package(each.imported, modules):
            path = modules[each.importer].path
            owner = _package(each.imported, modules)
            yield f"{path}:{each.line}: {each.name} is private to {owner}; make it public there, or move it"


def retired_words(root: Path) -> Iterator[str]:
    """Give a fault for each use of a retired word."""
    words = read_words(root / WORDS)
    for path in _texts(root):
        for use in uses(path, (root / path).read_text(encoding="utf-8"), words):
            yield f"{use.path}:{use.line}: retired: {use.text!r}; say {use.say}"


def _texts(root: Path) -> Iterator[Path]:
    for path in (path for pattern in _FILES for path in root.glob(pattern)):
        yield from {path.relative_to(root)} - _EXEMPT
    for folder in _FOLDERS:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            if path.suffix in _SUFFIXES and _SKIPPED.isdisjoint(relative.parts) and relative not in _EXEMPT:
                yield relative


def _is_private(each: Import) -> bool:
    return each.name is not None and each.name.startswith("_") and not each.name.startswith("__")


def _package(name: str, modules: Modules) -> str:
    """Return the folder of the root package that a module lies in, or the root package."""
    first, *rest = name.split(".")
    package = f"{first}.{rest[0]}" if rest else first
    return package if package in modules and modules[package].is_package else first


if __name__ == "__main__":
    sys.exit(main())
