"""Whether the files of a MIRAX slide hold all of the tiles that its index lists."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import SlideError
from ._formats import ends_in_zeros

_VERSION = 5  # bytes of text, before the slide's id
_PAGE = struct.Struct("<ii")
_ENTRY = struct.Struct("<iiii")
_COPY_AGAIN = "it was not copied or written to its end; copy the whole folder again"


def check_mirax(
    path: Path, index: Path, data: Sequence[Path], general: Mapping[str, str], levels: range
) -> None:
    """Raise SlideError unless every tile of the index lies within its file, and no file ends in zeros.

    `data` are the files by their numbers, `general` is the section of that name in Slidedat.ini, `levels` are
    the places of its lists in the index. Reads the
    index, some MB for a large slide, and the ends of the other files.
    """
    content = index.read_bytes()
    try:
        needed = _needed(content, _VERSION + len(general.get("slide_id", "")), levels, len(data))
    except (struct.error, ValueError) as error:
        raise SlideError(
            f"{index.name}, which lists its tiles, is damaged ({error})", path=str(path), remedy=_COPY_AGAIN
        ) from None
    for number, file in enumerate(data):
        size = file.stat().st_size
        if needed.get(number, 0) > size:
            raise SlideError(
                f"{file.name} has {size:,} bytes, and its tiles would end at {needed[number]:,}",
                path=str(path),
                remedy=_COPY_AGAIN,
            )
        with file.open("rb") as opened:
            if size and ends_in_zeros(opened, size, size):
                raise SlideError(f"{file.name} ends in zeros", path=str(path), remedy=_COPY_AGAIN)


def _needed(content: bytes, begin: int, levels: range, files: int) -> dict[int, int]:
    """Return how many bytes each file needs."""
    (root,) = struct.unpack_from("<i", content, begin)
    ends: dict[int, int] = {}
    tiles = 0
    for level in levels:
        (head,) = struct.unpack_from("<i", content, root + 4 * level)
        for offset, length, file in _tiles(content, head):
            if min(offset, length) < 0 or not 0 <= file < files or not any((offset, length, file)):
                raise ValueError("an entry of it can't be true")
            ends[file] = max(ends.get(file, 0), offset + length)
            tiles += 1
    if not tiles:
        raise ValueError("it lists none")
    return ends


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
