"""The lines of a manifest of corrections, and which item each is about."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from .preflight._findings import Finding, FindingKind
from .preflight.sources._manifest import Manifest, ManifestRow
from .preflight.sources._walk import absolute, relative_path

if TYPE_CHECKING:
    from .database._queries import ItemRow

_LINE = re.compile(r"[^/]+, line ([0-9]+)")
"""What an item is called that is a line of a manifest and could not be taken."""


class CorrectionLines:
    """The lines of a manifest of corrections, by the file or folder that each names; blocks.

    `faults` has the manifest's own, and one for each line that says something else of a slide than the first
    one that names it. `unused` is the number of lines that `match` has found no item for.
    """

    def __init__(self, manifest: Manifest, path: Path) -> None:
        self.columns = manifest.columns
        self.faults = list(manifest.faults)
        self.unused = 0
        self._name = path.name
        self._rows: dict[str, ManifestRow] = {}
        folder = os.path.abspath(path.parent)  # noqa: PTH100 - links stay, as where slides are found
        for row in manifest.rows:
            first = self._rows.setdefault(absolute(folder, row.path) or row.path, row)
            if row != evolve(first, line=row.line, path=row.path):
                problem = f"{self._place(first)} says something else of the same slide"
                self.faults.append(
                    Finding(FindingKind.SOURCE, problem, "remove one of the lines", self._place(row))
                )

    def match(self, items: Sequence[ItemRow], known: Iterable[str]) -> Mapping[int, ManifestRow]:
        """Return the lines of items, by number: of their files or folders, or of one that was refused.

        `known` has the files of all items of the job. A line that names a folder above an item is returned
        as one that names the item's file.
        """
        rows = self._rows | self._refused(items, set(_places(known)))
        found: dict[int, ManifestRow] = {}
        for item in items:
            for place in _places((item.path, *item.overrides.get("files", ()))):
                if (row := rows.get(place)) is not None:
                    inside = relative_path(item.path, place)
                    found[item.number] = evolve(row, path=f"{row.path}/{inside}") if inside else row
                    break
        self.unused = len(self._rows) - len({row.line for row in found.values()})
        return found

    def _place(self, row: ManifestRow) -> str:
        return f"{self._name}, line {row.line}"

    def _refused(self, items: Iterable[ItemRow], known: set[str]) -> dict[str, ManifestRow]:
        """Give each line that was refused a line with a slide that the job does not have.

        Its number says little once lines were added or removed: it becomes the line of its number only if no
        slide of the job is on that, and else the first such line that is left.
        """
        refused = sorted(filter(is_line, (item.path for item in items)), key=_number)
        left = {path: row for path, row in self._rows.items() if path not in known} if refused else {}
        there = _same_files(left, known)
        new = {self._place(row): row for path, row in left.items() if path not in there}
        same = {place: new.pop(place) for place in refused if place in new}
        others = (place for place in refused if place not in same)
        return same | dict(zip(others, new.values(), strict=False))


def _same_files(paths: Collection[str], known: Iterable[str]) -> set[str]:
    """Return the paths that lead to a known file or folder of their name on another way, such as a link."""
    names = set(map(os.path.basename, paths))
    there = {_identity(other) for other in known if os.path.basename(other) in names}  # noqa: PTH119 - many
    there.discard(None)
    return {path for path in paths if _identity(path) in there}


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - of many paths
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def is_line(path: str) -> bool:
    """Whether an item's path is no path, but names a line of a manifest that could not be taken."""
    return _LINE.fullmatch(path) is not None


def _number(line: str) -> int:
    return int(line.rpartition(" ")[2])


def _places(files: Iterable[str]) -> Iterator[str]:
    """Give files, and then the folders that they are in."""
    listed = list(files)
    yield from listed
    yield from (str(folder) for file in listed for folder in Path(file).parents)
