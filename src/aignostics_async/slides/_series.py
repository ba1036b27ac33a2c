"""DICOM series: the files that are one slide together."""

from __future__ import annotations

from pathlib import Path

from .._errors import ConfigurationError, SlideError


def is_dicom(path: Path) -> bool:
    """Whether a file's name says that it is DICOM."""
    return path.suffix.lower() == ".dcm"


def series_uid(path: Path) -> str:
    """Return the SeriesInstanceUID of a DICOM file, or raise SlideError; reads its header only."""
    try:
        import pydicom
    except ImportError:
        raise ConfigurationError(
            "reading DICOM files needs the slides extra: pip install 'aignostics-async[slides]'"
        ) from None
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
        return str(header.SeriesInstanceUID)
    except (OSError, ValueError, AttributeError, pydicom.errors.InvalidDicomError) as error:
        raise SlideError(f"{path}: it can't be read as DICOM ({error})", path=str(path)) from None


def series_members(path: Path) -> tuple[Path, ...]:
    """Return the files beside `path` that belong to its series, itself included, sorted by name."""
    uid = series_uid(path)
    members = [path]
    for other in path.parent.iterdir():
        if other != path and is_dicom(other) and not other.name.startswith("."):
            try:
                if series_uid(other) == uid:
                    members.append(other)
            except SlideError:
                continue  # it is of no series, so not of this one
    return tuple(sorted(members))
