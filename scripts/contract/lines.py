"""The lines of the contract: a document, its overlay, and the package that is generated from both.

A line is a release of the platform's API and what is added to it. The first lies where it always did; each
later one has a folder of its own below contracts/, by its name.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

_NAME = re.compile(r"[0-9]+\.[0-9]+")


class UnknownLine(Exception):
    """There is no such line of the contract; the text says which there are."""


@frozen
class ContractLine:
    """One line: its name, the names of its files relative to the root, and the name of its package."""

    name: str
    package: str
    document: str
    overlay: str

    @property
    def marker(self) -> str:
        """What the names of our own modules for this line end with, such as `1_8` of `v1_8`."""
        return self.name.replace(".", "_")


OLDEST = ContractLine("1.0", "aignostics_api", "openapi.json", "scripts/overlay.yaml")


def later_line(name: str) -> ContractLine:
    """Return the line of a name below contracts/, whether it is there or not. Raises UnknownLine."""
    if not _NAME.fullmatch(name):
        raise UnknownLine(f"a line of the contract is named after a release, such as 1.8, not {name!r}")
    folder = f"contracts/{name}"
    package = f"{OLDEST.package}_{name.replace('.', '_')}"
    return ContractLine(name, package, f"{folder}/openapi.json", f"{folder}/overlay.yaml")


def all_lines(root: Path) -> list[ContractLine]:
    """Return the lines of a tree, the oldest first."""
    names = [path.parent.name for path in (root / "contracts").glob("*/openapi.json")]
    return [OLDEST, *map(later_line, sorted(names, key=lambda name: [int(part) for part in name.split(".")]))]


def find_line(root: Path, name: str) -> ContractLine:
    """Return a line of a tree by its name. Raises UnknownLine."""
    lines = {line.name: line for line in all_lines(root)}
    if name not in lines:
        raise UnknownLine(f"there is no line {name!r} of the contract; there is {', '.join(lines)}")
    return lines[name]
