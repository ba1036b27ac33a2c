"""The slides in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from .._errors import SlideError, UsageError
from ..models import Slide
from ._series import is_dicom, series_uid

_SUFFIXES = frozenset({".dcm", ".svs", ".tif", ".tiff"})


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


def _candidates(root: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename} can't be read as a folder ({error.strerror})")

    found = []
    seen: set[Path] = set()
    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        if (real := Path(folder).resolve()) in seen:  # links may lead back
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in _SUFFIXES)
