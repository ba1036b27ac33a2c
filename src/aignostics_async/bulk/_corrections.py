"""Corrections of slides that are quarantined or failed, checked as everything was when the job was made."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve, field, frozen

from .._core._arguments import as_path
from .._core._tasks import for_each
from .._identifiers import as_texts
from ..errors import UsageError
from ..slides.workers._prober import Prober
from ._correction_lines import CorrectionLines, is_line
from .database import _queries, _retries
from .preflight._findings import Finding, FindingKind
from .preflight._requirements import Requirements
from .preflight._series import SeriesOnce
from .preflight._slide_probe import as_finding
from .preflight.sources._discovery import entry_fault, search, with_pseudonyms
from .preflight.sources._manifest import Manifest, ManifestRow, read_manifest
from .preflight.sources._selection_rules import SelectionRule
from .preflight.sources._slide_entry import SlideEntry
from .preflight.sources._sources import Sources, from_kept

if TYPE_CHECKING:
    from .._client import Client
    from ._plan import JobPlan
    from .database._database import Database
    from .database._queries import ItemRow
    from .database._writer import Execute


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

    @property
    def which(self) -> dict[str, bool]:
        """What says which items a retry would send."""
        return {"failed": self.failed, "rerun": self.rerun}


async def correct(
    database: Database, client: Client, plan: JobPlan, told: Corrections, *, dry_run: bool = False
) -> CorrectionReport:
    """Apply corrections to the items that a retry would send, and let those go on that have no fault then."""
    path = None if told.manifest is None else as_path(told.manifest, "manifest")
    sources = from_kept(await database.read(_queries.sources()), path or Path())
    if told.mpp is not None:
        sources = evolve(sources, mpp=told.mpp)
    lines = await to_thread.run_sync(_read_lines, path, sources.column)
    if lines.faults:
        return CorrectionReport(0, tuple(lines.faults))
    numbers = await database.read(numbers_of(told.only))
    wanted = await database.read(_retries.retryable(**told.which, only=numbers))
    known = await database.read(_queries.slide_files())
    # In a thread: it looks at the folders above each slide of the job.
    rows = await to_thread.run_sync(lines.match, wanted, known)
    requirements = Requirements.of(plan, await client.applications.version(plan.application_version))
    series = SeriesOnce(await database.read(_queries.series()))
    async with Prober(decode=plan.decode) as prober:
        mended, faults = await _mended(filter(_is_rejected, wanted), rows, sources, prober)
        entries = mended | {
            row.number: _corrected(row, rows.get(row.number), lines.columns, sources, told.mpp)
            for row in wanted
            if not _is_rejected(row) and (row.number in rows or told.mpp is not None)
        }
        faults += await _take_faulty(entries, requirements, prober, series)
    if sources.reference_from == "pseudonyms" and not dry_run:
        new = [number for number in mended if number in entries]
        named = await to_thread.run_sync(with_pseudonyms, [entries[number] for number in new])
        entries |= zip(new, named, strict=True)
    faults += _take_collisions(entries, await database.read(_queries.references()))
    released = await _release(database, told, entries, dry_run=dry_run)
    return CorrectionReport(released, tuple(faults), lines.unused)


async def _release(
    database: Database, told: Corrections, entries: Mapping[int, SlideEntry], *, dry_run: bool
) -> int:
    """Let corrected items go on; return how many do, or would."""
    if dry_run:
        return await database.read(_retries.count_retries(**told.which, only=entries.keys()))
    corrections = {
        number: {
            "path": entry.path,
            "reference": entry.reference,
            "overrides": json.dumps(entry.overrides()),
        }
        for number, entry in entries.items()
    }
    command = _retries.retry(**told.which, only=corrections.keys(), corrections=corrections)
    return await database.write(command) if corrections else 0


def _read_lines(path: Path | None, column: str | None) -> CorrectionLines:
    if path is None:
        return CorrectionLines(Manifest((), ()), Path())
    return CorrectionLines(read_manifest(path, column, is_correction=True), path)


def _is_rejected(row: ItemRow) -> bool:
    """Whether an item is a line, a file or a folder that could not be taken."""
    return bool(row.overrides.get("is_rejected"))


async def _mended(
    items: Iterable[ItemRow], rows: Mapping[int, ManifestRow], sources: Sources, prober: Prober
) -> tuple[dict[int, SlideEntry], list[Finding]]:
    """Return the slides that could not be taken and can by now, found as when a job is made, and faults."""
    listed = [item for item in items if item.number in rows]
    in_order = sorted((rows[item.number] for item in listed), key=lambda row: row.line)
    found = await search(sources, prober, Manifest(tuple(in_order), ()))
    faults = list(found.faults)
    by_line: dict[int | None, list[SlideEntry]] = {}
    for entry in found.entries:
        by_line.setdefault(entry.line, []).append(entry)
    by_file = {file: [entry] for entry in found.entries for file in (entry.path, *entry.files)}
    mended: dict[int, SlideEntry] = {}
    for item in listed:
        line = rows[item.number].line
        entries = by_line.get(line, []) if is_line(item.path) else by_file.get(item.path, [])
        if len(entries) == 1:
            mended[item.number] = entries[0]
        elif entries:
            problem = f"its line names {len(entries)} slides, and it can become one"
            remedy = "name one of them here, and the others in another job"
            faults.append(Finding(FindingKind.SOURCE, problem, remedy, item.path))
    return mended, faults


def _corrected(
    row: ItemRow, line: ManifestRow | None, columns: Collection[str], sources: Sources, mpp: float | None
) -> SlideEntry:
    """Return an item with its corrections."""
    entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
    if mpp is not None:
        entry = evolve(entry, mpp=(mpp, mpp))
    if line is None:
        return entry
    kept = {name: cell for name, cell in entry.cells.items() if name not in columns}
    return line.applied_to(evolve(entry, cells={**sources.metadata, **kept}))


def _take_collisions(entries: dict[int, SlideEntry], numbers: dict[str, int]) -> Iterator[Finding]:
    """Take out each slide whose new reference is another one's, and give a fault for it.

    `numbers` has the items of the job by reference.
    """
    for number, entry in list(entries.items()):
        if numbers.setdefault(entry.reference, number) != number:
            del entries[number]
            problem = f"its reference {entry.reference!r} is that of another slide of the job"
            yield Finding(FindingKind.REFERENCE, problem, "give it another one in the manifest", entry.path)


async def _take_faulty(
    entries: dict[int, SlideEntry], requirements: Requirements, prober: Prober, series: SeriesOnce
) -> list[Finding]:
    """Read every slide, take out those with faults, and return the faults."""
    faults: list[Finding] = []

    async def check(number: int) -> None:
        if its := await faults_of(entries[number]):
            faults.extend(its)
            del entries[number]

    async def faults_of(entry: SlideEntry) -> list[Finding]:
        if (fault := entry_fault(entry)) is not None:
            return [fault]
        probed = await as_finding(prober.probe(entry.slide), entry.path)
        if isinstance(probed, Finding):
            return [probed]
        return list(requirements.faults(entry, probed.info)) or list(series.faults(entry, probed.info))

    await for_each(list(entries), check, limit=prober.workers)
    return faults
