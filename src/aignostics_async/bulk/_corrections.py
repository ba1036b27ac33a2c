"""Corrections of slides that are quarantined or failed, checked as everything was when the job was made."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from .preflight.sources._discovery import with_pseudonyms
from .preflight.sources._manifest import Manifest, ManifestRow, read_manifest
from .preflight.sources._selection_rules import SelectionRule
from .preflight.sources._slide_entry import SlideEntry
from .preflight.sources._sources import Sources
from .preflight.sources._walk import absolute, relative_path

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
    path = None if told.manifest is None else as_path(told.manifest, "manifest")
    manifest = Manifest((), ()) if path is None else await to_thread.run_sync(read_manifest, path)
    if manifest.faults:
        return CorrectionReport(0, manifest.faults)
    numbers = await database.read(numbers_of(told.only))
    wanted = await database.read(_retries.retryable(**which, only=numbers))
    known = await database.read(_queries.slide_files())
    # In a thread: it looks at the folders above each slide of the job.
    lines = await to_thread.run_sync(_Lines, manifest, path or Path(), known, wanted)
    entries = {row.number: entry for row in wanted if (entry := _corrected(row, lines, told.mpp)) is not None}
    if await database.read(_queries.has_pseudonyms()):
        named = [number for number, entry in entries.items() if not entry.is_pseudonym]
        hidden = await to_thread.run_sync(with_pseudonyms, [entries[number] for number in named])
        entries |= zip(named, hidden, strict=True)
    numbers_of_all = await database.read(_queries.references())
    faults = [*_take_collisions(entries, numbers_of_all), *await _take_faulty(entries, client, plan)]
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
        self, manifest: Manifest, path: Path, known: Iterable[str], items: Iterable[ItemRow]
    ) -> None:
        self.columns = manifest.columns
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

    def reference(self, path: str, row: ManifestRow) -> str:
        """Return the reference of a line, as it would be if the job were made with it."""
        return row.reference or relative_path(path, self._folder, row.path)

    @property
    def unused(self) -> int:
        """How many lines are about no quarantined slide."""
        return len({row.line for _, row in self._rows.values()} - self._used)

    def of(self, row: ItemRow) -> tuple[str, ManifestRow] | None:
        """Return the path and the line for an item: that of its file or folder, or one that was refused."""
        for key in _places((row.path, *row.overrides.get("files", ()))):
            if (found := self._rows.get(key)) is not None:
                self._used.add(found[1].line)
                return found
        return None


def _places(files: Iterable[str]) -> Iterator[str]:
    """Give files, and then the folders that they are in."""
    listed = list(files)
    yield from listed
    yield from (str(folder) for file in listed for folder in Path(file).parents)


def _refused(items: Iterable[ItemRow]) -> Sequence[str]:
    """Return the lines among items that could not be taken, in their order."""
    found = (_LINE.fullmatch(row.path) for row in items if row.overrides.get("is_rejected"))
    return [line[0] for line in sorted((line for line in found if line), key=lambda line: int(line[1]))]


def _corrected(row: ItemRow, lines: _Lines, mpp: float | None) -> SlideEntry | None:
    """Return an item with its corrections; None for one that nothing is said about."""
    entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
    found = lines.of(row)
    if found is None:
        return None if mpp is None or entry.is_rejected else evolve(entry, mpp=(mpp, mpp))
    path, line = found
    kept = {name: cell for name, cell in entry.cells.items() if name not in lines.columns}
    if entry.is_rejected:
        entry = evolve(entry, path=path, reference=lines.reference(path, line), is_rejected=False)
    given = (mpp, mpp) if mpp is not None else entry.mpp
    return evolve(
        entry,
        mpp=line.mpp or given,
        mpp_source=line.mpp_source or entry.mpp_source,
        include_label=entry.include_label if line.include_label is None else line.include_label,
        cells={**kept, **line.cells},
    )


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
