"""A zip of one DICOM series, as the platform takes it: read by its headers, without unpacking it.

An archive comes from elsewhere: what it says of sizes and names is not trusted.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from attrs import frozen

from ..._core._portable import free_space
from ...errors import AignosticsError, NotASlide, SlideError
from ..privacy._texts_within import texts_within
from ._archived import open_archived
from ._detection import SUFFIXES, UNSUPPORTED_SUFFIXES, FileContent, Format
from ._dicom import DicomHeader, check_headers, header_of

_COPY_AGAIN = "it was not copied or written to its end; copy it again"
_PACK_AGAIN = "pack the files of one series alone, without folders of other machines, links or a password"
_PACK_PLAINLY = "pack it again without compression, or with the usual one (deflate)"
_UNPACK = "unpack it, and give what is in it"
_MAX_ENTRIES = 10_000
_MAX_FIRST = 32  # files that are looked into: programs put notes and their own files before a series
_MAX_BYTES = 2**40
_MAX_RATIO = 200  # pixels are compressed already
_SLIDES = SUFFIXES | UNSUPPORTED_SUFFIXES | {".zip"}
_ENCRYPTED = 0x1
_LINK = 0o120000


@frozen
class ZippedSeries:
    """A DICOM series in a zip."""

    headers: tuple[DicomHeader, ...]
    """Those of its files."""
    names: frozenset[str]
    """What files and folders in it are called, each by itself."""
    texts: frozenset[str]
    """What is written about the archive and about each file and folder in it."""


def read_zipped(path: Path) -> ZippedSeries:
    """Return the DICOM series that is in a zip.

    Raises SlideError where it is no zip of one whole series, is encrypted, has links or paths that lead out
    of it, a compressed file with a wrong checksum, or would unpack to more than its size explains.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(path, archive)
            headers = tuple(_header(archive, entry) for entry in entries)
            texts = frozenset(_texts(archive))
            all_names = archive.namelist()
    except AignosticsError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged archives fail in many ways, by their compression
        raise SlideError(
            f"its archive can't be read ({_reason(error)})",
            path=str(path),
            remedy=_PACK_PLAINLY if isinstance(error, NotImplementedError) else _COPY_AGAIN,
        ) from None
    if len({header.series for header in headers}) != 1:
        raise NotASlide(
            "it is a ZIP archive, and not of one DICOM series",
            path=str(path),
            remedy=_UNPACK,
        )
    _check_twice(path, entries, headers)
    names = [entry.filename for entry in entries]
    check_headers(path, names, headers)
    parts = frozenset(part for name in all_names for part in PurePosixPath(name).parts)
    return ZippedSeries(headers, parts, texts)


def _texts(archive: zipfile.ZipFile) -> Iterator[str]:
    """Give what is written in comments, and in what programs add to the name of a file."""
    yield from texts_within(archive.comment)
    for entry in archive.infolist():
        yield from texts_within(entry.comment)
        yield from texts_within(entry.extra)


def _reason(error: Exception) -> object:
    """Return why an archive can't be read; bzip2 raises OSError without a reason of the system."""
    return getattr(error, "strerror", None) or error


def not_a_series(path: Path, content: FileContent) -> FileContent | None:
    """Return why a zip is not taken as a slide; None for one with a DICOM file among its first files.

    `content` is what its first bytes say. One that may hold slides is told as such.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if any(_is_dicom(archive, each) for each in entries[:_MAX_FIRST]):
                return None
    except Exception:  # noqa: BLE001 - as above
        return FileContent(Format.UNSUPPORTED, "it is a ZIP archive that can't be read", _COPY_AGAIN)
    names = [each.filename for each in entries if PurePosixPath(each.filename).suffix.lower() in _SLIDES]
    if not names:
        return content
    return FileContent(Format.UNSUPPORTED, f"it is a ZIP archive with {names[0]} in it", _UNPACK)


def _is_dicom(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if entry.flag_bits & _ENCRYPTED:
        return PurePosixPath(entry.filename).suffix.lower() in (".dcm", ".dicom")
    with archive.open(entry) as file:
        return file.read(132)[128:] == b"DICM"


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[Path, ...]]:
    """Give the files of a zip that `read_zipped` has read, unpacked into a folder that is removed.

    Raises SlideError where a checksum is wrong or there is no room.
    """
    with tempfile.TemporaryDirectory(prefix="aignostics-async-") as folder, zipfile.ZipFile(path) as archive:
        entries = _entries(path, archive)
        needed, free = sum(entry.file_size for entry in entries), free_space(Path(folder))
        if free is not None and needed > free:
            raise SlideError(
                f"it takes {needed:,} bytes to unpack it, and {tempfile.gettempdir()} has {free:,}",
                path=str(path),
                remedy="make room, or set TMPDIR",
            )
        files = [Path(folder, f"{number:05d}.dcm") for number in range(len(entries))]
        try:
            for entry, file in zip(entries, files, strict=True):
                with archive.open(entry) as source, file.open("wb") as target:
                    shutil.copyfileobj(source, target, 1024 * 1024)
        except Exception as error:  # noqa: BLE001 - as above
            raise SlideError(
                f"its archive can't be unpacked ({_reason(error)})", path=str(path), remedy=_COPY_AGAIN
            ) from None
        yield tuple(files)


def _entries(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive; raises SlideError for one that no program should unpack."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    problem = ""
    if len(entries) > _MAX_ENTRIES:
        problem = f"its archive holds {len(entries):,} files; {_MAX_ENTRIES:,} are the limit"
    for entry in entries:
        problem = problem or _entry_problem(entry)
    names = [entry.filename.casefold() for entry in entries]
    if not problem and len(set(names)) < len(names):
        problem = "its archive holds two files of the same name"
    unpacked_size = sum(entry.file_size for entry in entries)
    if not problem and unpacked_size > min(_MAX_BYTES, _MAX_RATIO * max(path.stat().st_size, 2**16)):
        problem = f"its archive would unpack to {unpacked_size:,} bytes, which no slide does"
    if problem:
        raise SlideError(problem, path=str(path), remedy=_PACK_AGAIN)
    return entries


def _entry_problem(entry: zipfile.ZipInfo) -> str:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    if entry.flag_bits & _ENCRYPTED:
        return "its archive is encrypted"
    if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
        return f"its archive holds a path that leads out of it ({entry.filename})"
    if (entry.external_attr >> 16) & 0o170000 == _LINK:
        return f"its archive holds a link ({entry.filename})"
    return ""


def _check_twice(path: Path, entries: list[zipfile.ZipInfo], headers: tuple[DicomHeader, ...]) -> None:
    """Raise SlideError for two files that are one instance of the series."""
    seen: dict[str, str] = {}
    for entry, header in zip(entries, headers, strict=True):
        first = seen.setdefault(header.instance, entry.filename)
        if first != entry.filename:
            raise SlideError(
                f"{entry.filename} in its archive is the same instance of its series as {first}",
                path=str(path),
                remedy="pack each file once",
            )


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> DicomHeader:
    path = f"{archive.filename}/{entry.filename}"
    with open_archived(archive, entry) as file:
        if file.read(132)[128:] != b"DICM":
            raise NotASlide(
                f"it is a ZIP archive with {entry.filename}, which is no DICOM file",
                path=str(archive.filename),
                remedy="pack the files of one series alone",
            )
        file.seek(0)
        header = header_of(file, entry.file_size, path)
        if entry.compress_type != zipfile.ZIP_STORED:
            file.seek(
                -1, os.SEEK_END
            )  # a header need not lead there, and only the end tells a wrong checksum
            file.read(1)
        return header
