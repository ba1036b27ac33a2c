"""Whether the tiles of a DICOM file are all there; a table of them that points elsewhere crashes readers."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import IO

from ._detection import begins_with_zeros, ends_in_zeros

# Pixel data of unknown length, as compressed tiles are.
_PIXELS = re.compile(rb"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff")
_LONGEST_TAG = 12
_ITEM = b"\xfe\xff\0\xe0"
_HEAD = 8  # bytes before each tile: that it is one, and its length
_END_OF_ITEMS = b"\xfe\xff\xdd\xe0"
_MAX_SAMPLES, _SHORT = 128, 64  # tiles, and bytes of one that is too short to say anything
_MAX_ITEMS = 5_000_000
_CHUNK = 1024 * 1024
_MAX_SEARCH = 256 * _CHUNK  # what describes the tiles of a large slide one by one lies before


def frames_problem(file: IO[bytes], size: int, start: int, frames: int) -> str:
    """Return what is wrong with the tiles of a file, or nothing; `start` is where the table of them begins.

    Costs the beginning and the end of 128 tiles, and the head of each where there is no table of them.
    """
    file.seek(start)
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(_ITEM):
        return "its pixels do not begin with a table of its tiles"
    (length,) = struct.unpack("<I", head[4:])
    first = start + _HEAD + length
    if length % 4 or first > size:
        return "its table of tiles is damaged"
    offsets = struct.unpack(f"<{length // 4}I", file.read(length))
    # Beyond 4 GiB the table has the lower 32 bits only, or is empty.
    if offsets and size < 2**32:
        return _table_problem(file, size, first, offsets, frames)
    return _list_problem(file, size, first, frames)


def _table_problem(file: IO[bytes], size: int, first: int, offsets: Sequence[int], frames: int) -> str:
    """Return what is wrong with tiles that a table lists."""
    if list(offsets) != sorted(set(offsets)) or offsets[0] != 0:
        return "its table of tiles is damaged"
    if len(offsets) < frames:
        return f"its table lists {len(offsets)} of {frames} tiles"
    length = _length(file, first + offsets[-1])
    if length is None:
        return "its last tile is not where its table says"
    if first + offsets[-1] + _HEAD + length > size:
        return "its last tile would end beyond the file"
    return _hole(file, [first + offset for offset in offsets])


def _list_problem(file: IO[bytes], size: int, first: int, frames: int) -> str:
    """Return what is wrong with tiles that follow each other without a table."""
    places, at = list[int](), first
    while len(places) < _MAX_ITEMS and (length := _length(file, at)) is not None:
        places.append(at)
        at += _HEAD + length
        if at > size:
            return "one of its tiles would end beyond the file"
    if len(places) < frames:
        return f"it has {len(places)} of {frames} tiles"
    file.seek(at)
    if len(places) < _MAX_ITEMS and file.read(4) != _END_OF_ITEMS:
        return "what follows its tiles is no tile and no end"
    return _hole(file, places)


def _length(file: IO[bytes], at: int) -> int | None:
    """Return the length of the tile at a place, or None."""
    file.seek(at)
    item = file.read(_HEAD)
    return int.from_bytes(item[4:], "little") if len(item) == _HEAD and item.startswith(_ITEM) else None


def _hole(file: IO[bytes], places: Sequence[int]) -> str:
    """Return what is wrong with a sample of tiles: they begin with zeros or end in them, as none does."""
    following = dict(pairwise(places))
    for at in places[:: len(places) // _MAX_SAMPLES + 1]:
        length = _length(file, at)
        if length is None:
            return "a tile of it is not where its table says"
        begin, end = at + _HEAD, at + _HEAD + length
        has_all = following.get(at) == end  # the first of several pieces may end in anything
        is_empty = begins_with_zeros(file, begin) or (has_all and ends_in_zeros(file, end, length))
        if length > _SHORT and is_empty:
            return "a tile of it begins with nothing but zeros, or ends in them"
    return ""


def find_compressed(file: IO[bytes], begin: int) -> int | None:
    """Return where compressed tiles begin; None where they are not found."""
    return find_pixels(file, begin, _PIXELS)


def find_pixels(file: IO[bytes], begin: int, tag: re.Pattern[bytes]) -> int | None:
    """Return where the pixel data begins, behind its tag, which is looked for from `begin` on."""
    file.seek(begin)
    before = b""
    for _ in range(_MAX_SEARCH // _CHUNK):
        chunk = file.read(_CHUNK)
        if not chunk:
            return None
        found = tag.search(before + chunk)
        if found:
            return begin - len(before) + found.end()
        begin += len(chunk)
        before = chunk[-_LONGEST_TAG:]
    return None
