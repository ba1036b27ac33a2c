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
    """An enum that the platform may extend, and that older servers wrote in lower case.

    A value keeps the text that it was read from. If it differs from a listed member only in case, it has
    that member's name and hash and equals both the member and its own text; compare with `==`, since it is
    not the same object. Another value has its text as its name, and equals only that.

    The hash is that of the name, so a set of plain strings finds a value by the listed spelling only.
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
        # str defines its own.
        return not self == other

    def __hash__(self) -> int:
        return hash(self._name_)

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        # Python before 3.11.4 pickles the name, which is less than the text.
        return type(self), (self._value_,)


class RunStatus(_OpenEnum):
    """The status of a run. A status that this release does not know keeps its text and is not final."""

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
        """Whether the run will not change any more: it is completed, rejected or cancelled."""
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
    """The status of an item. A status that this release does not know keeps its text and is not final."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    ERROR_USER = "ERROR_USER"
    ERROR_SYSTEM = "ERROR_SYSTEM"
    CANCELED_USER = "CANCELED_USER"
    CANCELED_SYSTEM = "CANCELED_SYSTEM"

    @property
    def is_final(self) -> bool:
        """Whether the item will not change any more: every known status but PENDING."""
        return self in _FINAL_ITEM_STATUSES


_FINAL_ITEM_STATUSES = frozenset(ItemStatus) - {ItemStatus.PENDING}


class ArtifactScope(_OpenEnum):
    """Whether an output belongs to one item or to the whole run."""

    ITEM = "ITEM"
    GLOBAL = "GLOBAL"


@frozen
class Application:
    """An application that the caller's organization may run.

    `regulatory_classes` are the platform's own words.
    """

    application_id: str
    name: str
    description: str
    regulatory_classes: tuple[str, ...]


@frozen
class InputArtifactSpec:
    """An input file that a version needs for each item.

    The metadata of the file must fit `metadata_schema`, a JSON schema.
    """

    name: str
    mime_type: str
    metadata_schema: Mapping[str, Any] = field(repr=False)


@frozen
class OutputArtifactSpec:
    """A file that a version produces for each item or for the whole run.

    `metadata_schema` is the JSON schema of the file's metadata.
    """

    name: str
    mime_type: str
    metadata_schema: Mapping[str, Any] = field(repr=False)
    scope: ArtifactScope


@frozen
class ApplicationVersion:
    """A version of an application: its inputs, its outputs and its changelog.

    `application_version_id` is such as `"h-e-tme:v1.2.3"`, and `version` such as `"1.2.3"`.
    """

    application_version_id: str
    application_id: str
    version: str
    changelog: str
    created_at: datetime
    input_artifacts: tuple[InputArtifactSpec, ...]
    output_artifacts: tuple[OutputArtifactSpec, ...]


@frozen
class RunDetails:
    """A snapshot of a run: its status, its version, and when and by whom it was triggered.

    `triggered_at` is aware, by the platform's clock.
    """

    run_id: str
    application_version_id: str
    organization_id: str | None
    """None where the server does not tell it, as later contracts allow."""
    status: RunStatus
    triggered_at: datetime
    triggered_by: str


@define
class OutputArtifactDraft:
    """The fields of an output artifact while it is decoded.

    Initialising a frozen object takes three times as long, and a page has hundreds. The decoder fills this
    one and then sets its class to OutputArtifact.
    """

    name: str
    artifact_id: str
    metadata: Mapping[str, Any]
    download_url: str | None = field(default=None, repr=False)


@frozen
class OutputArtifact(OutputArtifactDraft):
    """A result file of an item.

    `download_url` is a signed URL: a secret that is valid for an hour, or None if the server sent none.
    """

    @property
    def mime_type(self) -> str:
        """The media type in the metadata, by default `application/octet-stream`."""
        for key in ("media_type", "mime_type"):
            if isinstance(value := self.metadata.get(key), str):
                return value
        return "application/octet-stream"

    @property
    def crc32c(self) -> str | None:
        """The CRC32C that the metadata promise, in wire form, or None."""
        for key in CHECKSUM_KEYS:
            if isinstance(value := self.metadata.get(key), str):
                return value
        return None


@define
class ItemResultDraft:
    """The fields of an ItemResult while it is decoded."""

    item_id: str
    run_id: str
    reference: str
    status: ItemStatus
    error: str | None
    output_artifacts: tuple[OutputArtifact, ...]


@frozen
class ItemResult(ItemResultDraft):
    """A snapshot of an item of a run: its status, error and output artifacts."""


@frozen
class InvalidItem:
    """An entry of a list that can't be read: its index on the page, the reason, and a redacted excerpt."""

    index: int
    reason: str
    excerpt: str


@frozen
class Fault:
    """A fault in a run request: the problem, and the reference and artifact that it concerns.

    `reference` and `artifact` are None if it concerns the whole request or the whole item.
    """

    problem: str
    reference: str | None = None
    artifact: str | None = None

    def __str__(self) -> str:
        place = [] if self.reference is None else [f"item {self.reference!r}"]
        place += [] if self.artifact is None else [f"artifact {self.artifact!r}"]
        return f"{', '.join(place)}: {self.problem}" if place else self.problem
