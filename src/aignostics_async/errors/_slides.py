"""Errors of slides."""

from __future__ import annotations

from ._base import AignosticsError


class SlideError(AignosticsError):
    """A slide that can't be read or used.

        try:
            info = await read_slide(Slide("case-7.svs"))
        except SlideError as error:
            print(error.path, error.problem, error.remedy)

    Raised by `read_slide`, and returned by `read_slides`; `Runs.submit` reports it in
    `InvalidSubmission.faults` instead. `path` is the path as text, `problem` what is wrong, and `remedy` what
    to do, empty by default.
    """

    def __init__(self, problem: str, *, path: str, remedy: str = "") -> None:
        super().__init__(f"{path}: {problem}; {remedy}" if remedy else f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class NotASlide(SlideError):
    """A file that is not a slide, or has a format that is not supported.

    The attributes are those of `SlideError`; `remedy` may be empty.
    """


class ResolutionUnknown(SlideError):
    """A slide without a resolution, or with an implausible one; pass `mpp` to `Slide`.

    The attributes are those of `SlideError`.
    """


class ResolutionConflict(SlideError):
    """A slide whose `mpp` differs from the file's own resolution by more than 2 %; set `mpp_source`.

        try:
            info = await read_slide(Slide("case-7.svs", mpp=0.5))
        except ResolutionConflict as error:
            print(error.from_file, error.given)

    `from_file` and `given` are pairs of floats in µm per pixel, horizontal and vertical. The other attributes
    are those of `SlideError`.
    """

    def __init__(self, *, path: str, from_file: tuple[float, float], given: tuple[float, float]) -> None:
        ours, theirs = (
            " x ".join(f"{mpp:.4g}" for mpp in dict.fromkeys(each)) for each in (from_file, given)
        )
        super().__init__(
            f"its file says {ours} µm per pixel, and {theirs} was given",
            path=path,
            remedy="say for this slide which one is right: a column mpp_source in a manifest with 'file' or "
            "'given'; in Python, Slide(..., mpp_source='given')",
        )
        self.from_file = from_file
        self.given = given
