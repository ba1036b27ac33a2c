"""Whether the tiles that a DICOM file lists lie within it; a table that points elsewhere crashes readers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO

_PIXELS = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"  # pixel data of unknown length, as compressed tiles are
_ITEM = b"\xfe\xff\0\xe0"
_SAMPLES, _BEGIN = 64, 72  # tiles, and bytes of each with the head of its item
_CHUNK = 1024 * 1024
_MAX_SEARCH = 256 * _CHUNK  # what describes the tiles of a large slide one by one lies before


def frames_problem(file: IO[bytes], size: int, begin: int) -> str:
    """Return what is wrong with the table of tiles of a file whose header ends at `begin`, or nothing."""
    start = _find_pixels(file, begin)
    if start is None:
        return ""
    file.seek(start)
    head = file.read(8)
    if len(head) < 8 or not head.startswith(_ITEM):
        return "its pixels do not begin with a table of its tiles"
    (length,) = struct.unpack("<I", head[4:])
    first = start + 8 + length
    if length % 4 or first > size:
        return "its table of tiles is damaged"
    offsets = struct.unpack(f"<{length // 4}I", file.read(length))
    return _offsets_problem(file, size, first, offsets)


def _offsets_problem(file: IO[bytes], size: int, first: int, offsets: Sequence[int]) -> str:
    # Beyond 4 GiB the table has the lower 32 bits only, or is empty.
    if not offsets or size >= 2**32:
        return ""
    if list(offsets) != sorted(set(offsets)) or offsets[0] != 0:
        return "its table of tiles is damaged"
    file.seek(first + offsets[-1])
    item = file.read(8)
    if len(item) < 8 or not item.startswith(_ITEM):
        return "its last tile is not where its table says"
    (length,) = struct.unpack("<I", item[4:])
    if first + offsets[-1] + 8 + length > size:
        return "its last tile would end beyond the file"
    for offset in offsets[:: len(offsets) // _SAMPLES + 1]:
        file.seek(first + offset)
        if not file.read(_BEGIN)[8:].strip(b"\0"):
            return "a tile of it begins with nothing but zeros"
    return ""


def _find_pixels(file: IO[bytes], begin: int) -> int | None:
    """Return where the pixel data begins, behind its tag."""
    file.seek(begin)
    before = b""
    for _ in range(_MAX_SEARCH // _CHUNK):
        chunk = file.read(_CHUNK)
        if not chunk:
            return None
        found = (before + chunk).find(_PIXELS)
        if found >= 0:
            return begin - len(before) + found + len(_PIXELS)
        begin += len(chunk)
        before = chunk[-len(_PIXELS) :]
    return None
