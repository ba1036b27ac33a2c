"""Reading a slide for a job: what it says of itself, or a finding."""

from __future__ import annotations

from collections.abc import Awaitable

from ...errors import NotASlide, ResolutionConflict, ResolutionUnknown, SlideError
from ...slides.workers._probed_slide import ProbedSlide
from ._findings import Finding, FindingKind

_KINDS: dict[type[SlideError], FindingKind] = {
    ResolutionUnknown: FindingKind.RESOLUTION,
    ResolutionConflict: FindingKind.RESOLUTION,
    NotASlide: FindingKind.FORMAT,
}


async def as_finding(probing: Awaitable[ProbedSlide], path: str) -> ProbedSlide | Finding:
    """Return what a slide says of itself, or why it can't be read; raises what concerns all slides."""
    try:
        return await probing
    except SlideError as error:
        kind = _KINDS.get(type(error), FindingKind.UNREADABLE)
        return Finding(kind, error.problem, error.remedy, path)
