"""A small picture of a slide, for a person to see which one it is."""

from __future__ import annotations

import io
from pathlib import Path

from ..errors import SlideError
from ._openslide import open_slide

_LONGEST_SIDE = 200  # pixels: twice what a page shows, for screens that are twice as fine
_QUALITY = 68
_MOST_PIXELS = 64_000_000  # of the level that is read: a slide without a pyramid has a hundred times more


def thumbnail(path: Path) -> bytes:
    """Return a slide's tissue as a JPEG file of some five kB, without anything that is written beside it.

    Blocking, and OpenSlide's native code: call it in a process that may crash. Neither label nor macro image
    is looked at. Raises SlideError, and ConfigurationError without the `slides` extra.
    """
    with open_slide(path) as slide:
        from openslide import OpenSlideError

        level = slide.get_best_level_for_downsample(max(slide.dimensions) / _LONGEST_SIDE)
        width, height = slide.level_dimensions[level]
        if width * height > _MOST_PIXELS:
            raise SlideError("it has no small picture of itself", path=str(path))
        try:
            picture = slide.get_thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        except OpenSlideError as error:
            raise SlideError(f"its pixels can't be read ({error})", path=str(path)) from None
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
