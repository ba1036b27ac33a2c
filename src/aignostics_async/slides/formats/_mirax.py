"""Whether the files of a MIRAX slide hold all of the tiles that its index lists."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...errors import SlideError
from ._bounded import read_bounded
from ._detection import begins_with_zeros, ends_in_zeros

_VERSION = 5  # bytes of text, before the slide's id
_PAGE = struct.Struct("<ii")
_ENTRY = struct.Struct("<iiii")
_MAX_SAMPLES, _SHORT = 128, 64  # tiles of a file, and bytes of one that is too short to say anything
_MAX_INDEX = 256 * 1024 * 1024
_COPY_AGAIN = "it was not copied or written to its end; copy the whole folder again"


def check_mirax(
    path: Path, index: Path, data: Sequence[Path], general: Mapping[str, str], levels: range
) -> None:
    """Raise SlideError unless every tile of the index lies within its file, and none of a sample is zeros.

    `data` are the files by their numbers, `general` is the section of that name in Slidedat.ini, `levels` are
    the places of its lists in the index. Reads the
    index, some MB for a large slide, the ends of the other files, and the ends of 128 tiles of each.
    """
    try:
        content = read_bounded(index, _MAX_INDEX)
    except OSError as error:
        problem = f"{index.name}, which lists its tiles, can't be read ({error.strerror})"
        raise SlideError(problem, path=str(path), remedy=_COPY_AGAIN) from None
    try:
        tiles = _listed(content, _VERSION + len(general.get("slide_id", "")), levels, len(data))
    except (struct.error, ValueError) as error:
        why = "a list in it ends too early" if isinstance(error, struct.error) else error
        raise SlideError(
            f"{index.name}, which lists its tiles, is damaged ({why})", path=str(path), remedy=_COPY_AGAIN
        ) from None
    for number, file in enumerate(data):
        problem = _problem(file, tiles.get(number, ()))
        if problem:
            raise SlideError(f"{file.name} {problem}", path=str(path), remedy=_COPY_AGAIN)


def _problem(file: Path, tiles: Sequence[tuple[int, int]]) -> str:
    """Return what is wrong with a file that holds tiles, or nothing."""
    size, needed = file.stat().st_size, max((offset + length for offset, length in tiles), default=0)
    if needed > size:
        return f"has {size:,} bytes, and its tiles would end at {needed:,}"
    with file.open("rb", buffering=0) as opened:
        if size and ends_in_zeros(opened, size, size):
            return "ends in zeros"
        long = [tile for tile in tiles if tile[1] > _SHORT]
        for offset, length in long[:: len(long) // _MAX_SAMPLES + 1]:
            if begins_with_zeros(opened, offset) or ends_in_zeros(opened, offset + length, length):
                return "has a tile that begins with nothing but zeros, or ends in them"
    return ""


def _listed(content: bytes, begin: int, levels: range, files: int) -> dict[int, list[tuple[int, int]]]:
    """Return offset and length of the tiles in each file."""
    (root,) = struct.unpack_from("<i", content, begin)
    tiles: dict[int, list[tuple[int, int]]] = {}
    for level in levels:
        (head,) = struct.unpack_from("<i", content, root + 4 * level)
        for offset, length, file in _tiles(content, head):
            if min(offset, length) < 0 or not 0 <= file < files or not any((offset, length, file)):
                raise ValueError("an entry of it can't be true")
            tiles.setdefault(file, []).append((offset, length))
    if not tiles:
        raise ValueError("it lists none")
    return tiles


def _tiles(content: bytes, head: int) -> Iterator[tuple[int, int, int]]:
    """Give offset, length and file of each tile of a level: a list of pages."""
    zero, page = _PAGE.unpack_from(content, head)
    if zero:
        raise ValueError("a list in it does not begin with zero")
    seen = set[int]()
    while page:
        if page in seen:
            raise ValueError("a list in it has no end")
        seen.add(page)
        count, following = _PAGE.unpack_from(content, page)
        for number in range(count):
            _, offset, length, file = _ENTRY.unpack_from(content, page + _PAGE.size + number * _ENTRY.size)
            yield offset, length, file
        page = following
