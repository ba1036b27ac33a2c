"""The slides in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .._inputs import Slide
from ..errors import SlideError, UsageError
from ._series import is_dicom, series_uid

SUFFIXES = frozenset({".dcm", ".svs", ".tif", ".tiff"})
"""What the platform's guide names."""


def find_slides(folder: str | os.PathLike[str]) -> list[Slide]:
    """Return the slides in a folder and the folders below it, sorted by path.

    Files count by their suffix: .svs, .tif, .tiff, .dcm; what is hidden, or in a hidden folder, does not.
    The files of one DICOM series are one slide, named by the first of them. Reads the headers of DICOM
    files, blocking; whether a file can be read at all is `runs.submit`'s to tell. Raises UsageError for a
    folder that is not there or can't be read: no slide is left out in silence.
    """
    slides = []
    series: set[tuple[Path, str]] = set()
    for path in _candidates(Path(folder)):
        if is_dicom(path):
            try:
                key = path.parent, series_uid(path)
            except SlideError:
                key = path, ""  # of no series: a slide of its own, to be refused with its reason
            if key in series:
                continue
            series.add(key)
        slides.append(Slide(path))
    return slides


def visible_files(
    root: Path, refuse: Callable[[OSError], None]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give each folder with the names of its folders and files, links followed, nothing hidden, none twice.

    Who iterates may take folders out of the list, as with `os.walk`; `refuse` is told of those that can't be
    read.
    """
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        try:
            stat = Path(folder).stat()
        except OSError as error:
            subfolders.clear()
            refuse(error)
            continue
        if (stat.st_dev, stat.st_ino) in seen:  # links may lead back
            subfolders.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield folder, subfolders, sorted(name for name in names if not name.startswith("."))


def _candidates(root: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename} can't be read as a folder ({error.strerror})")

    return sorted(
        Path(folder, name)
        for folder, _, names in visible_files(root, refuse)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES
    )
