"""What users hold: what they give to a run, and frozen pictures of what the platform answers.

Ids are `str`, times are aware, lists are tuples, an absent value is None. Signed URLs never show in a repr.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TypeVar

from attrs import define, field, frozen

from ._core._crc32c import CHECKSUM_KEYS
from .errors import UsageError

_T = TypeVar("_T")


class _OpenEnum(StrEnum):
    """An enum of the platform, which may grow, and whose older servers wrote their values in lower case.

    Every value keeps the text that it was read from. One that differs from a listed member only in case has
    that member's name, equals it, and has its hash, so it is found in sets and dictionaries of members; it
    equals its own text and the member's. Compare with `==`: it is not the same object. A value that is not
    listed is its own name, and equals nothing but its text.

    The hash is the name's. So a set of plain texts finds a value by the listed spelling only.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        listed = cls.__members__.get(value.upper())
        text = str.__new__(cls, value)
        text._value_ = str(value)
        text._name_ = text._value_ if listed is None else listed.name
        return text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _OpenEnum):
            return self._name_ == other._name_
        return isinstance(other, str) and other in (self._value_, self._name_)

    def __ne__(self, other: object) -> bool:
        # A str has one of its own.
        return not self == other

    def __hash__(self) -> int:
        return hash(self._name_)

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        # Python 3.11 up to 3.11.3 pickles the name, which says less than the text.
        return type(self), (self._value_,)


class RunStatus(_OpenEnum):
    """Where a run stands. A status that this release does not know keeps its text and is not final."""

    RECEIVED = "RECEIVED"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    REJECTED = "REJECTED"
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    CANCELED_USER = "CANCELED_USER"

    @property
    def is_final(self) -> bool:
        """Whether the run will change no more."""
        return self in _FINAL_RUN_STATUSES


_FINAL_RUN_STATUSES = frozenset(
    {
        RunStatus.COMPLETED,
        RunStatus.COMPLETED_WITH_ERROR,
        RunStatus.REJECTED,
        RunStatus.CANCELED_SYSTEM,
        RunStatus.CANCELED_USER,
    }
)


class ItemStatus(_OpenEnum):
    """Where an item stands. A status that this release does not know keeps its text and is not final."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    ERROR_USER = "ERROR_USER"
    ERROR_SYSTEM = "ERROR_SYSTEM"
    CANCELED_USER = "CANCELED_USER"
    CANCELED_SYSTEM = "CANCELED_SYSTEM"

    @property
    def is_final(self) -> bool:
        """Whether the item will change no more."""
        return self in _FINAL_ITEM_STATUSES


_FINAL_ITEM_STATUSES = frozenset(ItemStatus) - {ItemStatus.PENDING}


class ArtifactScope(_OpenEnum):
    """Whether an output belongs to each item or to the run as a whole."""

    ITEM = "ITEM"
    GLOBAL = "GLOBAL"


# What the platform answers


@frozen
class Application:
    """An application that the caller's organization may run."""

    application_id: str
    name: str
    description: str
    regulatory_classes: tuple[str, ...]


@frozen
class InputArtifactSpec:
    """A file that a version needs for each item; its metadata must fit `metadata_schema`, a JSON schema."""

    name: str
    mime_type: str
    metadata_schema: Mapping[str, Any] = field(repr=False)


@frozen
class OutputArtifactSpec:
    """A file that a version produces, for each item or for the run."""

    name: str
    mime_type: str
    metadata_schema: Mapping[str, Any] = field(repr=False)
    scope: ArtifactScope


@frozen
class ApplicationVersion:
    """A version of an application: what it needs and what it gives."""

    application_version_id: str
    application_id: str
    version: str
    changelog: str
    created_at: datetime
    input_artifacts: tuple[InputArtifactSpec, ...]
    output_artifacts: tuple[OutputArtifactSpec, ...]


@frozen
class RunDetails:
    """A run as it stood when it was asked for."""

    run_id: str
    application_version_id: str
    organization_id: str
    status: RunStatus
    triggered_at: datetime
    triggered_by: str


@define
class OutputArtifactDraft:
    """The fields of an output artifact while it is decoded, hundreds to a page.

    Filling a frozen object takes three times as long as filling this one, which then becomes an
    OutputArtifact by its class.
    """

    name: str
    artifact_id: str
    metadata: Mapping[str, Any]
    download_url: str | None = field(default=None, repr=False)


@frozen
class OutputArtifact(OutputArtifactDraft):
    """A result file of an item. `download_url` is signed, lives for an hour, and is a secret."""

    @property
    def mime_type(self) -> str:
        """The media type that the application gave, else `application/octet-stream`."""
        for key in ("media_type", "mime_type"):
            if isinstance(value := self.metadata.get(key), str):
                return value
        return "application/octet-stream"

    @property
    def crc32c(self) -> str | None:
        """The CRC32C that the application gave, in its wire form."""
        for key in CHECKSUM_KEYS:
            if isinstance(value := self.metadata.get(key), str):
                return value
        return None


@define
class ItemResultDraft:
    """The fields of an item's result while it is decoded."""

    item_id: str
    run_id: str
    reference: str
    status: ItemStatus
    error: str | None
    output_artifacts: tuple[OutputArtifact, ...]


@frozen
class ItemResult(ItemResultDraft):
    """An item of a run as it stood when it was asked for."""


@frozen
class InvalidItem:
    """An entry of a list that can't be read: its place on the page, why, and a redacted excerpt."""

    index: int
    reason: str
    excerpt: str


@frozen
class Fault:
    """One fault of a run request: whose item it is, which of its artifacts, and what is wrong."""

    problem: str
    reference: str | None = None
    artifact: str | None = None

    def __str__(self) -> str:
        place = [] if self.reference is None else [f"item {self.reference!r}"]
        place += [] if self.artifact is None else [f"artifact {self.artifact!r}"]
        return f"{', '.join(place)}: {self.problem}" if place else self.problem


# What users give


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


@frozen
class Slide:
    """A whole-slide image on this machine: a file, or any one file of a DICOM series.

    Size and resolution are read from the file. Give `mpp` (µm per pixel, one number or x and y) where the
    file has none or a wrong one. `metadata` adds to what is read, and wins over it.
    """

    path: Path = field(converter=_as_path)
    mpp: float | tuple[float, float] | None = field(default=None, kw_only=True)
    metadata: Mapping[str, Any] = field(factory=dict, kw_only=True, validator=_is_mapping)

    def __attrs_post_init__(self) -> None:
        numbers = self.mpp if isinstance(self.mpp, tuple) else (self.mpp, self.mpp)
        valid = [isinstance(number, int | float) and number > 0 for number in numbers]
        if self.mpp is not None and valid != [True, True]:
            raise UsageError(
                f"mpp of {self.path} is a positive number of µm per pixel, or two as (x, y), not {self.mpp!r}"
            )


@frozen
class InputArtifact:
    """An input file that already has a URL, which must stay valid for at least six days."""

    name: str = field(validator=_is_text)
    download_url: str = field(repr=False, validator=_is_text)
    metadata: Mapping[str, Any] = field(validator=_is_mapping)


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
    """One thing to process, known by a reference of the caller's that is unique in its run.

    Give a `slide` to be read, uploaded and signed by `runs.submit`, or `artifacts` that have URLs already.
    For a version with several inputs, `slide` is a mapping from artifact name to slide. A path is as good
    as a Slide.
    """

    reference: str = field(validator=_is_text)
    slide: Slide | Mapping[str, Slide] | None = field(default=None, kw_only=True, converter=_as_slides)
    artifacts: tuple[InputArtifact, ...] = field(default=(), kw_only=True, converter=_as_artifacts)


def as_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items of a request, or raise UsageError for anything else."""
    return _all_of(Item, items, "items")


def _all_of(kind: type[_T], values: Iterable[_T], what: str) -> tuple[_T, ...]:
    if not isinstance(values, Iterable):
        raise UsageError(f"{what} takes several of {kind.__name__}; put the one in a list")
    several = tuple(values)
    for value in several:
        if not isinstance(value, kind):
            raise UsageError(f"{what} takes {kind.__name__}, not {type(value).__name__}")
    return several
