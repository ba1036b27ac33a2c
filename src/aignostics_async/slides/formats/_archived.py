"""Files in a zip, read at any place: where they lie, or unpacked from the nearest point that was kept.

`zipfile` begins again for each step back, and a DICOM file is read to its end, then at the ends of its tiles.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import IO, Any, BinaryIO

from attrs import frozen

_LOCAL_HEADER, _LENGTHS = 30, 26
_CHUNK = 256 * 1024
_PACKED = 64 * 1024  # a point keeps what of it was not unpacked, beside some 40 kB
_STRIDE = 16 * 1024 * 1024  # between two points


def open_archived(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """Open a file of an archive; raises what `zipfile` raises, also when it is read."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or archive.filename is None:
        return archive.open(entry)
    archive.open(entry).close()  # compares the names in both of its headers
    file = Path(archive.filename).open("rb")  # noqa: SIM115 - the raw file closes it
    file.seek(entry.header_offset + _LENGTHS)
    name, extra = struct.unpack("<HH", file.read(4))
    begin = entry.header_offset + _LOCAL_HEADER + name + extra
    kind = _Stored if entry.compress_type == zipfile.ZIP_STORED else _Deflated
    return io.BufferedReader(kind(file, begin, entry))


class _Stored(io.RawIOBase):
    """A file that is merely stored in an archive."""

    def __init__(self, file: BinaryIO, begin: int, entry: zipfile.ZipInfo) -> None:
        self._file, self._begin, self._entry, self._at = file, begin, entry, 0
        self.name = file.name  # pydicom asks for it

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position, from the begin, the position or the end."""
        self._at = max(0, offset + (0, self._at, self._entry.file_size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return how many bytes."""
        content = self._read(min(len(buffer), max(0, self._entry.file_size - self._at)))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _read(self, count: int) -> bytes:
        """Return at most `count` bytes from the position on."""
        self._file.seek(self._begin + self._at)
        return self._file.read(count)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@frozen
class _Point:
    """Where unpacking may go on: the place in the file, the bytes of the archive before it, and the state."""

    at: int
    packed: int
    state: Any


class _Deflated(_Stored):
    """A file that is deflated in an archive. Whoever reads its last byte learns of a wrong checksum."""

    def __init__(self, file: BinaryIO, begin: int, entry: zipfile.ZipInfo) -> None:
        super().__init__(file, begin, entry)
        self._points = [_Point(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))]
        self._checked = self._crc = 0
        self._chunk_at, self._chunk = 0, b""
        self._resume(self._points[0])

    def _read(self, count: int) -> bytes:
        if count == 0:
            return b""
        nearest = self._points[bisect_right(self._points, self._at, key=lambda point: point.at) - 1]
        if not self._chunk_at <= self._at or nearest.at > self._chunk_at + len(self._chunk):
            self._resume(nearest)
        while self._at >= self._chunk_at + len(self._chunk):
            self._unpack()
        begin = self._at - self._chunk_at
        return self._chunk[begin : begin + count]

    def _resume(self, point: _Point) -> None:
        self._packed, self._state = point.packed, point.state.copy()
        self._chunk_at, self._chunk = point.at, b""

    def _unpack(self) -> None:
        """Unpack the next piece, check it, and keep the point behind it."""
        self._chunk_at += len(self._chunk)
        self._chunk = b""
        while not self._chunk:
            given = self._state.unconsumed_tail
            if not given:
                self._file.seek(self._begin + self._packed)
                given = self._file.read(min(_PACKED, self._entry.compress_size - self._packed))
                self._packed += len(given)
            self._chunk = self._state.decompress(given, _CHUNK)
            if not self._chunk and (self._state.eof or not given):
                raise EOFError(f"{self._entry.filename} ends too early")
        end = self._chunk_at + len(self._chunk)
        if self._chunk_at == self._checked:
            self._check(end)
        if end >= self._points[-1].at + _STRIDE and not self._state.eof:
            self._points.append(_Point(end, self._packed, self._state.copy()))

    def _check(self, end: int) -> None:
        self._crc = zlib.crc32(self._chunk, self._crc)
        self._checked = end
        size = self._entry.file_size
        if end > size or (end == size and self._crc != self._entry.CRC):
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._entry.filename!r}")
