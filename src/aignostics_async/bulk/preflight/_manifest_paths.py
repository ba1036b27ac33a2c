"""What a line of a manifest names, so that it stands for the whole slide: a file of it, or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...errors import SlideError
from ...slides.files._grouping import series_beside
from ._findings import Finding, FindingKind
from ._inspection import InspectedSlide


def manifest_path(slide: InspectedSlide, others: Iterable[InspectedSlide]) -> str | Finding:
    """Return the path that stands for a slide among others, or why none does; blocks.

    It is the slide's own, or the folder above its files where they are too far apart to be found.
    """
    files = _files(slide)
    if len({file.parent for file in files}) < 2 or set(files) <= set(_found(slide)):
        return slide.path
    above = Path(os.path.commonpath(files))
    if any(file.is_relative_to(above) for other in others if other is not slide for file in _files(other)):
        return Finding(
            FindingKind.SOURCE,
            "its files are in several folders, and no line of a manifest can name them alone",
            "put the files of the slide into a folder of their own",
            slide.path,
        )
    return str(above)


def _files(slide: InspectedSlide) -> Sequence[Path]:
    return (Path(slide.path),) if slide.info is None else slide.info.files


def _found(slide: InspectedSlide) -> Iterator[Path]:
    try:
        yield from series_beside(Path(slide.path))
    except SlideError:
        return
