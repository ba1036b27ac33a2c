"""A whole-slide image on this machine, as callers name it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from .._core._arguments import as_path
from ..errors import UsageError
from ._checks import is_flag, is_mapping


def _as_path(path: str | os.PathLike[str]) -> Path:
    return as_path(path, "a slide")


def _as_paths(paths: Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    if isinstance(paths, str) or not isinstance(paths, Iterable):
        raise UsageError(f"files takes several paths; put the one in a list: [{paths!r}]")
    return tuple(as_path(path, "a file of a slide") for path in paths)


def _is_mpp_source(_slide: object, _attribute: Any, value: Any) -> None:
    if value not in (None, "file", "given"):
        raise UsageError(f"mpp_source is 'file' or 'given', not {value!r}")


def _is_positive(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < inf


@frozen
class Slide:
    """A whole-slide image on this machine: a file, or any one file of a slide with several.

        Slide("case-7.svs")
        Slide("case-7.tiff", mpp=0.25)

    `path` is that of the file. `mpp` is the resolution in µm per pixel, a number or a pair (x, y); None, the
    default, for the file's own. `mpp_source`, `"given"` or `"file"`, says which counts if the two differ by
    more than 2 %; with None, the default, such a slide is refused. `metadata`, a mapping, empty by default,
    takes precedence over what is read from the file. `files` and `include_label` are for DICOM: the files of
    the series, searched if empty, as by default, and whether its label and overview images are sent, False by
    default.

    Creating a Slide does no I/O. Raises UsageError for a `path` or `files` that are no paths, `metadata` that
    are no mapping, an `mpp` that is not a positive, finite number or a pair of them, another `mpp_source`, or
    `"given"` without `mpp`, or an `include_label` that is not True or False.
    """

    path: Path = field(converter=_as_path)
    """The path of the file, absolute or relative to the current folder."""
    mpp: float | tuple[float, float] | None = field(default=None, kw_only=True)
    """The resolution in µm per pixel, one number or a pair (x, y); by default the file's own.

    Set it for a file that has no resolution or an implausible one. A value that differs from the file's own
    by more than 2 % is refused unless `mpp_source` is set, and one outside 0.05 to 5 if it would count.
    """
    mpp_source: Literal["file", "given"] | None = field(default=None, kw_only=True, validator=_is_mpp_source)
    """Which resolution to use if the two differ: `"given"` for `mpp`, `"file"` for the file's own; None, the
    default, to refuse the slide.
    """
    metadata: Mapping[str, Any] = field(factory=dict, kw_only=True, validator=is_mapping)
    """Metadata of the input artifact; takes precedence over what is read from the file. Empty by default."""
    files: tuple[Path, ...] = field(default=(), kw_only=True, converter=_as_paths)
    """The files of the slide's DICOM series, as `find_slides` returns them.

    Empty by default; then the folder of `path` and those beside it are searched for the series.
    """
    include_label: bool = field(default=False, kw_only=True, validator=is_flag)
    """Whether the label and overview images of a DICOM series are sent too; False by default."""

    def __attrs_post_init__(self) -> None:
        numbers = self.mpp if isinstance(self.mpp, tuple) else (self.mpp, self.mpp)
        valid = [_is_positive(number) for number in numbers]
        if self.mpp is not None and valid != [True, True]:
            raise UsageError(
                f"mpp of {self.path} is a positive number of µm per pixel, or two as (x, y), not {self.mpp!r}"
            )
        if self.mpp is None and self.mpp_source == "given":
            raise UsageError(f"mpp_source of {self.path} is 'given', and no mpp is")
