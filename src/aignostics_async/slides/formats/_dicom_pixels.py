"""The pixels of a DICOM file: whether all of them are there, and what is before and behind them."""

from __future__ import annotations

import io
import re
import struct
from contextlib import suppress
from functools import cached_property
from typing import IO, Any

from ._dicom_frames import find_compressed, find_pixels, frames_problem
from ._raw_tiles import TileGrid, any_ends_black, is_blank

_UNCOMPRESSED = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
_END_OF_PIXELS = b"\xfe\xff\xdd\xe0\0\0\0\0"  # the sequence delimiter behind the last fragment
_PIXEL_GROUP = 0x7FE0
_PIXEL_TAG = b"\xe0\x7f\x10\0"
_EACH_FRAME = b"\0\x52\x30\x92"  # PerFrameFunctionalGroupsSequence, which describes tiles one by one
_UNKNOWN = 0xFFFFFFFF
_TAIL = 65_536


class Pixels:
    """The pixels of an open DICOM file of `size` bytes, whose header ends at `begin`; looked for once."""

    def __init__(self, file: IO[bytes], size: int, header: Any, begin: int) -> None:
        self._file, self._size, self._header, self._begin = file, size, header, begin
        self._is_raw = _syntax(header) in _UNCOMPRESSED

    @cached_property
    def _start(self) -> int | None:
        """Where the pixels begin, or the table of tiles before them; None where they are not found."""
        if not self._is_raw:
            return find_compressed(self._file, self._begin)
        length = struct.pack("<I", _even(_raw_length(self._header)[0]))
        tag = re.compile(rb"\xe0\x7f\x10\0(?:O[BW]\0\0)?" + re.escape(length))
        return find_pixels(self._file, self._begin, tag)

    @cached_property
    def _rest(self) -> bytes | None:
        """What is behind the last compressed tile; None without a mark of their end near the file's."""
        self._file.seek(max(0, self._size - _TAIL))
        tail = self._file.read()
        at = tail.rfind(_END_OF_PIXELS)
        return None if at < 0 else tail[at + len(_END_OF_PIXELS) :]

    def problem(self) -> str:
        """Return what shows that a file ends before its pixels do; nothing if it is whole.

        Reads the ends of some tiles.
        """
        if self._is_raw:
            needed, frames = _raw_length(self._header)
            if needed > self._size:
                return f"it has {self._size:,} bytes, and its pixels alone need {needed:,}"
            length = needed // frames
            if (
                self._start is not None
                and _is_rgb(self._header)
                and is_blank(self._file, self._start + needed - length, length)
            ):
                return "its last tile is nothing but zeros"
            return ""
        if self._rest is None or not _is_trailer(self._rest):
            return "its pixels do not end as DICOM ends them"
        if self._start is None:
            return ""
        return frames_problem(self._file, self._size, self._start, _frames(self._header))

    def ends_black(self) -> bool:
        """Whether tiles that are not compressed end in zeros, as ones that were not written to their end."""
        header, start = self._header, self._start
        if start is None or not (self._is_raw and _is_rgb(header)):
            return False
        if header.get("DimensionOrganizationType") != "TILED_FULL" or header.get("ConcatenationUID"):
            return False
        needed, frames = _raw_length(header)
        grid = TileGrid(
            int(header.TotalPixelMatrixColumns),
            int(header.TotalPixelMatrixRows),
            int(header.Columns),
            int(header.Rows),
        )
        length = needed // frames
        places = [(start + number * length, length) for number in range(frames)]
        return any_ends_black(self._file, grid, places)

    def more_elements(self) -> Any:
        """Return the elements before and behind the pixels, where private ones may be, but those of tiles.

        Those that can't be read are left out.
        """
        found = _parsed(self._before(), self._header)
        found.update(_parsed(self._after(), self._header))
        return found

    def _before(self) -> bytes:
        """Return what is between the header and the pixels, without what describes tiles one by one."""
        begin, pixels = self._begin, self._start
        if pixels is None:
            return b""
        self._file.seek(begin)
        head = self._file.read(12)
        is_each_frame = head.startswith(_EACH_FRAME)
        where = slice(4, 8) if self._header.original_encoding[0] else slice(8, 12)
        length = int.from_bytes(head[where], "little")
        if is_each_frame and length != _UNKNOWN:
            begin += where.stop + length
        begin = max(begin, pixels - _TAIL)
        self._file.seek(begin)
        rest = self._file.read(max(0, pixels - begin))
        rest = rest[: rest.rfind(_PIXEL_TAG)]
        if is_each_frame and length == _UNKNOWN:
            rest = rest.rpartition(_END_OF_PIXELS)[2]
        return rest

    def _after(self) -> bytes:
        """Return what is behind the pixels."""
        if not self._is_raw:
            return self._rest or b""
        start = self._start
        self._file.seek(self._size if start is None else start + _even(_raw_length(self._header)[0]))
        return self._file.read(_TAIL)


def _parsed(content: bytes, header: Any) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.filereader import read_dataset

    with suppress(Exception):  # damaged bytes fail in many ways, and show no pixels
        return read_dataset(io.BytesIO(content), *header.original_encoding)
    return Dataset()


def _is_trailer(rest: bytes) -> bool:
    """Whether what is behind the pixels is nothing, or an element of a group behind theirs."""
    group, kind = int.from_bytes(rest[:2], "little"), rest[4:6]
    return len(rest) < 2 or (group > _PIXEL_GROUP and kind.isalpha() and kind.isupper())


def _raw_length(header: Any) -> tuple[int, int]:
    """Return the bytes of all tiles, and how many tiles."""
    bits = int(header.SamplesPerPixel) * int(header.BitsAllocated)
    return int(header.Rows) * int(header.Columns) * bits * _frames(header) // 8, _frames(header)


def _is_rgb(header: Any) -> bool:
    is_interleaved = not header.get("PlanarConfiguration")
    return is_interleaved and int(header.SamplesPerPixel) == 3 and int(header.BitsAllocated) == 8


def _syntax(header: Any) -> str:
    return str(header.file_meta.TransferSyntaxUID)


def _frames(header: Any) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _even(length: int) -> int:
    return length + length % 2
