"""The structure of a TIFF: its pictures, where their bytes lie, and whether the file holds all of them.

Only directories are read, never pixels, apart from the tile that lies last in the file and the begin of some.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from attrs import field, frozen

from ...errors import SlideError
from ._detection import begins_with_zeros, byte_order, ends_in_zeros, is_big_tiff
from ._ome import microns_of
from ._raw_tiles import TileGrid, any_ends_black, is_blank

# Types of values, as `struct` writes them; a rational is two numbers.
_BYTE, _ASCII, _RATIONAL, _UNDEFINED = 1, 2, 5, 7
_CODES = {
    1: "B", 2: "s", 3: "H", 4: "I", 5: "2I", 6: "b", 7: "s", 8: "h", 9: "i", 13: "I", 16: "Q",
    17: "q", 18: "Q",
}  # fmt: skip
_MAX_DIRECTORIES = 2000
_MAX_BYTES = 80_000_000  # ten million tiles
_MAX_TILE = 2**26  # pixels; readers ask for the memory of a tile at once, and end the process without it
_MAX_SAMPLES, _END = 128, 64  # tiles of a picture, and bytes at both ends of each
_COPY_AGAIN = "it was not copied or written to its end; copy it again"

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION = 256, 257, 258, 259, 262, 270
_STRIP_OFFSETS, _SAMPLES, _STRIP_COUNTS, _PAGE_NAME = 273, 277, 279, 285
_DOCUMENT_NAME, _ARTIST, _XMP = 269, 315, 700
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_MICRONS = {2: 25_400.0, 3: 10_000.0}  # of an inch and of a centimetre
_MAKERS = frozenset({271, 272, 305, 33432})  # make, model, software, copyright
_UTF_16 = range(40091, 40096)  # title, comment, author, keywords, subject, as Windows writes them
_BLOCKS = frozenset({_XMP, 33723, 34377})  # XMP, IPTC, Photoshop
_NO_TEXTS = frozenset({347, 34675})  # tables of JPEG, a colour profile
_MAX_TEXT = 1_000_000
_TEXT_WITHIN = re.compile(rb"[\t\r\n -~\x80-\xff]{6,}")
_IMAGEJ_UNIT = re.compile(r"^unit=(.+)$", re.MULTILINE)
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_NDPI_CASES = (65427, 65468)
_SUBFILE_TYPE, _SUB_DIRECTORIES, _EXIF, _PLANAR, _NDPI = 254, 330, 34665, 284, 65420
_WANTED = frozenset(
    {
        _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION, _STRIP_OFFSETS, _SAMPLES,
        _STRIP_COUNTS, _PAGE_NAME, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _SUBFILE_TYPE,
        _SUB_DIRECTORIES, _EXIF, _PLANAR, _NDPI, _DOCUMENT_NAME, _ARTIST, _X_RESOLUTION, _Y_RESOLUTION,
        _RESOLUTION_UNIT,
    }
)  # fmt: skip


@frozen(eq=False)
class TiffPicture:
    """One directory of a TIFF."""

    tags: Mapping[int, Any] = field(repr=False)

    @property
    def width(self) -> int:
        """Pixels."""
        return self._one(_WIDTH, 0)

    @property
    def height(self) -> int:
        """Pixels."""
        return self._one(_HEIGHT, 0)

    @property
    def bits(self) -> int:
        """Bits of one sample."""
        return self._one(_BITS, 1)

    @property
    def samples(self) -> int:
        """Samples of one pixel."""
        return self._one(_SAMPLES, 1)

    @property
    def is_compressed(self) -> bool:
        """Whether its bytes are encoded."""
        return self._one(_COMPRESSION, 1) != 1

    @property
    def is_tiled(self) -> bool:
        """Whether it has tiles, as OpenSlide asks for in a TIFF of no vendor."""
        return _TILE_OFFSETS in self.tags

    @property
    def is_ndpi(self) -> bool:
        """Whether Hamamatsu wrote it, with tags of its own for files beyond 4 GiB."""
        return _NDPI in self.tags

    @property
    def subfile_type(self) -> int:
        """1 for a reduced picture; Aperio tells labels and macros by it."""
        return self._one(_SUBFILE_TYPE, 0)

    @property
    def description(self) -> str:
        """What is written about it, and its page's name."""
        told = [str(self.tags[tag]) for tag in (_DESCRIPTION, _PAGE_NAME, _DOCUMENT_NAME) if tag in self.tags]
        xmp = self.tags.get(_XMP, "")
        return "\n".join([*told, xmp if isinstance(xmp, str) else bytes(xmp).decode("utf-8", "replace")])

    @property
    def titles(self) -> Sequence[str]:
        """Its title, its author, and the name of its page."""
        return [str(self.tags[tag]) for tag in (_DOCUMENT_NAME, _ARTIST, _PAGE_NAME) if tag in self.tags]

    @property
    def case_texts(self) -> Iterator[str]:
        """What Hamamatsu's program asks for as a reference, and the barcode that it has read."""
        return (str(self.tags[tag]) for tag in _NDPI_CASES if isinstance(self.tags.get(tag), str))

    @property
    def texts(self) -> Iterator[str]:
        """All texts in it but the names of makers: those of other programs and private ones too."""
        for tag, value in self.tags.items():
            if isinstance(value, str) and tag not in _MAKERS:
                yield value
            elif tag in _UTF_16:
                yield bytes(value).decode("utf-16-le", "replace").rstrip("\0")
            elif tag in _BLOCKS and not isinstance(value, str):
                yield bytes(value).decode("utf-8", "replace")
            elif not isinstance(value, str) and tag not in _WANTED:
                yield from _texts_within(bytes(value))

    @property
    def mpp(self) -> tuple[float, float] | None:
        """Its resolution in µm per pixel; None where it does not say."""
        unit = _MICRONS.get(self._one(_RESOLUTION_UNIT, 2)) or self._imagej_unit
        across, down = self.tags.get(_X_RESOLUTION), self.tags.get(_Y_RESOLUTION)
        if unit is None or not (across and down and all((*across[:2], *down[:2]))):
            return None
        return unit * across[1] / across[0], unit * down[1] / down[0]

    @property
    def _imagej_unit(self) -> float | None:
        """The unit of its resolution in µm, which ImageJ writes into the description."""
        text = str(self.tags.get(_DESCRIPTION, ""))
        found = _IMAGEJ_UNIT.search(text) if text.startswith("ImageJ=") else None
        return None if found is None else microns_of(found[1])

    @property
    def pieces(self) -> Sequence[tuple[int, int]]:
        """Offset and length of each tile or strip; a length of 0 is a tile that the file leaves out."""
        offsets = self.tags.get(_TILE_OFFSETS, self.tags.get(_STRIP_OFFSETS, ()))
        counts = self.tags.get(_TILE_COUNTS, self.tags.get(_STRIP_COUNTS, ()))
        return list(zip(offsets, counts, strict=False))

    @property
    def tile_pixels(self) -> int:
        """Pixels of one tile; 0 for a picture without tiles."""
        return self._one(_TILE_WIDTH, 0) * self._one(_TILE_HEIGHT, 0) if self.is_tiled else 0

    @property
    def is_raw_rgb(self) -> bool:
        """Whether its tiles are three bytes for each pixel."""
        is_rgb = self.bits == 8 and self.samples == 3 and self._one(_PLANAR, 1) == 1
        return is_rgb and self.is_tiled and not self.is_compressed

    @property
    def grid(self) -> TileGrid:
        """How its tiles lie."""
        return TileGrid(self.width, self.height, self._one(_TILE_WIDTH, 0), self._one(_TILE_HEIGHT, 0))

    @property
    def missing_pieces(self) -> int:
        """How many tiles its directory does not list."""
        if not self.is_tiled:
            return 0
        across, down = self._one(_TILE_WIDTH, 0), self._one(_TILE_HEIGHT, 0)
        if not across or not down:
            return 1
        planes = self.samples if self._one(_PLANAR, 1) == 2 else 1
        expected = -(-self.width // across) * -(-self.height // down) * planes
        return max(0, expected - len(self.pieces))

    def _one(self, tag: int, default: int) -> int:
        value = self.tags.get(tag)
        return int(value[0]) if value else default


@frozen(eq=False)
class TiffFile:
    """A TIFF as its directories describe it."""

    path: Path
    size: int
    pictures: tuple[TiffPicture, ...]

    @property
    def largest(self) -> TiffPicture:
        """The picture with the most pixels."""
        return max(self.pictures, key=lambda each: each.width * each.height)

    @property
    def description(self) -> str:
        """All that is written about its pictures."""
        return "\n".join(each.description for each in self.pictures)

    @property
    def titles(self) -> set[str]:
        """Titles and authors of its pictures."""
        return {title for each in self.pictures for title in each.titles}

    @property
    def texts(self) -> set[str]:
        """All texts of its pictures; levels repeat them."""
        return {text for each in self.pictures for text in each.texts}

    def check_complete(self) -> None:
        """Raise SlideError unless every tile lies within the file and the last one has bytes.

        Reads the tile that lies last in the file, and where some others begin: programs that copy several
        parts at once leave holes.
        """
        last = (0, 0)
        is_certain = is_compressed = False
        for picture in self.pictures:
            if picture.is_ndpi and self.size >= 2**32:
                continue  # its offsets are the lower 32 bits of the real ones
            problem = ""
            if picture.tile_pixels > _MAX_TILE:
                problem = f"its tiles would have {picture.tile_pixels:,} pixels each, which no slide has"
            elif picture.missing_pieces:
                problem = f"its directory lists {picture.missing_pieces} tiles too few"
            if problem:
                raise SlideError(problem, path=str(self.path), remedy=_COPY_AGAIN)
            for offset, length in picture.pieces:
                if length and offset + length > last[0] + last[1]:
                    last = offset, length
                    is_compressed = picture.is_compressed
                    is_certain = is_compressed or (picture.bits == 8 and picture.samples >= 3)
        if sum(last) > self.size:
            raise SlideError(
                f"it has {self.size:,} bytes, and its pixels would end at {sum(last):,}",
                path=str(self.path),
                remedy=_COPY_AGAIN,
            )
        if is_certain and last[1] and self._is_empty(*last, is_compressed=is_compressed):
            raise SlideError(
                "its last tile is nothing but zeros, or ends in them", path=str(self.path), remedy=_COPY_AGAIN
            )
        self._check_holes()

    def ends_black(self) -> bool:
        """Whether tiles that are not compressed end in zeros, as those do that were not written to their end.

        Reads the ends of a sample of them.
        """
        with self.path.open("rb", buffering=0) as file:
            return any(
                any_ends_black(file, picture.grid, picture.pieces)
                for picture in self.pictures
                if picture.is_raw_rgb
            )

    def _check_holes(self) -> None:
        """Raise SlideError where the largest picture has no tile at all, or a tile of a sample is zeros."""
        is_there = any(length for _, length in self.largest.pieces)
        problem = "" if is_there else "its largest picture has no pixels"
        with self.path.open("rb", buffering=0) as file:
            if any(self._has_hole(file, picture) for picture in self.pictures):
                problem = problem or "a tile of it begins with nothing but zeros, or ends in them"
        if problem:
            raise SlideError(problem, path=str(self.path), remedy=_COPY_AGAIN)

    def _has_hole(self, file: BinaryIO, picture: TiffPicture) -> bool:
        """Whether one of a sample of tiles begins with zeros or ends in them, as no compressed one does."""
        if not picture.is_compressed or (picture.is_ndpi and self.size >= 2**32):
            return False
        pieces = [(offset, length) for offset, length in picture.pieces if length > _END]
        return any(
            begins_with_zeros(file, offset) or ends_in_zeros(file, offset + length, length)
            for offset, length in pieces[:: len(pieces) // _MAX_SAMPLES + 1]
        )

    def _is_empty(self, offset: int, length: int, *, is_compressed: bool) -> bool:
        with self.path.open("rb") as file:
            if is_blank(file, offset, length):
                return True
            return is_compressed and ends_in_zeros(file, offset + length, length)


def read_tiff(path: Path) -> TiffFile:
    """Return the structure of a TIFF; raises SlideError where it can't be read, and OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            pictures = tuple(TiffPicture(tags) for tags in _directories(file, size))
        except (struct.error, _Damaged, OverflowError, MemoryError) as error:
            reason = "the file ends within it" if isinstance(error, struct.error) else error
            raise SlideError(
                f"its directory of pictures can't be read ({reason})", path=str(path), remedy=_COPY_AGAIN
            ) from None
    if not pictures:
        raise SlideError("it is a TIFF without a picture", path=str(path), remedy=_COPY_AGAIN)
    return TiffFile(path, size, pictures)


class _Damaged(Exception):
    """Something in the file points out of it."""


def _directories(file: BinaryIO, size: int) -> Iterator[dict[int, Any]]:
    """Give the directories of a TIFF and those below them, each once."""
    head = file.read(16)
    order, is_big = byte_order(head), is_big_tiff(head)
    (first,) = struct.unpack(f"{order}Q", head[8:16]) if is_big else struct.unpack(f"{order}I", head[4:8])
    waiting, seen = [first], set[int]()
    while waiting:
        at = waiting.pop(0)
        if at == 0 or at in seen:
            continue
        if len(seen) >= _MAX_DIRECTORIES:
            raise _Damaged("there are too many")
        seen.add(at)
        tags, following = _directory(file, size, at, order, is_big=is_big)
        for apart in tags.get(_EXIF, ()):
            with suppress(_Damaged, struct.error):  # it shows no pixels
                tags = {**_directory(file, size, apart, order, is_big=is_big)[0], **tags}
        yield tags
        waiting += [*tags.get(_SUB_DIRECTORIES, ()), following]


def _directory(file: BinaryIO, size: int, at: int, order: str, *, is_big: bool) -> tuple[dict[int, Any], int]:
    """Return the tags of a directory that matter here, and where the next one is."""
    count_form, entry_form, next_form = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    if not 0 < at < size:
        raise _Damaged("it points beyond the end of the file")
    file.seek(at)
    (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
    width = struct.calcsize(order + entry_form)
    if not 0 < count <= 65_535:
        raise _Damaged("it is empty" if not count else "it is damaged")
    table = file.read(count * width + struct.calcsize(order + next_form))
    tags: dict[int, Any] = {}
    for number in range(count):
        tag, kind, amount, value = struct.unpack_from(order + entry_form, table, number * width)
        if tag in _WANTED and kind in _CODES:
            tags[tag] = _value(file, order + _form(kind, amount), value, size)
        elif _is_text(tag, kind) and amount <= _MAX_TEXT:
            with suppress(_Damaged, struct.error):  # it shows no pixels
                tags[tag] = _value(file, order + _form(kind, amount), value, size)
    (following,) = struct.unpack_from(order + next_form, table, count * width)
    return tags, following


def _form(kind: int, amount: int) -> str:
    """Return the values of a tag as `struct` writes them."""
    return "2I" * amount if kind == _RATIONAL and amount < 10 else f"{amount}{_CODES[kind][-1]}"


def _is_text(tag: int, kind: int) -> bool:
    return kind == _ASCII or (kind in (_BYTE, _UNDEFINED) and tag not in _NO_TEXTS)


def _texts_within(value: bytes) -> Iterator[str]:
    """Give the texts in bytes of a private tag, those in UTF-16 too."""
    if value.count(0) * 3 > len(value):
        value = value.replace(b"\0", b"")
    found = _TEXT_WITHIN.findall(value)
    if 2 * sum(map(len, found)) < len(value):
        return  # bytes that look like letters at times
    for text in found:
        with suppress(UnicodeDecodeError):
            yield text.decode()


def _value(file: BinaryIO, form: str, inline: bytes, size: int) -> Any:
    """Return the value of a tag: a text, or a tuple of numbers."""
    length = struct.calcsize(form)
    content = inline[:length]
    if length > len(inline):
        (offset,) = struct.unpack(form[0] + ("Q" if len(inline) == 8 else "I"), inline)
        if offset + length > size or length > _MAX_BYTES:
            raise _Damaged("it points beyond the end of the file")
        file.seek(offset)
        content = file.read(length)
    values = struct.unpack(form, content)
    return _text(values[0]) if form.endswith("s") else values


def _text(value: bytes) -> str:
    """Return a text, which old programs write in Latin-1."""
    try:
        return value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return value.rstrip(b"\0").decode("latin-1")
