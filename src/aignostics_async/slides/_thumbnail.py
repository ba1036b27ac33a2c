"""A small picture of a slide, for a person to see which one it is."""

from __future__ import annotations

import io
from pathlib import Path

from ..errors import SlideError
from ._openslide import open_slide
from .files._members import find_members

_MAX_SIDE = 200  # pixels: twice what a page shows, for screens that are twice as fine
_QUALITY = 68
_MAX_PIXELS = 64_000_000  # of the level that is read: a slide without a pyramid has a hundred times more


def thumbnail(path: Path) -> bytes:
    """Return a slide's tissue as a JPEG file of some five kB, without its label and macro.

    Blocking, and runs OpenSlide's native code: call it in a process that may crash. Raises SlideError, and
    ConfigurationError without the `slides` extra.
    """
    with open_slide(path, find_members(path)) as slide:
        from openslide import OpenSlideError

        level = slide.get_best_level_for_downsample(max(slide.dimensions) / _MAX_SIDE)
        width, height = slide.level_dimensions[level]
        if width * height > _MAX_PIXELS:
            raise SlideError("it has no small picture of itself", path=str(path))
        try:
            picture = slide.get_thumbnail((_MAX_SIDE, _MAX_SIDE))
        except OpenSlideError as error:
            raise SlideError(f"its pixels can't be read ({error})", path=str(path)) from None
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
