"""The structure of a TIFF: its pictures, where their bytes lie, and whether the file holds all of them.

Only directories are read, never pixels, apart from the tile that lies last in the file and the begin of some.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from attrs import field, frozen

from ...errors import SlideError
from ..privacy._texts_within import texts_within
from ._detection import begins_with_zeros, ends_in_zeros
from ._ome import microns_of
from ._raw_tiles import TileGrid, any_ends_black, is_blank
from ._tiff_directories import (
    ARTIST,
    DESCRIPTION,
    DOCUMENT_NAME,
    PAGE_NAME,
    RESOLUTIONS,
    Damaged,
    read_directories,
)

_MAX_TILE = 2**26  # pixels; readers ask for the memory of a tile at once, and end the process without it
_MAX_SAMPLES, _END = 128, 64  # tiles of a picture, and bytes at both ends of each
_COPY_AGAIN = "it was not copied or written to its end; copy it again"

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIP_OFFSETS, _SAMPLES, _STRIP_COUNTS = 273, 277, 279
_XMP, _RESOLUTION_UNIT = 700, 296
_MICRONS = {2: 25_400.0, 3: 10_000.0}  # of an inch and of a centimetre
_MAKERS = frozenset({271, 272, 305, 33432})  # make, model, software, copyright
_UTF_16 = range(40091, 40096)  # title, comment, author, keywords, subject, as Windows writes them
_BLOCKS = frozenset({_XMP, 33723, 34377})  # XMP, IPTC, Photoshop
_IMAGEJ_UNIT = re.compile(r"^unit=(.+)$", re.MULTILINE)
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_NDPI_CASES = (65427, 65468)
_SUBFILE_TYPE, _PLANAR, _NDPI = 254, 284, 65420


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
        told = [self.tags[tag] for tag in (DESCRIPTION, PAGE_NAME, DOCUMENT_NAME) if tag in self.tags]
        xmp = self.tags.get(_XMP, "")
        return "\n".join([*told, xmp if isinstance(xmp, str) else xmp.decode("utf-8", "replace")])

    @property
    def titles(self) -> Sequence[str]:
        """Its title, its author, and the name of its page."""
        return [self.tags[tag] for tag in (DOCUMENT_NAME, ARTIST, PAGE_NAME) if tag in self.tags]

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
            elif not isinstance(value, bytes):
                continue
            elif tag in _UTF_16:
                yield value.decode("utf-16-le", "replace").rstrip("\0")
            elif tag in _BLOCKS:
                yield value.decode("utf-8", "replace")
            else:
                yield from texts_within(value)

    @property
    def mpp(self) -> tuple[float, float] | None:
        """Its resolution in µm per pixel; None where it does not say."""
        unit = _MICRONS.get(self._one(_RESOLUTION_UNIT, 2)) or self._imagej_unit
        across, down = (self._pixels_per_unit(tag) for tag in RESOLUTIONS)
        return (unit / across, unit / down) if unit and across and down else None

    def _pixels_per_unit(self, tag: int) -> float | None:
        value = self.tags.get(tag)
        return float(value[0]) if isinstance(value, tuple) and value else None

    @property
    def _imagej_unit(self) -> float | None:
        """The unit of its resolution in µm, which ImageJ writes into the description."""
        text = self.tags.get(DESCRIPTION, "")
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
    return _read(path)


def _read(path: Path, most: int | None = None) -> TiffFile:
    """Return the structure of a TIFF, of the first pictures alone if a number is given."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            pictures = tuple(map(TiffPicture, islice(read_directories(file, size), most)))
        except (struct.error, Damaged, OverflowError, MemoryError) as error:
            reason = "the file ends within it" if isinstance(error, struct.error) else error
            raise SlideError(
                f"its directory of pictures can't be read ({reason})", path=str(path), remedy=_COPY_AGAIN
            ) from None
    if not pictures:
        raise SlideError("it is a TIFF without a picture", path=str(path), remedy=_COPY_AGAIN)
    return TiffFile(path, size, pictures)


def first_picture(path: Path) -> TiffPicture:
    """Return the first picture of a TIFF, and read no other; raises what `read_tiff` raises."""
    return _read(path, 1).pictures[0]
