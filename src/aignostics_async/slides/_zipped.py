"""A zip of one DICOM series, as the platform takes it: read by its headers, without unpacking it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ..errors import NotASlide, SlideError
from ._dicom import DicomHeader, check_headers, header_of

_COPY_AGAIN = "it was not copied or written to its end; copy it again"


def read_zipped(path: Path) -> tuple[DicomHeader, ...]:
    """Return the headers of the DICOM files in a zip.

    Raises SlideError where it is no zip of one whole series.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            headers = tuple(_header(archive, name) for name in names)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise SlideError(f"its archive can't be read ({error})", path=str(path), remedy=_COPY_AGAIN) from None
    if len({header.series for header in headers}) != 1:
        raise NotASlide(
            "it is a ZIP archive, and not of one DICOM series",
            path=str(path),
            remedy="unpack it, and give what is in it",
        )
    check_headers(path, names, headers)
    return headers


def is_zipped_series(path: Path) -> bool:
    """Whether a zip begins with a DICOM file; False for what can't be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            entry = next(each for each in archive.infolist() if not each.is_dir())
            with archive.open(entry) as file:
                return file.read(132)[128:] == b"DICM"
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, StopIteration):
        return False


def _header(archive: zipfile.ZipFile, name: str) -> DicomHeader:
    path = f"{archive.filename}/{name}"
    with archive.open(name) as file:
        if file.read(132)[128:] != b"DICM":
            raise NotASlide(
                "it is in a ZIP archive, and no DICOM file",
                path=path,
                remedy="pack the files of one series alone",
            )
        file.seek(0)
        return header_of(file, archive.getinfo(name).file_size, path)
