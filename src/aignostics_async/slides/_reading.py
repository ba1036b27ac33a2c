"""`read_slide` and `read_slides`: slides are read in processes of their own, which a damaged file may end."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .._core._tasks import run_all
from .._inputs import Slide
from ..errors import SlideError, UsageError
from ._read import SlideInfo
from .workers._prober import Prober


async def read_slide(slide: Slide, *, decode: bool = False) -> SlideInfo:
    """Read the size, resolution and other facts of a slide, in a process of its own.

        info = await read_slide(Slide("case-7.svs"))
        print(info.width, info.height, info.mpp_x)

    A damaged file may crash OpenSlide; that ends the process which reads it and not this one. With
    `decode=True` (False by default) every pixel is decoded, which finds damage within the file and takes
    minutes for a large slide. The process ends before the call returns, also after a cancellation. Costs
    about 0.3 s to start it, so read several slides with `read_slides`.

    Raises NotASlide for a file that is not a slide or of an unsupported format; ResolutionUnknown if the file
    has no resolution from 0.05 to 5 µm per pixel and no `mpp` is given; ResolutionConflict if `mpp`
    contradicts the file and `mpp_source` is not set; SlideError, their base class, if the slide is missing or
    incomplete, can't be read, changes meanwhile, takes longer than 60 s (an hour with `decode`) or ends the
    process; UsageError for anything but a Slide, or if no asyncio event loop is running; MissingExtra without
    the `slides` extra; and ConfigurationError if no process can be started.
    """
    (outcome,) = await read_slides([slide], decode=decode)
    if isinstance(outcome, SlideError):
        raise outcome
    return outcome


async def read_slides(slides: Iterable[Slide], *, decode: bool = False) -> list[SlideInfo | SlideError]:
    """Read several slides as `read_slide` does, and return a SlideInfo or a SlideError for each.

        slides = find_slides("lab/")
        for slide, outcome in zip(slides, await read_slides(slides)):
            print(slide.path, outcome)

    The list is in the order of the slides, and empty without any. As many slides are read at once as there
    are processors, from 2 to 8; the processes end before the call returns, also after a cancellation. With
    `decode=True` (False by default) every pixel is decoded. Costs about 0.3 s per process, and per slide what
    `read_slide` costs after that.

    An error of a slide is returned and not raised. Raises UsageError for anything but an iterable of Slide,
    or if no asyncio event loop is running; MissingExtra without the `slides` extra; and ConfigurationError if
    no process can be started, or if 20 slides in a row end theirs or take too long.
    """
    several = _as_slides(slides)
    async with Prober(decode=decode, workers=1 if len(several) == 1 else None) as prober:
        return await run_all([partial(_outcome, prober, each) for each in several], limit=2 * prober.workers)


def _as_slides(slides: Iterable[Slide]) -> list[Slide]:
    if isinstance(slides, Slide | str) or not isinstance(slides, Iterable):
        raise UsageError("read_slides takes several of Slide; put the one in a list")
    several = list(slides)
    for each in several:
        if not isinstance(each, Slide):
            raise UsageError(f"read_slide takes Slide(...), not {each!r}")
    return several


async def _outcome(prober: Prober, slide: Slide) -> SlideInfo | SlideError:
    try:
        return (await prober.probe(slide)).info
    except SlideError as error:
        return error
