"""What the platform answers, as frozen snapshots, and the faults that errors list.

Ids are `str`, times are aware, lists are tuples, an absent value is None. Signed URLs never show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from attrs import define, field, frozen

CHECKSUM_KEYS = ("checksum_base64_crc32c", "checksum_crc32c")
"""Where metadata carries a CRC32C: the current name first, then the one of older servers."""


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
    organization_id: str | None
    """None where the server does not tell it, as later contracts allow."""
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
