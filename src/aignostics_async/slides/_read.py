"""What a slide file says about itself, read with OpenSlide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio.to_thread
from attrs import frozen

from .._inputs import Slide
from ..errors import ResolutionUnknown
from ._mirax import is_mirax, mirax_members
from ._openslide import open_slide
from ._series import is_dicom, series_members

# µm per pixel. Outside it a number is not a scan's resolution but something else, such as 72 dpi.
SMALLEST_MPP, LARGEST_MPP = 0.05, 5.0
_ZIP = "application/zip"


@frozen
class SlideInfo:
    """A slide as it will be described to the platform."""

    width: int
    """Pixels of the largest level."""
    height: int
    mpp_x: float
    """µm per pixel."""
    mpp_y: float
    mime_type: str
    files: tuple[Path, ...]
    """The files it consists of: one, a DICOM series sorted, or a MIRAX file and those of its folder."""
    associated_images: tuple[str, ...] = ()
    """Other pictures in it, such as `label` and `macro`."""

    @property
    def is_packed(self) -> bool:
        """Whether its files are sent as one zip."""
        return self.mime_type == _ZIP


async def read_slide(slide: Slide) -> SlideInfo:
    """Read size and resolution of a slide, in a thread.

    Costs some milliseconds and no pixels. Raises SlideError for a file that can't be read, ResolutionUnknown
    where its resolution is missing or implausible, and ConfigurationError without the `slides` extra.
    """
    return await anyio.to_thread.run_sync(read_slide_here, slide)


def read_slide_here(slide: Slide) -> SlideInfo:
    """Do what `read_slide` does, blocking."""
    path = slide.path
    with open_slide(path) as image:
        width, height = image.dimensions
        properties = dict(image.properties)
        pictures = tuple(sorted(image.associated_images))
    mpp_x, mpp_y = _resolution(slide, properties)
    mime_type, files = _consists_of(path)
    return SlideInfo(width, height, mpp_x, mpp_y, mime_type, files, pictures)


def _consists_of(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Return how a slide is sent, and the files that it consists of."""
    if is_dicom(path):
        return _ZIP, series_members(path)
    if is_mirax(path):
        return _ZIP, mirax_members(path)
    return "image/tiff" if path.suffix.lower() in (".tif", ".tiff") else "application/octet-stream", (path,)


def _resolution(slide: Slide, properties: Mapping[str, str]) -> tuple[float, float]:
    if slide.mpp is not None:
        return slide.mpp if isinstance(slide.mpp, tuple) else (slide.mpp, slide.mpp)
    path = slide.path
    remedy = f"give it by hand, in µm per pixel: Slide({path.name!r}, mpp=0.25), or --mpp 0.25"
    try:
        mpp_x = float(properties["openslide.mpp-x"])
        mpp_y = float(properties["openslide.mpp-y"])
    except (KeyError, ValueError):
        raise ResolutionUnknown("the file has no resolution", path=str(path), remedy=remedy) from None
    for mpp in (mpp_x, mpp_y):
        if not SMALLEST_MPP <= mpp <= LARGEST_MPP:
            raise ResolutionUnknown(
                f"its resolution reads as {mpp:.4g} µm per pixel, outside {SMALLEST_MPP} to "
                f"{LARGEST_MPP:g}, so it is not the scan's",
                path=str(path),
                remedy=remedy,
            )
    return mpp_x, mpp_y
