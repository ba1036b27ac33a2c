"""Which DICOM files are one slide, in whatever folders and under whatever names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from attrs import Factory, frozen

from ...errors import NotASlide, SlideError
from .._fingerprints import sampled_digest
from ..formats._dicom import DicomHeader, may_be_dicom, read_header
from ._neighbours import read_beside, visible_entries


@frozen
class DicomGroups:
    """DICOM files by the slide that they belong to."""

    series: Mapping[str, tuple[str, ...]]
    """The files of each slide, sorted, by its SeriesInstanceUID.

    A damaged file is among those of the only series in its folder: it may be a part of it.
    """
    alone: tuple[str, ...] = ()
    """Damaged files that may belong to any of several series, or to none."""
    first: Mapping[str, str] = Factory(dict)
    """The file that stands for each slide: of its full resolution, so that more files change nothing."""
    copies: Mapping[str, str] = Factory(dict)
    """Files that are byte for byte another one of their series, with that one."""


def group_series(headers: Mapping[str, DicomHeader], damaged: Collection[str] = ()) -> DicomGroups:
    """Return DICOM files by slide; `damaged` can't be read. Costs samples of the bytes of possible copies."""
    series: defaultdict[str, list[str]] = defaultdict(list)
    copies: dict[str, str] = {}
    instances: dict[tuple[str, str], str] = {}
    for path in sorted(headers):
        header = headers[path]
        first = instances.setdefault((header.series, header.instance), path)
        if first != path and _is_copy(first, path):
            copies[path] = first
        else:
            series[header.series].append(path)
    in_folder: defaultdict[str, set[str]] = defaultdict(set)
    for path, header in headers.items():
        in_folder[os.path.dirname(path)].add(header.series)
    alone = []
    for path in sorted(damaged):
        beside = in_folder[os.path.dirname(path)]
        if len(beside) == 1:
            series[next(iter(beside))].append(path)
        else:
            alone.append(path)
    whole = {uid: tuple(sorted(its)) for uid, its in series.items()}
    standing = {uid: min(its, key=lambda path: _rank(headers.get(path), path)) for uid, its in whole.items()}
    return DicomGroups(whole, tuple(alone), standing, copies)


def _rank(header: DicomHeader | None, path: str) -> tuple[bool, int, str, str]:
    """Return the order of the files of a slide: its full resolution first; damaged ones last."""
    if header is None:
        return True, 0, "", path
    return *header.rank, path


def series_beside(path: Path) -> tuple[Path, ...]:
    """Return the files of a file's DICOM series in its folder and those beside it, itself included, sorted.

    Reads the headers of all DICOM files in its folder. Raises SlideError where that of `path` can't be read.
    """
    own = read_header(path)
    uid = own.series
    headers, damaged = folder_headers(path.parent)
    headers[str(path)] = own  # also in a folder that can't be listed
    headers |= read_beside({path: header for path, header in headers.items() if header.series == uid})
    return tuple(map(Path, group_series(headers, damaged).series[uid]))


def folder_headers(folder: Path) -> tuple[dict[str, DicomHeader], set[str]]:
    """Return the headers of the DICOM files in a folder, and the files that may be one and are damaged."""
    headers: dict[str, DicomHeader] = {}
    damaged = set[str]()
    for path in visible_entries(folder):
        try:
            if may_be_dicom(path):
                headers[str(path)] = read_header(path)
        except NotASlide:
            continue
        except SlideError:
            if os.path.isfile(path):
                damaged.add(str(path))
    return headers, damaged


def _is_copy(first: str, path: str) -> bool:
    try:
        return sampled_digest(Path(first)) == sampled_digest(Path(path))
    except OSError:
        return False
