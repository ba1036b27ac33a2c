"""The directories of a TIFF: their numbers and texts, of any type that programs write them in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from ..privacy._texts_within import decoded
from ._detection import byte_order, is_big_tiff

# Types of values, as `struct` writes them; a rational is two numbers.
_BYTE, _ASCII, _RATIONAL, _SBYTE, _UNDEFINED, _SRATIONAL = 1, 2, 5, 6, 7, 10
_CODES = {
    1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 6: "s", 7: "s", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_PAIRS = frozenset({_RATIONAL, _SRATIONAL})
_INTEGERS = frozenset({1, 3, 4, 8, 9, 13, 16, 17, 18})
_NUMBERS = frozenset({*_INTEGERS, *_PAIRS, 11, 12})
_TEXTS = frozenset({_BYTE, _ASCII, _SBYTE, _UNDEFINED})
_MAX_DIRECTORIES = 2000
_MAX_BYTES = 80_000_000  # of all values: five million tiles
_MAX_TEXT = 1_000_000
_NO_TEXTS = frozenset({347, 34675})  # tables of JPEG, a colour profile

DESCRIPTION, PAGE_NAME, DOCUMENT_NAME, ARTIST = 270, 285, 269, 315
SUB_DIRECTORIES, EXIF = 330, 34665
RESOLUTIONS = X_RESOLUTION, Y_RESOLUTION = 282, 283
"""Rationals, which some programs write as another type: readers of TIFF take any number."""
_LONG_TEXTS = frozenset({DESCRIPTION, PAGE_NAME, DOCUMENT_NAME, ARTIST})
# Of the kind of a picture, its size, pixels, strips, tiles and unit of resolution, and Hamamatsu's own.
_WANTED = frozenset(
    {
        254, 256, 257, 258, 259, 262, 273, 277, 279, 284, 296, 322, 323, 324, 325, SUB_DIRECTORIES, EXIF,
        65420,
    }
)  # fmt: skip
_NUMERIC = _WANTED | set(RESOLUTIONS)


class Damaged(Exception):
    """Something in the file points out of it."""


def read_directories(file: BinaryIO, size: int) -> Iterator[dict[int, Any]]:
    """Give the directories of a TIFF and those below them, each once.

    A value is a tuple of numbers, a text, or bytes of a type that says nothing of them. Raises Damaged and
    struct.error. Reads 80 MB at the most.
    """
    reader = _DirectoryReader(file, size)
    waiting, seen = [reader.first], set[int]()
    while waiting:
        at = waiting.pop(0)
        if at == 0 or at in seen:
            continue
        if len(seen) >= _MAX_DIRECTORIES:
            raise Damaged("there are too many")
        seen.add(at)
        tags, following = reader.directory(at)
        for apart in tags.get(EXIF, ()):
            with suppress(Damaged, struct.error):  # it shows no pixels
                tags = {**reader.directory(apart)[0], **tags}
        yield tags
        waiting += [*tags.get(SUB_DIRECTORIES, ()), following]


class _DirectoryReader:
    """Reads directories of one file, and no more than a slide can have."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        head = file.read(16)
        self._file, self._size, self._left = file, size, _MAX_BYTES
        self._order, self._is_big = byte_order(head), is_big_tiff(head)
        place = struct.unpack(f"{self._order}Q", head[8:16]) if self._is_big else None
        (self.first,) = place or struct.unpack(f"{self._order}I", head[4:8])

    def directory(self, at: int) -> tuple[dict[int, Any], int]:
        """Return the tags of a directory that matter, and where the next one is."""
        forms = ("Q", "HHQ8s", "Q") if self._is_big else ("H", "HHI4s", "I")
        count_form, entry_form, next_form = (self._order + form for form in forms)
        if not 0 < at < self._size:
            raise Damaged("it points beyond the end of the file")
        self._file.seek(at)
        (count,) = struct.unpack(count_form, self._file.read(struct.calcsize(count_form)))
        width = struct.calcsize(entry_form)
        if not 0 < count <= 65_535:
            raise Damaged("it is empty" if not count else "it is damaged")
        table = self._file.read(count * width + struct.calcsize(next_form))
        tags: dict[int, Any] = {}
        for number in range(count):
            tag, kind, amount, value = struct.unpack_from(entry_form, table, number * width)
            if tag in _NUMERIC and kind in (_NUMBERS if tag in RESOLUTIONS else _INTEGERS):
                tags[tag] = self._value(kind, amount, value)
            elif tag in _WANTED:
                tags[tag] = (0,)  # it says something else than what a missing tag stands for
            elif kind in _TEXTS and tag not in _NO_TEXTS:
                with suppress(Damaged, struct.error):  # it shows no pixels
                    tags[tag] = self._text(tag, kind, amount, value)
        (following,) = struct.unpack_from(next_form, table, count * width)
        return tags, following

    def _value(self, kind: int, amount: int, inline: bytes) -> Any:
        """Return a tuple of numbers; a rational is one."""
        form = f"{self._order}{amount * (2 if kind in _PAIRS else 1)}{_CODES[kind]}"
        values = struct.unpack(form, self._content(struct.calcsize(form), inline))
        if kind in _PAIRS:
            pairs = zip(values[::2], values[1::2], strict=True)
            return tuple(one / other if other else 0.0 for one, other in pairs)
        return values

    def _text(self, tag: int, kind: int, amount: int, inline: bytes) -> str | bytes:
        """Return a text, or bytes that may hold one."""
        content = self._content(amount if tag in _LONG_TEXTS else min(amount, _MAX_TEXT), inline, amount)
        return decoded(content.rstrip(b"\0")) if kind == _ASCII or tag in _LONG_TEXTS else content

    def _content(self, length: int, inline: bytes, amount: int = 0) -> bytes:
        """Return the first bytes of a value of `amount` bytes, by default of all of it."""
        if max(length, amount) <= len(inline):
            return inline[:length]
        (offset,) = struct.unpack(self._order + ("Q" if self._is_big else "I"), inline)
        if offset + length > self._size:
            raise Damaged("it points beyond the end of the file")
        if length > self._left:
            raise Damaged("it lists more than a slide can have")
        self._left -= length
        self._file.seek(offset)
        return self._file.read(length)
