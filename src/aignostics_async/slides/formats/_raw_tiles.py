"""Tiles that are not compressed: zeros in them are black pixels, or ones that were never written.

Nothing tells the two apart but the place: tissue in light is not black, and at the end of a file that was not
copied to its end all is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, BinaryIO

from attrs import frozen

from ._detection import ends_in_zeros

_MAX_SAMPLES = 128
_CHUNK = 1024 * 1024


@frozen
class TileGrid:
    """How a picture of three bytes a pixel is cut into tiles, row by row."""

    width: int
    height: int
    across: int
    """Pixels of a tile."""
    down: int

    def shown(self, number: int) -> int:
        """Return the bytes of a tile up to its last pixel within the picture; behind it is padding."""
        columns = -(-self.width // self.across)
        right = min(self.across, self.width - number % columns * self.across)
        bottom = min(self.down, self.height - number // columns * self.down)
        return 3 * ((bottom - 1) * self.across + right) if min(right, bottom) > 0 else 0


def is_blank(file: BinaryIO | IO[bytes], offset: int, length: int) -> bool:
    """Whether a tile is nothing but zeros, as far as its first MiB tells."""
    file.seek(offset)
    return not file.read(min(length, _CHUNK)).strip(b"\0")


def any_ends_black(
    file: BinaryIO | IO[bytes], grid: TileGrid, tiles: Sequence[tuple[int, int]] | Iterable[tuple[int, int]]
) -> bool:
    """Whether one of a sample of tiles, the last one included, ends in black pixels.

    `tiles` are offset and length of each; one without a length is left out of the file.
    """
    listed = list(enumerate(tiles))
    sample = [*listed[:: len(listed) // _MAX_SAMPLES + 1], *listed[-1:]]
    shown = ((offset, min(grid.shown(number), length)) for number, (offset, length) in sample)
    return any(end and ends_in_zeros(file, offset + end, end) for offset, end in shown)
