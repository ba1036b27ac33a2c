"""Inputs of a run: items, and their slides or files with URLs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from attrs import field, frozen
from attrs.validators import optional

from ._core._secret import SecretText, conceals_fields
from .errors import UsageError

_T = TypeVar("_T")


def _is_text(instance: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, str):
        raise UsageError(f"{type(instance).__name__}.{attribute.name} is a text, not {type(value).__name__}")


def _is_mapping(instance: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise UsageError(
            f"{type(instance).__name__}.{attribute.name} is a mapping, not {type(value).__name__}"
        )


def _as_path(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise UsageError(f"a slide is the path of a file, not {path!r}") from None


def _as_paths(paths: Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    if isinstance(paths, str) or not isinstance(paths, Iterable):
        raise UsageError(f"files takes several paths; put the one in a list: [{paths!r}]")
    return tuple(map(_as_path, paths))


def _is_mpp_source(_slide: object, _attribute: Any, value: Any) -> None:
    if value not in (None, "file", "given"):
        raise UsageError(f"mpp_source is 'file' or 'given', not {value!r}")


@frozen
class Slide:
    """A whole-slide image on this machine: a file, or any one file of a slide with several.

        Slide("case-7.svs")
        Slide("case-7.tiff", mpp=0.25)

    The content of the file, not its name, determines the format and the other files of the slide. Size and
    resolution are read from the file when the slide is submitted. Creating a Slide does no I/O. Raises
    UsageError for a path, `files` or `metadata` of another type, an `mpp` that is not positive, another
    `mpp_source` than `"file"` and `"given"`, or `"given"` without `mpp`.
    """

    path: Path = field(converter=_as_path)
    """The path of the file, absolute or relative to the current folder."""
    mpp: float | tuple[float, float] | None = field(default=None, kw_only=True)
    """The resolution in µm per pixel, one number or a pair (x, y); by default the file's own.

    Set it for a file that has no resolution or an implausible one. A value that differs from the file's own
    by more than 2 % is refused unless `mpp_source` is set.
    """
    mpp_source: Literal["file", "given"] | None = field(default=None, kw_only=True, validator=_is_mpp_source)
    """Which resolution to use where the two differ: `"given"` for `mpp`, `"file"` for the file's own."""
    metadata: Mapping[str, Any] = field(factory=dict, kw_only=True, validator=_is_mapping)
    """Metadata of the input artifact; takes precedence over what is read from the file. Empty by default."""
    files: tuple[Path, ...] = field(default=(), kw_only=True, converter=_as_paths)
    """The files of the slide's DICOM series, as `find_slides` returns them.

    Empty by default; then the folder of `path` and those beside it are searched for the series.
    """
    include_label: bool = field(default=False, kw_only=True)
    """Whether the label and overview images of a DICOM series are sent too; False by default."""

    def __attrs_post_init__(self) -> None:
        numbers = self.mpp if isinstance(self.mpp, tuple) else (self.mpp, self.mpp)
        valid = [isinstance(number, int | float) and number > 0 for number in numbers]
        if self.mpp is not None and valid != [True, True]:
            raise UsageError(
                f"mpp of {self.path} is a positive number of µm per pixel, or two as (x, y), not {self.mpp!r}"
            )
        if self.mpp is None and self.mpp_source == "given":
            raise UsageError(f"mpp_source of {self.path} is 'given', and no mpp is")


def _hidden(url: str) -> str:
    return SecretText(url) if isinstance(url, str) else url


@conceals_fields
@frozen
class InputArtifact:
    """An input file that already has a URL.

        InputArtifact("whole_slide_image", url, {"width_px": 46000, "height_px": 32914})

    Raises UsageError for a name or URL that is not a str, or metadata that is not a mapping. Nothing is
    requested from the URL.
    """

    name: str = field(validator=_is_text)
    """The name of the input, as the application version declares it."""
    download_url: str = field(repr=False, converter=_hidden, validator=_is_text)
    """The signed URL, valid for at least six days. It is a secret and does not appear in the repr."""
    metadata: Mapping[str, Any] = field(validator=_is_mapping)
    """Metadata as JSON values, which must fit the JSON schema that the version declares for this input."""


def _as_artifacts(artifacts: Iterable[InputArtifact]) -> tuple[InputArtifact, ...]:
    return _all_of(InputArtifact, artifacts, "artifacts")


def _as_slides(slide: _SlideLike | Mapping[str, _SlideLike] | None) -> Slide | Mapping[str, Slide] | None:
    if isinstance(slide, Mapping):
        return {name: _as_slide(each) for name, each in slide.items()}
    return None if slide is None else _as_slide(slide)


def _as_slide(slide: _SlideLike) -> Slide:
    return slide if isinstance(slide, Slide) else Slide(slide)


_SlideLike = Slide | str | os.PathLike[str]


@frozen
class Item:
    """An item of a run, identified by a reference that is unique in the run.

        Item("case-7", slide="case-7.svs")
        Item("case-7", artifacts=[InputArtifact("slide", url, metadata)])

    Set `slide` for files on this machine, `artifacts` for files that have URLs, or both for different inputs.
    Creating an Item does no I/O. Raises UsageError for a value of another type or an invalid slide.
    """

    reference: str = field(validator=_is_text)
    """Your name for the item, unique within the run."""
    slide: Slide | Mapping[str, Slide] | None = field(default=None, kw_only=True, converter=_as_slides)
    """The slide or its path, which `runs.submit` reads and uploads; None by default.

    For a version with several inputs, a mapping from input name to slide or path.
    """
    artifacts: tuple[InputArtifact, ...] = field(default=(), kw_only=True, converter=_as_artifacts)
    """The input files that have URLs already; empty by default."""
    metadata: Mapping[str, Any] | None = field(
        default=None, kw_only=True, validator=optional(_is_mapping), hash=False
    )
    """JSON values that the platform keeps with the item and gives back; not in contract 1.0."""


def as_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items of a request; raises UsageError for anything else."""
    return _all_of(Item, items, "items")


def _all_of(kind: type[_T], values: Iterable[_T], what: str) -> tuple[_T, ...]:
    if not isinstance(values, Iterable):
        raise UsageError(f"{what} takes several of {kind.__name__}; put the one in a list")
    several = tuple(values)
    for value in several:
        if not isinstance(value, kind):
            raise UsageError(f"{what} takes {kind.__name__}, not {type(value).__name__}")
    return several
