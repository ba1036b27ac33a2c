"""DICOM series: the files that are one slide together."""

from __future__ import annotations

from pathlib import Path

from .._errors import SlideError
from ._open import open_slide


def series_uid(path: Path) -> str:
    """Return the SeriesInstanceUID of a DICOM file, or raise SlideError."""
    with open_slide(path) as image:
        return str(image.properties.get("dicom.SeriesInstanceUID", ""))


def series_members(path: Path, uid: str) -> tuple[Path, ...]:
    """Return the files beside `path` that belong to its series, itself included, sorted by name."""
    members = [path]
    for other in sorted(path.parent.glob("*.dcm")):
        if other == path:
            continue
        try:
            if series_uid(other) == uid:
                members.append(other)
        except SlideError:
            continue  # it is of no series, so not of this one
    return tuple(sorted(members))
