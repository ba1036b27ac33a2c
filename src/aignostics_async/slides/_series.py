"""DICOM series: the files that are one slide together, and what their headers say."""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path

from attrs import frozen

from ..errors import MissingExtra, SlideError

_PATIENT = ("PatientName", "PatientID", "PatientBirthDate")
_TAGS = ("ImageType", *_PATIENT, "PatientIdentityRemoved", "SeriesInstanceUID")


@frozen
class DicomHeader:
    """What the header of a DICOM file says."""

    series: str
    flavour: str
    """The kind of picture in the file: VOLUME, LABEL, OVERVIEW or THUMBNAIL."""
    names_patient: bool
    """Whether it says who the patient is, and not that this was removed."""


def is_dicom(path: Path) -> bool:
    """Whether a file's name says that it is DICOM."""
    return path.suffix.lower() == ".dcm"


def read_header(path: Path) -> DicomHeader:
    """Return the header of a DICOM file, or raise SlideError; no pixels are read."""
    try:
        told = path.stat()
    except OSError as error:
        raise SlideError(f"it can't be read ({error.strerror})", path=str(path)) from None
    if not stat.S_ISREG(told.st_mode):  # a pipe would be waited for
        raise SlideError("it is no file", path=str(path))
    return _header(path, told.st_size, told.st_mtime_ns)


def series_uid(path: Path) -> str:
    """Return the SeriesInstanceUID of a DICOM file, or raise SlideError; reads its header only."""
    return read_header(path).series


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


# Each slide of a folder asks for the headers of all files in it. A file that changes is read anew.
@lru_cache(maxsize=65_536)
def _header(path: Path, _size: int, _changed: int) -> DicomHeader:
    try:
        import pydicom
        from pydicom.filereader import read_partial
    except ImportError:
        raise MissingExtra("reading DICOM files", extra="slides") from None
    # Frames of a big slide may be described by thousands of elements, all of them after this one.
    last = pydicom.tag.Tag("SeriesInstanceUID")
    try:
        with path.open("rb") as file:
            header = read_partial(
                file,
                stop_when=lambda tag, _vr, _length: tag > last,
                specific_tags=[pydicom.tag.Tag(name) for name in _TAGS],
            )
        flavour = str((list(header.get("ImageType") or ()) + [""] * 3)[2])
        is_removed = str(header.get("PatientIdentityRemoved", "")).upper() == "YES"
        names_patient = not is_removed and any(str(header.get(name) or "").strip() for name in _PATIENT)
        return DicomHeader(str(header.SeriesInstanceUID), flavour, names_patient)
    except Exception as error:  # noqa: BLE001 - bytes that are no DICOM fail in many ways
        raise SlideError(f"it can't be read as DICOM ({error})", path=str(path)) from None
