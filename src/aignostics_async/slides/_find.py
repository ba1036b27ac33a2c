"""The slides in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import SlideError, UsageError
from ..models import Slide
from ._series import series_uid

if TYPE_CHECKING:
    import os

_SUFFIXES = frozenset({".dcm", ".svs", ".tif", ".tiff"})


def find_slides(folder: str | os.PathLike[str]) -> list[Slide]:
    """Return the slides in a folder and the folders below it, sorted by path.

    Files count by their suffix: .svs, .tif, .tiff, .dcm; hidden ones don't. The files of one DICOM series
    are one slide, named by the first of them. Reads the headers of DICOM files, blocking; whether a file
    can be read at all is `runs.submit`'s to tell. Raises UsageError if there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"{root} is no folder")
    slides = []
    series: set[tuple[Path, str]] = set()
    for path in sorted(root.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES or path.name.startswith(".") or not path.is_file():
            continue
        if suffix == ".dcm":
            try:
                key = path.parent, series_uid(path)
            except SlideError:
                key = path, ""  # of no series: a slide of its own, to be refused with its reason
            if key in series:
                continue
            series.add(key)
        slides.append(Slide(path))
    return slides
