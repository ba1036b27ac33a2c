"""Corrections of slides that are quarantined or failed, checked as everything was when the job was made."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve, field, frozen

from .._core._arguments import as_path
from .._core._tasks import for_each
from .._identifiers import as_texts
from ..errors import UsageError
from ..slides.workers._prober import Prober
from .database import _queries, _retries
from .preflight._findings import Finding, FindingKind
from .preflight._requirements import Requirements
from .preflight._slide_probe import as_finding
from .preflight.sources._discovery import as_entry, entry_fault, with_pseudonyms
from .preflight.sources._manifest import Manifest, ManifestRow, read_manifest
from .preflight.sources._selection_rules import SelectionRule
from .preflight.sources._slide_entry import SlideEntry
from .preflight.sources._sources import Sources
from .preflight.sources._walk import Candidate, absolute, relative_path

if TYPE_CHECKING:
    from .._client import Client
    from ._plan import JobPlan
    from .database._database import Database
    from .database._queries import ItemRow
    from .database._writer import Execute


_LINE = re.compile(r"[^/]+, line ([0-9]+)")
"""What an item is called that is a line of a manifest and could not be taken."""


@frozen
class CorrectionReport:
    """The result of `BulkJob.correct`.

        report = await job.correct(client, manifest="slides.csv")
        print(report.released, "continue;", report.faults)

    `released` is the number of items that continue, or would after a dry run. `faults` is a tuple of
    `Finding`: the faults of items that stay as they were, or those of the manifest's lines, any of which
    keeps all items back; empty if there are none. `unused` is the number of manifest lines that name none of
    the selected items, 0 by default.
    """

    released: int
    """The number of slides that continue; after a dry run, that would."""
    faults: tuple[Finding, ...]
    """The faults of slides that do not continue and stay as they were, or those of the manifest's lines, any
    of which lets no slide continue.
    """
    unused: int = 0
    """The number of manifest lines about none of the selected slides; 0 by default."""


def numbers_of(only: Sequence[str]) -> Callable[[Execute], set[int] | None]:
    """Return the query for the items whose references are named or fit a pattern; None where nothing is."""
    wanted = as_texts(only, "only")
    rules = [SelectionRule(pattern, counts=True) for pattern in wanted]

    def query(execute: Execute) -> set[int] | None:
        if not wanted:
            return None
        known = _queries.references()(execute)
        return {
            number
            for reference, number in known.items()
            if reference in wanted or any(rule.fits(reference) for rule in rules)
        }

    return query


@frozen
class Corrections:
    """What is corrected, and of which items. Raises ConfigurationError or UsageError for an invalid value."""

    mpp: float | None
    manifest: str | os.PathLike[str] | None
    only: Sequence[str] = field(kw_only=True)
    failed: bool = field(kw_only=True)
    rerun: bool = field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.mpp is None and self.manifest is None:
            raise UsageError("there is nothing to correct; give mpp, a manifest or both")
        Sources(places=["."], mpp=self.mpp)  # refuses what is no resolution


async def correct(
    database: Database, client: Client, plan: JobPlan, told: Corrections, *, dry_run: bool = False
) -> CorrectionReport:
    """Apply corrections to the items that a retry would send, and let those go on that have no fault then."""
    which = {"failed": told.failed, "rerun": told.rerun}
    path = Path() if told.manifest is None else as_path(told.manifest, "manifest")
    sources = Sources(manifest=path, **await database.read(_queries.sources()))
    read = partial(read_manifest, path, sources.column, is_correction=True)
    manifest = Manifest((), ()) if told.manifest is None else await to_thread.run_sync(read)
    if manifest.faults:
        return CorrectionReport(0, manifest.faults)
    numbers = await database.read(numbers_of(told.only))
    wanted = await database.read(_retries.retryable(**which, only=numbers))
    known = await database.read(_queries.slide_files())
    # In a thread: they look at the folders above each slide of the job.
    lines = await to_thread.run_sync(_Lines, manifest, path, sources, known, wanted)
    entries = await to_thread.run_sync(_entries, wanted, lines, told.mpp)
    faults = [*_take_unusable(entries), *await _take_faulty(entries, client, plan)]
    if sources.reference_from == "pseudonyms" and not dry_run:
        new = [row.number for row in wanted if row.number in entries and _is_rejected(row)]
        named = await to_thread.run_sync(with_pseudonyms, [entries[number] for number in new])
        entries |= zip(new, named, strict=True)
    faults += _take_collisions(entries, await database.read(_queries.references()))
    columns = {
        number: {
            "path": entry.path,
            "reference": entry.reference,
            "overrides": json.dumps(entry.overrides()),
        }
        for number, entry in entries.items()
    }
    if dry_run:
        released = await database.read(_retries.count_retries(**which, only=columns.keys()))
    else:
        command = _retries.retry(**which, only=columns.keys(), corrections=columns)
        released = await database.write(command) if columns else 0
    return CorrectionReport(released, tuple(faults), lines.unused)


class _Lines:
    """The lines of a manifest of corrections, by the slide that each is about.

    A line that could not be taken is an item without a slide. Its number says little once lines were added or
    removed: it becomes the line of its number only if no slide of the job is on that, and else the first such
    line that is left.
    """

    def __init__(
        self,
        manifest: Manifest,
        path: Path,
        sources: Sources,
        known: Iterable[str],
        items: Iterable[ItemRow],
    ) -> None:
        self.columns = manifest.columns
        self.sources = sources
        self._name = path.name
        self._folder = os.path.abspath(path.parent)  # noqa: PTH100 - links stay, as where slides are found
        self._rows: dict[str, tuple[str, ManifestRow]] = {}
        self._used: set[int] = set()
        for row in manifest.rows:
            place = absolute(self._folder, row.path) or row.path
            self._rows.setdefault(place, (place, row))
        self._assign(set(_places(known)), _refused(items))

    def _assign(self, known: set[str], refused: Sequence[str]) -> None:
        """Give each line that was refused a line with a slide that the job does not have."""
        new = {
            f"{self._name}, line {row.line}": (path, row)
            for path, row in self._rows.values()
            if path not in known
        }
        same = {place: new.pop(place) for place in refused if place in new}
        others = (place for place in refused if place not in same)
        self._rows |= same | dict(zip(others, new.values(), strict=False))

    @property
    def unused(self) -> int:
        """How many lines are about no quarantined slide."""
        return len({row.line for _, row in self._rows.values()} - self._used)

    def of(self, row: ItemRow) -> Candidate | None:
        """Return what a line says of an item: that of its file or folder, or one that was refused."""
        for key in _places((row.path, *row.overrides.get("files", ()))):
            if (found := self._rows.get(key)) is not None:
                named, line = found
                self._used.add(line.line)
                path = named if key == row.path else row.path
                written = f"{line.path}/{relative_path(path, named)}"
                relative = relative_path(path, self._folder, line.path if path == named else written)
                return Candidate(path, relative, line)
        return None


def _places(files: Iterable[str]) -> Iterator[str]:
    """Give files, and then the folders that they are in."""
    listed = list(files)
    yield from listed
    yield from (str(folder) for file in listed for folder in Path(file).parents)


def _refused(items: Iterable[ItemRow]) -> Sequence[str]:
    """Return the lines among items that could not be taken, in their order."""
    found = (_LINE.fullmatch(row.path) for row in items if _is_rejected(row))
    return [line[0] for line in sorted((line for line in found if line), key=lambda line: int(line[1]))]


def _is_rejected(row: ItemRow) -> bool:
    """Whether an item is a line, a file or a folder that could not be taken."""
    return bool(row.overrides.get("is_rejected"))


def _entries(items: Iterable[ItemRow], lines: _Lines, mpp: float | None) -> dict[int, SlideEntry]:
    """Return items with their corrections, by number, without those that nothing is said about."""
    corrected = {row.number: _corrected(row, lines, mpp) for row in items}
    return {number: entry for number, entry in corrected.items() if entry is not None}


def _corrected(row: ItemRow, lines: _Lines, mpp: float | None) -> SlideEntry | None:
    """Return an item with its corrections; None for one that nothing is said about."""
    entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
    found = lines.of(row)
    if entry.is_rejected:
        if found is None:
            return None
        entry = as_entry(lines.sources, found)
    if mpp is not None:
        entry = evolve(entry, mpp=(mpp, mpp))
    if found is None or found.row is None:
        return None if mpp is None else entry
    kept = {name: cell for name, cell in entry.cells.items() if name not in lines.columns}
    return found.row.applied_to(evolve(entry, cells={**lines.sources.metadata, **kept}))


def _take_unusable(entries: dict[int, SlideEntry]) -> Iterator[Finding]:
    """Take out each slide that can't go on whatever its file says, and give its fault."""
    for number, entry in list(entries.items()):
        if (fault := entry_fault(entry)) is not None:
            del entries[number]
            yield fault


def _take_collisions(entries: dict[int, SlideEntry], numbers: dict[str, int]) -> Iterator[Finding]:
    """Take out each slide whose new reference is another one's, and give a fault for it.

    `numbers` has the items of the job by reference.
    """
    for number, entry in list(entries.items()):
        if numbers.setdefault(entry.reference, number) != number:
            del entries[number]
            problem = f"its reference {entry.reference!r} is that of another slide of the job"
            yield Finding(FindingKind.REFERENCE, problem, "give it another one in the manifest", entry.path)


async def _take_faulty(entries: dict[int, SlideEntry], client: Client, plan: JobPlan) -> list[Finding]:
    """Read every slide, take out those with faults, and return the faults."""
    version = await client.applications.version(plan.application_version)
    requirements = Requirements.of(plan, version)
    faults: list[Finding] = []

    async def check(number: int) -> None:
        entry = entries[number]
        probed = await as_finding(prober.probe(entry.slide), entry.path)
        its = [probed] if isinstance(probed, Finding) else list(requirements.faults(entry, probed.info))
        if its:
            faults.extend(its)
            del entries[number]

    async with Prober(decode=plan.decode) as prober:
        await for_each(list(entries), check, limit=prober.workers)
    return faults
