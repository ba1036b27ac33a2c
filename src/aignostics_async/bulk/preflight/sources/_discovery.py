"""The slides of a job: files that count, slides of several files once, and a reference for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import anyio.to_thread
from attrs import evolve, frozen

from ...._core._tasks import for_each
from ....slides._series import DicomHeader, is_dicom
from ....submission._preflight import is_unicode
from .._findings import Finding, FindingKind
from ..slide_probe._prober import Prober
from ._slide_entry import SlideEntry
from ._sources import Sources
from ._walk import Candidate, Walk


@frozen
class Discovery:
    """What was found: slides that can go on, a fault for each that can't, and what was not taken."""

    entries: Sequence[SlideEntry]
    faults: Sequence[Finding]
    found: int
    """How many slides there are, those with a fault of their own included."""
    left_out: Mapping[str, int]
    """Files of other slide formats, by suffix."""
    beyond_limit: int
    """Slides that the limit kept out."""


async def discover(sources: Sources, prober: Prober) -> Discovery:
    """Look for slides in a thread, and into the headers of DICOM files in the prober's processes.

    Raises what `Prober.header` raises; what is wrong with the slides is told in the outcome.
    """
    walk = Walk(sources)
    candidates = await anyio.to_thread.run_sync(lambda: list(walk.candidates()))
    series: dict[str, str] = {}

    async def read(path: str) -> None:
        header = await prober.header(path)
        if isinstance(header, DicomHeader):  # one without is told when it is read as a slide
            series[path] = header.series

    files = {each.path for each in candidates if is_dicom(Path(each.path))}
    await for_each(sorted(files), read, limit=prober.workers)
    return settle(sources, candidates, series, walk)


def settle(
    sources: Sources, candidates: Iterable[Candidate], series: Mapping[str, str], walk: Walk
) -> Discovery:
    """Return the slides that candidates are. Pure; `series` tells the series of DICOM files."""
    faults = list(walk.faults)
    slides = list(_once(candidates, series, faults))
    kept = slides[: sources.limit]
    entries = list(_entries(sources, kept, faults))
    good = list(_distinct(entries, sources, faults))
    return Discovery(good, faults, len(kept), walk.left_out, len(slides) - len(kept))


def _once(
    candidates: Iterable[Candidate], series: Mapping[str, str], faults: list[Finding]
) -> Iterator[Candidate]:
    """Give each slide once: the first file of a series, the first line of a manifest that names it."""
    first: dict[object, Candidate] = {}
    for candidate in candidates:
        path = candidate.path
        uid = series.get(path)
        ident = path if uid is None else (path.rpartition(os.sep)[0], uid)
        known = first.setdefault(ident, candidate)
        if known is candidate:
            yield candidate
        elif candidate.row is not None:
            what = "the slide" if uid is None else "the DICOM series"
            problem = f"{what} is in {known.place} already"
            faults.append(Finding(FindingKind.SOURCE, problem, "remove one of the lines", candidate.place))


def _entries(
    sources: Sources, candidates: Iterable[Candidate], faults: list[Finding]
) -> Iterator[SlideEntry]:
    every = (sources.mpp, sources.mpp) if sources.mpp is not None else None
    for candidate in candidates:
        entry = SlideEntry(
            path=candidate.path,
            reference=_reference(sources, candidate),
            mpp=every,
            cells=sources.metadata,
            line=None if candidate.row is None else candidate.row.line,
        )
        if candidate.row is not None:
            cells = {**sources.metadata, **candidate.row.cells} if candidate.row.cells else sources.metadata
            entry = evolve(entry, mpp=candidate.row.mpp or every, cells=cells)
        if is_unicode(entry.path) and is_unicode(entry.reference):
            yield entry
        else:
            problem = "its name is no valid Unicode, so no reference and no report can name it"
            faults.append(Finding(FindingKind.SOURCE, problem, "rename it", shown(entry.path)))


def _reference(sources: Sources, candidate: Candidate) -> str:
    wanted = sources.reference_from
    if candidate.row is not None and candidate.row.reference and wanted in (None, f"column:{sources.column}"):
        return candidate.row.reference
    return PurePosixPath(candidate.relative).stem if wanted == "stem" else candidate.relative


def _distinct(entries: Iterable[SlideEntry], sources: Sources, faults: list[Finding]) -> Iterator[SlideEntry]:
    """Give the entries whose reference is no other's."""
    together: dict[str, list[SlideEntry]] = {}
    for entry in entries:
        together.setdefault(entry.reference, []).append(entry)
    for reference, same in together.items():
        if len(same) == 1:
            yield same[0]
            continue
        for number, entry in enumerate(same):
            others = [each.path for each in same[:number] + same[number + 1 :]]
            named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
            problem = f"its reference {reference!r} is also that of {named}"
            faults.append(Finding(FindingKind.REFERENCE, problem, _remedy(sources), entry.path))


def _remedy(sources: Sources) -> str:
    if sources.manifest is not None:
        return "make references unique in the manifest"
    if sources.reference_from == "stem":
        return "take references from paths (relpath), or name the slides in a manifest"
    return "give the folder above them, so that their paths differ, or a manifest with references"


def shown(path: str) -> str:
    """Return a path that may be no valid Unicode as one that can be shown."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
