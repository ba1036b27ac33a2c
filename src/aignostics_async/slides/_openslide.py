"""Opening a slide with OpenSlide, which is an extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingExtra, SlideError

if TYPE_CHECKING:
    from openslide import OpenSlide


def open_slide(path: Path) -> OpenSlide:
    """Open a slide with OpenSlide, or raise SlideError; the caller closes it."""
    try:
        import openslide
    except ImportError:
        raise MissingExtra("reading slides", extra="slides") from None
    try:
        if not path.is_file():
            problem = "it is no file" if path.exists() else "there is no such file"
            raise SlideError(problem, path=str(path))
    except OSError as error:  # a folder that may not be searched, a name that no file can have
        raise SlideError(f"it can't be read ({error.strerror})", path=str(path)) from None
    try:
        return openslide.OpenSlide(str(path))
    except openslide.OpenSlideError as error:
        raise SlideError(
            f"it can't be read as a slide ({error})",
            path=str(path),
            remedy="is it complete, and of a format that OpenSlide knows?",
        ) from None
