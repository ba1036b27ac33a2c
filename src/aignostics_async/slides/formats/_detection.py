"""What a file is, decided by its first bytes. Pure, apart from `read_head`.

A suffix alone proves nothing: it only tells that somebody meant the file to be a slide, so that an unreadable
one is reported and not skipped.
"""

from __future__ import annotations

import re
import stat
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import IO, BinaryIO

from attrs import frozen

from ...errors import SlideError

_HEAD = 4096
_TAIL = 64
_LEAVE_OUT = "leave it out, or give the slide itself"

SUFFIXES = frozenset(
    {
        ".afi", ".bif", ".czi", ".dcm", ".dicom", ".mrxs", ".ndpi", ".qptiff", ".scn", ".svs", ".svslide",
        ".tif", ".tiff", ".vms", ".vmu",
    }
)  # fmt: skip
"""Suffixes of the formats that can be read."""
UNSUPPORTED_SUFFIXES = frozenset(
    {
        ".i2syntax", ".isyntax", ".kfb", ".lif", ".mds", ".mdsx", ".nd2", ".ndpis", ".oir", ".sdpc", ".szi",
        ".tmap", ".vsi", ".zvi",
    }
)  # fmt: skip
"""Suffixes of slide formats that OpenSlide can't read."""


class Format(StrEnum):
    """What a file holds."""

    DICOM = "DICOM"
    TIFF = "TIFF"
    MIRAX = "MIRAX"
    VMS = "Hamamatsu VMS"
    VMU = "Hamamatsu VMU"
    AFI = "Aperio AFI"
    CZI = "Zeiss CZI"
    SAKURA = "Sakura"
    ZIP = "ZIP"
    UNSUPPORTED = "unsupported"
    """A slide format that OpenSlide can't read."""
    OTHER = "other"
    """No slide."""

    @property
    def is_slide(self) -> bool:
        """Whether a file of this content is a slide, or the index file of one."""
        return self not in (Format.ZIP, Format.UNSUPPORTED, Format.OTHER)


@frozen
class FileContent:
    """What the first bytes of a file say."""

    format: Format
    problem: str = ""
    """Why it can't be read as a slide."""
    remedy: str = ""
    kind: str = ""
    """The SOP class of a DICOM file, where its first bytes tell."""


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file; raises SlideError for what is no regular file or can't be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
            raise SlideError("it is no file", path=str(path), remedy=_LEAVE_OUT)
        with path.open("rb", buffering=0) as file:  # a buffer is as large as the file system's blocks
            return file.read(_HEAD)
    except FileNotFoundError:
        is_link = path.is_symlink()
        what = "it is a link that leads to no file" if is_link else "there is no such file"
        remedy = "mend the link" if is_link else "is the path right, and its disk mounted?"
        raise SlideError(what, path=str(path), remedy=remedy) from None
    except PermissionError:
        raise SlideError(
            "it can't be read (Permission denied)", path=str(path), remedy="ask for the right to read it"
        ) from None
    except OSError as error:  # a name that no file can have, a disk that fails
        problem = f"it can't be read ({error.strerror})"
        raise SlideError(problem, path=str(path), remedy="are its disk and network well?") from None
    except ValueError as error:
        raise SlideError(f"it can't be read ({error})", path=str(path)) from None


def identify(path: Path) -> FileContent:
    """Return what a file is; raises what `read_head` raises. One that has not changed is not read again."""
    try:
        status = path.stat()
        return _identified(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except (OSError, ValueError):
        return identify_head(read_head(path), path.suffix.lower())  # tells what is wrong


@lru_cache(maxsize=131_072)
def _identified(path: Path, _size: int, _changed: int, _inode: int) -> FileContent:
    return identify_head(read_head(path), path.suffix.lower())


def identify_head(head: bytes, suffix: str = "") -> FileContent:
    """Return what a file with these first bytes is. The suffix decides only where bytes can't."""
    if suffix in UNSUPPORTED_SUFFIXES and head[128:132] != b"DICM":
        return _unsupported(suffix)
    return _slide(head, suffix) or _text(head) or _other(head)


def _slide(head: bytes, suffix: str) -> FileContent | None:
    """Return which format of slides a binary file has."""
    formats = {
        Format.DICOM: head[128:132] == b"DICM",
        Format.TIFF: _is_tiff(head),
        Format.MIRAX: suffix == ".mrxs" and head.startswith(b"\xff\xd8\xff"),
        Format.CZI: head.startswith(b"ZISRAWFILE"),
        Format.SAKURA: suffix == ".svslide" and head.startswith(b"SQLite format 3\0"),
    }
    found = next((name for name, fits in formats.items() if fits), None)
    return None if found is None else FileContent(found, kind=_sop_class(head))


def _sop_class(head: bytes) -> str:
    """Return the MediaStorageSOPClassUID of a DICOM file, with which its headers begin."""
    tag = head.find(b"\2\0\2\0UI", 132, 512)
    if head[128:132] != b"DICM" or tag < 0:
        return ""
    length = int.from_bytes(head[tag + 6 : tag + 8], "little")
    if len(head) < tag + 8 + length:
        return ""  # the beginning of an identifier is another one
    return head[tag + 8 : tag + 8 + length].rstrip(b"\0 ").decode("ascii", "replace")


def _is_tiff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _text(head: bytes) -> FileContent | None:
    """Return what a file of text is."""
    text = head.lstrip(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"[virtual microscope specimen]", b"[uncompressed virtual microscope specimen]")):
        return FileContent(Format.VMU if text.startswith(b"[u") else Format.VMS)
    if text.startswith(b"<") and b"<imagelist" in text:
        return FileContent(Format.AFI)
    if text.startswith(b"<") and b"dpufsimport" in text:
        return _unsupported(".isyntax")
    if text.startswith(b"version https://git-lfs"):
        problem, remedy = "it is a Git LFS pointer, not the file that it stands for", "fetch it: git lfs pull"
    elif text.startswith(b"<") and (b"<html" in text or text.startswith((b"<!doctype html", b"<head"))):
        problem = "it is a web page (HTML), as a failed download leaves behind"
        remedy = "download the slide again; does the page ask you to sign in?"
    elif _ERROR_MESSAGE.match(text):
        problem = "it is a server's message, as a failed download leaves behind"
        remedy = "download the slide again; the message is in the file"
    else:
        return None
    return FileContent(Format.OTHER, problem, remedy)


def _other(head: bytes) -> FileContent:
    if not head:
        return FileContent(Format.OTHER, "it is empty (0 bytes)", "copy it again")
    if not head.strip(b"\0"):
        return FileContent(
            Format.OTHER, "it begins with nothing but zeros", "it was not copied to its end; copy it again"
        )
    if head[:2] in (b"\2\0", b"\b\0") and head[4:6] in (b"UL", b"CS", b"DA", b"UI"):
        return FileContent(
            Format.UNSUPPORTED,
            "it is DICOM without the preamble that a DICOM file begins with",
            "export it again as a DICOM file (part 10 of the standard)",
        )
    for at, magic, name, remedy in _KNOWN:
        if head.startswith(magic, at):
            form = Format.ZIP if name == "a ZIP archive" else Format.OTHER
            return FileContent(form, f"it is {name}, not a slide", remedy)
    if not head.translate(None, _TEXT) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return FileContent(Format.OTHER, "it is text, not a slide", _LEAVE_OUT)
    return FileContent(
        Format.OTHER,
        "it is of no slide format that is known here",
        "is it complete? Copy it again, or leave it out",
    )


def _unsupported(suffix: str) -> FileContent:
    return FileContent(
        Format.UNSUPPORTED,
        f"its format ({suffix}) can't be read by OpenSlide",
        "export it from the scanner's software as DICOM or as a pyramidal TIFF",
    )


# Of an object store in XML, and of an API in JSON.
_ERROR_MESSAGE = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?<error\b|\{\s*\"(?:error|message|detail|code|status)\w*\"\s*:"
)
_TEXT = bytes(range(32, 256)) + b"\t\r\n\f\b\x1b"
_CONVERT = "give the slide that it was made from, as the scanner wrote it"
_UNPACK = "unpack it, and give what is in it"
_DECRYPT = "decrypt it, and give what is in it"
_KNOWN = (
    (0, b"\xff\xd8\xff", "a JPEG picture", _CONVERT),
    (0, b"\x89PNG", "a PNG picture", _CONVERT),
    (0, b"GIF8", "a GIF picture", _CONVERT),
    (0, b"BM", "a BMP picture", _CONVERT),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _CONVERT),
    (0, b"8BPS", "a picture of Photoshop", _CONVERT),
    (8, b"WEBP", "a WebP picture", _CONVERT),
    (4, b"ftyp", "a HEIF picture or a video", _CONVERT),
    (0, b"\x89HDF", "an HDF5 file", _CONVERT),
    (0, b"%PDF", "a PDF document", _LEAVE_OUT),
    (0, b"\xd0\xcf\x11\xe0", "a document of an office program", _LEAVE_OUT),
    (0, b"\0\x05\x16\x07", "metadata of macOS beside a file", _LEAVE_OUT),
    (0, b"L\0\0\0\x01\x14\x02\0", "a shortcut of Windows", "give the file that it leads to"),
    (0, b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", _LEAVE_OUT),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\xfd7zXZ", "an xz archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"-----BEGIN PGP", "an encrypted file", _DECRYPT),
    (0, b"Salted__", "an encrypted file", _DECRYPT),
    (0, b"SQLite format 3\0", "a database", _LEAVE_OUT),
)


def begins_with_zeros(file: BinaryIO | IO[bytes], begin: int) -> bool:
    """Whether a piece of compressed data begins with zeros, as one does that was not written."""
    file.seek(begin)
    return not file.read(_TAIL).strip(b"\0")


def ends_in_zeros(file: BinaryIO | IO[bytes], end: int, length: int) -> bool:
    """Whether a piece of compressed data ends in zeros, as one does that was not written to its end."""
    tail = min(_TAIL, length)
    file.seek(end - tail)
    return not file.read(tail).strip(b"\0")


def byte_order(head: bytes) -> str:
    """Return the byte order of a TIFF, as `struct` writes it."""
    return "<" if head[:1] == b"I" else ">"


def is_big_tiff(head: bytes) -> bool:
    """Whether a TIFF has offsets of 64 bits."""
    return head[:4] in (b"II+\0", b"MM\0+")
