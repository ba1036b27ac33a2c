"""Errors of slides."""

from __future__ import annotations

from ._base import AignosticsError


class SlideError(AignosticsError):
    """A slide can't be read; `problem` says why, `remedy` what to do, if there is more to say."""

    def __init__(self, problem: str, *, path: str, remedy: str = "") -> None:
        super().__init__(f"{path}: {problem}; {remedy}" if remedy else f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class NotASlide(SlideError):
    """The content of a file is no slide, or of a format that can't be read."""


class ResolutionUnknown(SlideError):
    """A slide's resolution is missing, or reads as one that no scanner has; give it by hand."""


class ResolutionConflict(SlideError):
    """A resolution that was given differs from the file's own by more than 2 %; say which one is right.

    `from_file` and `given` are µm per pixel, across and down.
    """

    def __init__(self, *, path: str, from_file: tuple[float, float], given: tuple[float, float]) -> None:
        ours, theirs = (
            " x ".join(f"{mpp:.4g}" for mpp in dict.fromkeys(each)) for each in (from_file, given)
        )
        super().__init__(
            f"its file says {ours} µm per pixel, and {theirs} was given",
            path=path,
            remedy="say for this slide which one is right: mpp_source 'file' or 'given'",
        )
        self.from_file = from_file
        self.given = given
