"""The resolution of a slide: the file's own, or the one that was given where the file has none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ResolutionConflict, ResolutionUnknown, SlideError
from .formats._ome import Mpp, number_of, ome_resolution

if TYPE_CHECKING:
    from .._inputs import Slide

# µm per pixel. Outside it a number is not a scan's resolution but something else, such as 72 dpi.
MIN_MPP, MAX_MPP = 0.05, 5.0
MAX_DIFFERENCE = 0.02
"""How far two resolutions may differ, as a share of the larger, and still be the same."""


def is_plausible(mpp: float) -> bool:
    """Whether a number can be a scan's resolution in µm per pixel."""
    return MIN_MPP <= mpp <= MAX_MPP


def differ(one: float, other: float) -> bool:
    """Whether two resolutions differ by more than 2 %."""
    return abs(one - other) > MAX_DIFFERENCE * max(one, other)


def settle_resolution(slide: Slide, from_file: Mpp | None) -> Mpp:
    """Return the resolution that counts.

    The file's own counts where it is plausible. A given one counts where the file has none, or where the
    slide says `mpp_source="given"`. Raises ResolutionConflict where the two differ by more than 2 % and
    the slide does not say which is right, ResolutionUnknown where there is none, and SlideError where the one
    that counts is given and implausible.
    """
    given = slide.mpp if slide.mpp is None or isinstance(slide.mpp, tuple) else (slide.mpp, slide.mpp)
    usable = from_file if from_file is not None and all(map(is_plausible, from_file)) else None
    if given is not None and (usable is None or slide.mpp_source == "given"):
        return _plausible(slide, given)
    if usable is None:
        raise _unknown(slide, from_file)
    if given is not None and slide.mpp_source is None and any(map(differ, given, usable)):
        raise ResolutionConflict(path=str(slide.path), from_file=usable, given=given)
    return usable


def _plausible(slide: Slide, given: Mpp) -> Mpp:
    wrong = next((mpp for mpp in given if not is_plausible(mpp)), None)
    if wrong is None:
        return given
    raise SlideError(
        f"the resolution that was given, {wrong:.4g} µm per pixel, is outside {MIN_MPP} to {MAX_MPP:g}",
        path=str(slide.path),
        remedy="give µm per pixel, such as 0.25 for a scan at 40 times",
    )


def _unknown(slide: Slide, from_file: Mpp | None) -> ResolutionUnknown:
    path = slide.path
    # The same for every slide, so that a report can group them.
    remedy = (
        "give it for this slide, in µm per pixel: in the column mpp of a manifest, or with --mpp if no file "
        "plausibly says another one; in Python, Slide(..., mpp=0.25)"
    )
    if from_file is None:
        return ResolutionUnknown("the file has no resolution", path=str(path), remedy=remedy)
    wrong = next(mpp for mpp in from_file if not is_plausible(mpp))
    return ResolutionUnknown(
        f"its resolution reads as {wrong:.4g} µm per pixel, outside {MIN_MPP} to {MAX_MPP:g}, so it is not "
        "the scan's",
        path=str(path),
        remedy=remedy,
    )


def resolution_of(
    properties: Mapping[str, str], description: str, size: tuple[int, int] | None = None
) -> Mpp | None:
    """Return the resolution that a file says it has, by its tags or else by its OME description.

    `size` is that of the slide in pixels, width and height: a description of other sizes does not count.
    """
    tags = number_of(properties.get("openslide.mpp-x")), number_of(properties.get("openslide.mpp-y"))
    ome = ome_resolution(description, size)
    if tags[0] is None or tags[1] is None:
        return ome
    told = tags[0], tags[1]
    return ome if ome is not None and not all(map(is_plausible, told)) else told
