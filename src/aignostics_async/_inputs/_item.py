"""An item of a run: a slide on this machine, or files that have URLs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen
from attrs.validators import optional

from .._core._secret import SecretText, conceals_fields
from ..errors import UsageError
from ._checks import all_of, is_mapping, is_text
from ._slide import Slide


def _hidden(url: str) -> str:
    return SecretText(url) if isinstance(url, str) else url


@conceals_fields
@frozen
class InputArtifact:
    """An input file that already has a URL.

        InputArtifact("whole_slide_image", url, {"width_px": 46000, "height_px": 32914})

    `name` is that of an input of the version. `download_url` is a signed URL from which the platform reads
    the file, to be valid for at least six days; it is a secret, and the repr does not show it. `metadata` are
    JSON values that must fit the JSON schema of the input. Creating it sends no request. Raises UsageError
    for a name or URL that is not a str, or metadata that are not a mapping.
    """

    name: str = field(validator=is_text)
    """The name of the input, as `InputArtifactSpec.name` has it."""
    download_url: str = field(repr=False, converter=_hidden, validator=is_text)
    """The signed URL, valid for at least six days. It is a secret and does not appear in the repr."""
    metadata: Mapping[str, Any] = field(validator=is_mapping)
    """Metadata as JSON values, which must fit the JSON schema that the version declares for this input."""


def _as_artifacts(artifacts: Iterable[InputArtifact]) -> tuple[InputArtifact, ...]:
    return all_of(InputArtifact, artifacts, "artifacts", "InputArtifact(name, url, metadata)")


def _as_slides(slide: _SlideLike | Mapping[str, _SlideLike] | None) -> Slide | Mapping[str, Slide] | None:
    if isinstance(slide, Mapping):
        if not all(isinstance(name, str) for name in slide):
            raise UsageError("Item.slide maps names of inputs, which are texts, to slides")
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

    `reference` is your name for the item. Set `slide` for files on this machine, which `Runs.submit` reads
    and uploads: a `Slide` or path, or for a version with several inputs a mapping from input name to one;
    None by default. Set `artifacts` for files that have URLs already, each an `InputArtifact`, or both for
    different inputs; empty by default. `metadata`, None by default, are JSON values that the platform keeps
    with the item and returns as `ItemResult.metadata`; a submission raises NotInContract for them under
    contract 1.0.

    Creating an Item does no I/O. Raises UsageError for a value of another type or an invalid slide.
    """

    reference: str = field(validator=is_text)
    """Your name for the item, unique within the run."""
    slide: Slide | Mapping[str, Slide] | None = field(default=None, kw_only=True, converter=_as_slides)
    """The slide or its path, which `runs.submit` reads and uploads; None by default.

    For a version with several inputs, a mapping from input name to slide or path.
    """
    artifacts: tuple[InputArtifact, ...] = field(default=(), kw_only=True, converter=_as_artifacts)
    """The input files that have URLs already; empty by default."""
    metadata: Mapping[str, Any] | None = field(
        default=None, kw_only=True, validator=optional(is_mapping), hash=False
    )
    """JSON values that the platform keeps with the item and returns as `ItemResult.metadata`; None, the
    default, for none. Not in contract 1.0.
    """


def as_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items of a request; raises UsageError for anything else."""
    return all_of(Item, items, "items", "Item('case-7', slide=path)")
