"""Whether the pixels of a slide can be decoded: those of its last tile, or all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SlideError

if TYPE_CHECKING:
    from openslide import OpenSlide

_TILE = 256
_REGION = 1024
_COPY_AGAIN = "it was not copied or written to its end, or is damaged; copy it again"


def check_last_tile(path: Path, image: OpenSlide) -> None:
    """Raise SlideError unless the last pixels of the largest level can be decoded."""
    from openslide import OpenSlideError

    width, height = image.dimensions
    side = min(_TILE, width), min(_TILE, height)
    try:
        image.read_region((width - side[0], height - side[1]), 0, side)
    except OpenSlideError as error:
        raise SlideError(
            f"its last tile can't be decoded ({error})", path=str(path), remedy=_COPY_AGAIN
        ) from None


def decode_all(path: Path, image: OpenSlide) -> None:
    """Raise SlideError unless every pixel of all levels and other pictures can be decoded.

    Takes minutes for a large slide, and a few MB of memory.
    """
    from openslide import OpenSlideError

    try:
        for level, (width, height) in enumerate(image.level_dimensions):
            scale_x, scale_y = image.dimensions[0] / width, image.dimensions[1] / height
            for y in range(0, height, _REGION):
                for x in range(0, width, _REGION):
                    side = min(_REGION, width - x), min(_REGION, height - y)
                    image.read_region((round(x * scale_x), round(y * scale_y)), level, side)
        for name in list(image.associated_images):
            image.associated_images[name]
    except OpenSlideError as error:
        raise SlideError(
            f"its pixels can't be decoded ({error})", path=str(path), remedy=_COPY_AGAIN
        ) from None
