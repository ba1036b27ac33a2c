"""From places, lists and manifests to files that are slides, or files of one."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from attrs import evolve, frozen

from ....slides import LeftOut
from ....slides._search import candidates
from .._findings import Finding, FindingKind
from ._manifest import Manifest, ManifestRow, read_manifest
from ._selection_rules import (
    SelectionRule,
    counts,
    is_pattern,
    may_count_inside,
    names,
    reaches,
    split_pattern,
)
from ._sources import ListedPath, Sources, read_list

_ADDRESS = re.compile(r"[A-Za-z][\w+.-]+://|[A-Za-z]:[\\/]")


@frozen
class Candidate:
    """A file that may be a slide."""

    path: str
    """Absolute."""
    relative: str
    """With slashes, below the place in which it was found; as it was written if it is outside."""
    row: ManifestRow | None = None
    """What a manifest says of it."""
    place: str | None = None
    """The line of the list or manifest that names it."""
    is_searched: bool = False
    """Whether it was found in a folder, and not named by itself."""


class Walk:
    """Collects candidates, and what was wrong on the way.

    `manifest` has lines in place of those of the file; None, the default, for these.
    """

    def __init__(self, sources: Sources, manifest: Manifest | None = None) -> None:
        self._sources = sources
        self._read = manifest
        self.faults: list[Finding] = []
        self.left_out: list[LeftOut] = []
        """Files that were seen in folders and not taken."""

    def candidates(self) -> Iterator[Candidate]:
        """Give the files that count, as often as they are named; blocking."""
        for candidate in self._all():
            if counts(self._sources.rules, candidate.relative):
                yield candidate

    def _all(self) -> Iterator[Candidate]:
        if self._sources.manifest is not None:
            yield from self._manifest(self._sources.manifest)
        for place in self._sources.places:
            yield from self._place(place)
        if self._sources.files_from is not None:
            for listed in read_list(self._sources.files_from):
                if isinstance(listed, Finding):
                    self.faults.append(listed)
                else:
                    yield from self._listed(listed)

    def _manifest(self, path: Path) -> Iterator[Candidate]:
        manifest = self._read or read_manifest(path, self._sources.column)
        self.faults += manifest.faults
        root = os.path.abspath(path.parent)
        for row in manifest.rows:
            place = f"{path.name}, line {row.line}"
            for each in self._named(root, row.path, place):
                yield evolve(each, row=row)

    def _place(self, place: str) -> Iterator[Candidate]:
        absolute = os.path.abspath(place)
        if os.path.isdir(absolute):
            yield from self._folder(absolute, None)
        elif os.path.lexists(absolute) or not is_pattern(place):
            if self._is_file(absolute, None):
                yield Candidate(absolute, os.path.basename(absolute))
        else:
            folder, pattern = split_pattern(place.replace(os.sep, "/"))
            yield from self._pattern(place, os.path.abspath(folder), SelectionRule(pattern, counts=True))

    def _pattern(self, place: str, folder: str, rule: SelectionRule) -> Iterator[Candidate]:
        fits = False
        for candidate in self._folder(folder, rule):
            fits = True
            yield candidate
        if not fits:
            self._fault("no file fits the pattern", "are you in the right folder?", place)

    def _folder(self, root: str, rule: SelectionRule | None) -> Iterator[Candidate]:
        """Give the slides below a folder; a file that a pattern names itself counts whatever it is."""

        def refuse(error: OSError) -> None:
            self._fault(f"the folder can't be read ({error.strerror})", "", str(error.filename))

        def leave_out(each: LeftOut) -> None:
            relative = relative_path(each.path, root)
            rules = self._sources.rules
            if os.path.isdir(each.path):  # a pattern is one of files in it
                may_count = (rule is None or reaches(rule, relative)) and may_count_inside(rules, relative)
            else:
                may_count = (rule is None or rule.fits(relative)) and counts(rules, relative)
            if may_count:
                self.left_out.append(each)

        def is_named(path: str) -> bool:
            relative = relative_path(path, root)
            return (rule is not None and rule.names(relative)) or names(self._sources.rules, relative)

        for path in candidates(Path(root), refuse, leave_out, is_named):
            relative = relative_path(path, root)
            if rule is None or rule.fits(relative):
                yield Candidate(path, relative, is_searched=True)

    def _listed(self, listed: ListedPath) -> Iterator[Candidate]:
        root = os.getcwd()
        yield from self._named(root, listed.path, listed.place)

    def _named(self, root: str, path: str, place: str) -> Iterator[Candidate]:
        """Give the file that a line names, or the slides in the folder that it names."""
        found = absolute(root, path)
        if found is None:
            problem = f"{path} is a path of another machine, or an address"
            self._fault(problem, "write it as it is on this machine; download what is elsewhere", place)
        elif os.path.isdir(found):
            inside = list(self._folder(found, None))
            if not inside:
                self._fault(f"{found} is a folder without slides", "is it the right one?", place)
            for each in inside:
                relative = relative_path(each.path, root, f"{path}/{each.relative}")
                yield evolve(each, relative=relative, place=place)
        elif self._is_file(found, place):
            yield Candidate(found, relative_path(found, root, path), place=place)

    def _is_file(self, path: str, place: str | None) -> bool:
        """Whether a path that was given by name is a file; tells if not."""
        problem, remedy = _not_a_file(path)
        if problem:
            self._fault(f"{path} {problem}" if place else f"it {problem}", remedy, place or path)
        return not problem

    def _fault(self, problem: str, remedy: str, place: str) -> None:
        self.faults.append(Finding(FindingKind.SOURCE, problem, remedy, place))


def absolute(folder: str | Path, path: str) -> str | None:
    """Return a path that is written relative to a folder, maybe on another system.

    None for one that no disk here can have: of a drive, or a URL.
    """
    found = os.path.abspath(os.path.join(folder, path))
    if os.path.lexists(found):
        return found
    if _ADDRESS.match(path):
        return None
    if "\\" in path and os.sep == "/":
        windows = PureWindowsPath(path)
        if windows.drive:
            return None
        found = os.path.abspath(os.path.join(folder, windows.as_posix()))
    return _as_stored(found)


def _as_stored(path: str) -> str:
    """Return a path as the disk spells it: macOS stores accents apart from their letters, others do not."""
    above, name = os.path.split(path)
    if os.path.lexists(path) or not name:
        return path
    above, wanted = _as_stored(above), unicodedata.normalize("NFC", name)
    try:
        there = (each for each in os.listdir(above) if unicodedata.normalize("NFC", each) == wanted)
        return os.path.join(above, next(there, name))
    except OSError:
        return os.path.join(above, name)


def _not_a_file(path: str) -> tuple[str, str]:
    """Return why a path is no file, and what to do; nothing for one that is."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if os.path.islink(path):
            return "is a link that leads to no file", "correct the link"
        if isinstance(error, FileNotFoundError):
            return "is not there", "is the path right, and its disk mounted?"
        return f"can't be read ({error.strerror})", ""
    except ValueError:
        return "is no path: it has a null byte, or characters that can't be encoded", ""
    return ("", "") if stat.S_ISREG(mode) else ("is no file", "")


def relative_path(path: str, root: str, written: str = "") -> str:
    """Return a path below a folder with slashes; one outside it as it was written."""
    above = root.rstrip(os.sep) + os.sep
    if path.startswith(above):
        return path[len(above) :].replace(os.sep, "/")
    return written.replace("\\", "/")
