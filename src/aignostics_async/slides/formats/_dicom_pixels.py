"""The pixels of a DICOM file: whether all of them are there, and what is behind them."""

from __future__ import annotations

import io
import re
import struct
from contextlib import suppress
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


def pixels_problem(file: IO[bytes], size: int, header: Any, begin: int) -> str:
    """Return what shows that a file ends before its pixels do; nothing if it is whole.

    `begin` is where the header ends. Reads the ends of some tiles.
    """
    if _is_raw(header):
        needed, frames = _raw_length(header)
        if needed > size:
            return f"it has {size:,} bytes, and its pixels alone need {needed:,}"
        start = _find_raw(file, header, begin)
        length = needed // frames
        if start is not None and _is_rgb(header) and is_blank(file, start + needed - length, length):
            return "its last tile is nothing but zeros"
        return ""
    rest = _behind(file, size)
    if rest is None or not _is_trailer(rest):
        return "its pixels do not end as DICOM ends them"
    return frames_problem(file, size, begin, _frames(header))


def ends_black(file: IO[bytes], header: Any, begin: int) -> bool:
    """Whether tiles that are not compressed end in zeros, as those do that were not written to their end."""
    is_placed = header.get("DimensionOrganizationType") == "TILED_FULL" and not header.get("ConcatenationUID")
    start = _find_raw(file, header, begin) if _is_raw(header) and _is_rgb(header) and is_placed else None
    if start is None:
        return False
    needed, frames = _raw_length(header)
    grid = TileGrid(
        int(header.TotalPixelMatrixColumns),
        int(header.TotalPixelMatrixRows),
        int(header.Columns),
        int(header.Rows),
    )
    length = needed // frames
    return any_ends_black(file, grid, [(start + number * length, length) for number in range(frames)])


def more_elements(file: IO[bytes], size: int, header: Any, begin: int) -> Any:
    """Return the elements before and behind the pixels, where private ones may be, but those of tiles.

    None where they can't be read.
    """
    found = _parsed(_before(file, header, begin), header)
    found.update(_parsed(_after(file, size, header, begin), header))
    return found


def _parsed(content: bytes, header: Any) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.filereader import read_dataset

    with suppress(Exception):  # damaged bytes fail in many ways, and show no pixels
        return read_dataset(io.BytesIO(content), *header.original_encoding)
    return Dataset()


def _before(file: IO[bytes], header: Any, begin: int) -> bytes:
    """Return what is between the header and the pixels, without what describes tiles one by one."""
    pixels = _find_raw(file, header, begin) if _is_raw(header) else find_compressed(file, begin)
    if pixels is None:
        return b""
    file.seek(begin)
    head = file.read(12)
    is_each_frame = head.startswith(_EACH_FRAME)
    where = slice(4, 8) if header.original_encoding[0] else slice(8, 12)
    length = int.from_bytes(head[where], "little")
    if is_each_frame and length != _UNKNOWN:
        begin += where.stop + length
    begin = max(begin, pixels - _TAIL)
    file.seek(begin)
    rest = file.read(max(0, pixels - begin))
    rest = rest[: rest.rfind(_PIXEL_TAG)]
    if is_each_frame and length == _UNKNOWN:
        rest = rest.rpartition(_END_OF_PIXELS)[2]
    return rest


def _after(file: IO[bytes], size: int, header: Any, begin: int) -> bytes:
    """Return what is behind the pixels."""
    if _is_raw(header):
        start = _find_raw(file, header, begin)
        end = size if start is None else start + _even(_raw_length(header)[0])
        file.seek(end)
        return file.read(_TAIL)
    return _behind(file, size) or b""


def _behind(file: IO[bytes], size: int) -> bytes | None:
    """Return what is behind the last tile; None where no mark of the end is near the end of the file."""
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    at = tail.rfind(_END_OF_PIXELS)
    return None if at < 0 else tail[at + len(_END_OF_PIXELS) :]


def _is_trailer(rest: bytes) -> bool:
    """Whether what is behind the pixels is nothing, or an element of a group behind theirs."""
    group, kind = int.from_bytes(rest[:2], "little"), rest[4:6]
    return len(rest) < 2 or (group > _PIXEL_GROUP and kind.isalpha() and kind.isupper())


def _find_raw(file: IO[bytes], header: Any, begin: int) -> int | None:
    """Return where pixels begin that are not compressed."""
    length = struct.pack("<I", _even(_raw_length(header)[0]))
    return find_pixels(file, begin, re.compile(rb"\xe0\x7f\x10\0(?:O[BW]\0\0)?" + re.escape(length)))


def _raw_length(header: Any) -> tuple[int, int]:
    """Return the bytes of all tiles, and how many tiles."""
    bits = int(header.SamplesPerPixel) * int(header.BitsAllocated)
    return int(header.Rows) * int(header.Columns) * bits * _frames(header) // 8, _frames(header)


def _is_raw(header: Any) -> bool:
    return _syntax(header) in _UNCOMPRESSED


def _is_rgb(header: Any) -> bool:
    is_interleaved = not header.get("PlanarConfiguration")
    return is_interleaved and int(header.SamplesPerPixel) == 3 and int(header.BitsAllocated) == 8


def _syntax(header: Any) -> str:
    return str(header.file_meta.TransferSyntaxUID)


def _frames(header: Any) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _even(length: int) -> int:
    return length + length % 2
