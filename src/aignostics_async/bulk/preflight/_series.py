"""DICOM series of a job: one is in several places as files and in zips, and is billed for each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ._findings import Finding, FindingKind

if TYPE_CHECKING:
    from ...slides import SlideInfo
    from .sources._slide_entry import SlideEntry


class SeriesOnce:
    """Finds slides of a DICOM series that another item of the job has, by its SeriesInstanceUID.

    `known` has the references of items by their series; it is added to.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._references = dict(known)

    def faults(self, entry: SlideEntry, info: SlideInfo) -> Iterator[Finding]:
        """Yield a fault for a slide whose series is another item's; else it is its own from now on."""
        reference = entry.reference
        known = reference if info.series is None else self._references.setdefault(info.series, reference)
        if known != reference:
            problem = f"it is of the same DICOM series as item {known!r}, and would be billed twice"
            yield Finding(FindingKind.COST, problem, "give one item for all files of a series", entry.path)
