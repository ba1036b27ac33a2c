"""The slides of a job: files that count, slides of several files once, and a reference for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import anyio.to_thread
from attrs import Factory, evolve, frozen

from ...._core._display_text import some_of
from ...._core._tasks import for_each
from ....errors import NotASlide, SlideError
from ....slides import LeftOut, LeftOutReason
from ....slides._search import duplicates
from ....slides.files._grouping import DicomGroups, group_series
from ....slides.files._neighbours import files_beside, parts_beside, visible_entries
from ....slides.formats._dicom import DicomHeader, may_be_dicom, may_be_slide, read_header
from ....slides.workers._prober import Prober
from ....submission._preflight import MAX_REFERENCE, is_unicode
from ....submission._pseudonyms import PseudonymMap
from .._findings import Finding, FindingKind
from ._manifest import Manifest
from ._slide_entry import SlideEntry
from ._sources import Sources
from ._walk import Candidate, Walk


@frozen
class Discovery:
    """What was found: slides that can go on, a fault for each that can't, and what was not taken."""

    entries: Sequence[SlideEntry]
    faults: Sequence[Finding]
    """Of lines, files and folders that are no entry; each names its own."""
    found: int
    """How many slides there are, those with a fault of their own included."""
    left_out: Sequence[LeftOut]
    """Files that were seen in folders and not taken, each with the reason."""
    beyond_limit: int
    """Slides that the limit kept out."""

    @property
    def rejected(self) -> Iterator[tuple[SlideEntry, Sequence[Finding]]]:
        """Every line, file and folder that could not become an entry, with its faults."""
        references = {entry.reference for entry in self.entries}
        faults: dict[str, list[Finding]] = {}
        for fault in self.faults:
            if fault.slide is not None:
                faults.setdefault(fault.slide, []).append(fault)
        for place, its in faults.items():
            reference = place
            while reference in references:
                reference += " (rejected)"
            references.add(reference)
            yield SlideEntry(path=place, reference=reference, is_rejected=True), its


@frozen
class DicomFiles:
    """What the DICOM files among the candidates say."""

    groups: DicomGroups = Factory(lambda: DicomGroups({}))
    series: dict[str, str] = Factory(dict)
    """The SeriesInstanceUID of each."""
    others: dict[str, str] = Factory(dict)
    """Files that are DICOM and no slide, with what they are."""


async def discover(sources: Sources, prober: Prober) -> Discovery:
    """Return the slides of a job, with their references; raises what `search` and `with_pseudonyms` raise."""
    found = await search(sources, prober)
    if sources.reference_from == "pseudonyms":
        return evolve(found, entries=await anyio.to_thread.run_sync(with_pseudonyms, found.entries))
    return found


async def search(sources: Sources, prober: Prober, manifest: Manifest | None = None) -> Discovery:
    """Look for slides in a thread, and into the headers of DICOM files in the prober's processes.

    `manifest` has lines in place of those of the file; None, the default, for these. Pseudonyms are still
    what they will stand for. Raises what `Prober.header` raises; what is wrong with the slides is told in the
    outcome.
    """
    walk = Walk(sources, manifest)
    candidates = await anyio.to_thread.run_sync(lambda: list(walk.candidates()))
    paths, damaged, others = await anyio.to_thread.run_sync(_dicom_paths, candidates)
    headers: dict[str, DicomHeader] = {}

    async def read(path: str) -> None:
        try:
            headers[path] = await prober.header(path)
        except NotASlide as error:
            others[path] = error.problem
        except SlideError:
            damaged.add(path)

    await for_each(paths, read, limit=prober.workers)
    headers |= await _beside(headers, prober)
    groups = await anyio.to_thread.run_sync(group_series, headers, damaged)
    series = {path: header.series for path, header in headers.items()}
    series |= {path: uid for uid, files in groups.series.items() for path in files}
    return settle(sources, candidates, DicomFiles(groups, series, others), walk)


async def _beside(headers: Mapping[str, DicomHeader], prober: Prober) -> dict[str, DicomHeader]:
    """Return the headers of other files of their series, in the folders beside theirs."""
    beside: dict[str, DicomHeader] = {}

    async def read(path: str) -> None:
        with suppress(SlideError):  # only its beginning could be read
            beside[path] = await prober.header(path)

    await for_each(await anyio.to_thread.run_sync(files_beside, headers), read, limit=prober.workers)
    return parts_beside(headers, beside)


def _dicom_paths(candidates: Iterable[Candidate]) -> tuple[list[str], set[str], dict[str, str]]:
    """Return files that may be slides in DICOM, those that should be and are not, and what is other DICOM.

    They are the candidates, and what is in the folder of one that was named, as it may be of the same slide.
    """
    paths, damaged, others = list[str](), set[str](), dict[str, str]()
    for path in sorted(_with_folders(candidates)):
        try:
            if may_be_slide(Path(path)):
                paths.append(path)
            elif may_be_dicom(Path(path)):
                read_header(Path(path))  # its first bytes, which are known, tell what it is
        except NotASlide as error:
            others[path] = error.problem
        except SlideError:
            if path.lower().endswith((".dcm", ".dicom")) and os.path.isfile(path):  # noqa: PTH113 - raises nothing
                damaged.add(path)
    return paths, damaged, others


def _with_folders(candidates: Iterable[Candidate]) -> set[str]:
    listed = list(candidates)
    named = {Path(each.path).parent for each in listed if not each.is_searched and _is_dicom(each.path)}
    inside = {str(path) for folder in named for path in visible_entries(folder)}
    return {each.path for each in listed} | inside


def _is_dicom(path: str) -> bool:
    try:
        return may_be_dicom(Path(path))
    except SlideError:
        return False


def settle(sources: Sources, candidates: Iterable[Candidate], dicom: DicomFiles, walk: Walk) -> Discovery:
    """Return the slides that candidates are. Pure."""
    faults = list(walk.faults)
    left_out = [*walk.left_out, *duplicates(dicom.groups.copies)]
    slides = []
    for candidate in _once(candidates, dicom, faults):
        if candidate.is_searched and candidate.path in dicom.others:
            left_out.append(LeftOut(candidate.path, LeftOutReason.FORMAT, dicom.others[candidate.path]))
        else:
            slides.append(candidate)
    kept = slides[: sources.limit]
    entries = list(_entries(sources, kept, dicom, faults))
    good = list(_distinct(entries, sources, faults))
    return Discovery(good, faults, len(kept), left_out, len(slides) - len(kept))


def _once(candidates: Iterable[Candidate], dicom: DicomFiles, faults: list[Finding]) -> Iterator[Candidate]:
    """Give each slide once: the first file of a series, the first line of a manifest that names it."""
    first: dict[object, Candidate] = {}
    listed = list(candidates)
    # What a manifest says is said of the slides of its own line.
    by_path = {(candidate.row and candidate.place, candidate.path): candidate for candidate in listed}
    for candidate in listed:
        path = candidate.path
        uid = dicom.series.get(path)
        known = first.setdefault(path if uid is None else ("series", uid), candidate)
        if known is candidate:
            standing = path if uid is None else dicom.groups.first.get(uid, path)
            yield by_path.get((candidate.row and candidate.place, standing), candidate)
        elif candidate.row is not None and candidate.place != known.place:
            what = "the slide" if uid is None else "the DICOM series"
            problem = f"{what} is in {known.place} already"
            faults.append(Finding(FindingKind.SOURCE, problem, "remove one of the lines", candidate.place))


def _files(candidate: Candidate, dicom: DicomFiles) -> tuple[str, ...]:
    """Return the files of its DICOM series."""
    uid = dicom.series.get(candidate.path)
    return () if uid is None else dicom.groups.series.get(uid, ())


def _entries(
    sources: Sources, candidates: Iterable[Candidate], dicom: DicomFiles, faults: list[Finding]
) -> Iterator[SlideEntry]:
    for candidate in candidates:
        entry = _entry(sources, candidate, _files(candidate, dicom))
        if (fault := entry_fault(entry)) is None:
            yield entry
        else:
            faults.append(fault)


def entry_fault(entry: SlideEntry) -> Finding | None:
    """Return why an entry can't go on whatever its file says; None for one that may."""
    if not is_unicode(entry.path) or not is_unicode(entry.reference):
        problem = "its name is no valid Unicode, so no reference and no report can name it"
        return Finding(FindingKind.SOURCE, problem, "rename it", shown(entry.path))
    if not entry.reference:
        problem = "its line has nothing in the column which references come from"
        return Finding(FindingKind.REFERENCE, problem, "fill the cell", entry.path)
    if len(entry.reference) > MAX_REFERENCE:
        problem = f"its reference has {len(entry.reference)} characters, {MAX_REFERENCE} are the limit"
        remedy = "take references from file names (stem), or from a column of a manifest"
        return Finding(FindingKind.REFERENCE, problem, remedy, entry.path)
    if entry.mpp is None and entry.mpp_source == "given":
        problem = "its mpp_source is 'given', and it has no mpp"
        return Finding(FindingKind.SOURCE, problem, "fill the cell mpp", entry.path)
    return None


def _entry(sources: Sources, candidate: Candidate, files: tuple[str, ...]) -> SlideEntry:
    entry = SlideEntry(
        path=candidate.path,
        reference=_reference(sources, candidate),
        mpp=(sources.mpp, sources.mpp) if sources.mpp is not None else None,
        files=files,
        include_label=sources.include_label,
        is_pseudonym=sources.reference_from == "pseudonyms",
        cells=sources.metadata,
    )
    row = candidate.row
    return entry if row is None else evolve(row.applied_to(entry), line=row.line)


def _reference(sources: Sources, candidate: Candidate) -> str:
    """Return the reference; empty if the column for it is. That of a pseudonym is what it stands for."""
    row, wanted = candidate.row, sources.reference_from
    if row is not None and (sources.column or (wanted is None and row.reference)):
        return row.reference
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
            problem = f"its reference {reference!r} is also that of {some_of(others)}"
            faults.append(Finding(FindingKind.REFERENCE, problem, _remedy(sources), entry.path))


def with_pseudonyms(entries: Sequence[SlideEntry]) -> Sequence[SlideEntry]:
    """Return entries with references that tell nothing; raises what `PseudonymMap.assign` raises."""
    assigned = PseudonymMap().assign((entry.reference, entry.path) for entry in entries)
    return [evolve(entry, reference=assigned[entry.reference, entry.path]) for entry in entries]


def _remedy(sources: Sources) -> str:
    if sources.reference_from == "stem":
        return "take references from paths (relpath), or from a column of a manifest"
    if sources.manifest is not None:
        return "make references unique in the manifest"
    return "give the folder above them, so that their paths differ, or a manifest with references"


def shown(path: str) -> str:
    """Return a path that may be no valid Unicode as one that can be shown."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
