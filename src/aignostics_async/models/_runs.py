"""Runs, their items and artifacts, and the faults that errors list.

Ids are `str`, times are aware, lists are tuples, an absent value is None. Signed URLs never show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from ._statuses import ItemStatus, RunStatus

CHECKSUM_KEYS = ("checksum_base64_crc32c", "checksum_crc32c")
"""Where metadata carries a CRC32C: the current name first, then the one of older servers."""
RESERVED_KEY = "aignostics_async"
"""The key of custom metadata under which this SDK keeps its own; it is no part of `metadata`."""


@frozen
class RunStatistics:
    """How many items of a run have each status, as the platform counts them.

        details = await run.details()
        if details.statistics is not None:
            print(details.statistics.succeeded, "of", details.statistics.total)

    The counts may lag behind the items.
    """

    total: int
    """The number of items."""
    pending: int
    """Not processed yet."""
    processing: int
    """Being processed."""
    succeeded: int
    """Final, with results."""
    user_errors: int
    """Final: the input could not be analysed."""
    system_errors: int
    """Final: the platform failed."""
    skipped: int
    """Final: not processed, because the run was cancelled."""

    def by_status(self) -> Mapping[ItemStatus, int]:
        """Return the number of items in each status that the platform counts, 0 included.

            details.statistics.by_status()[ItemStatus.SUCCEEDED]

        The keys are PENDING, PROCESSING, SUCCEEDED, ERROR_USER, ERROR_SYSTEM and SKIPPED of `ItemStatus`. The
        numbers may lag behind the items.
        """
        return {
            ItemStatus.PENDING: self.pending,
            ItemStatus.PROCESSING: self.processing,
            ItemStatus.SUCCEEDED: self.succeeded,
            ItemStatus.ERROR_USER: self.user_errors,
            ItemStatus.ERROR_SYSTEM: self.system_errors,
            ItemStatus.SKIPPED: self.skipped,
        }


@frozen
class RunDetails:
    """A snapshot of a run: its status and version, and when and by whom it was submitted.

        details = await run.details()
        print(details.run_id, details.status, details.triggered_at)

    `triggered_at` has a time zone and is by the platform's clock.
    """

    run_id: str
    """The id of the run, a UUID."""
    application_version_id: str
    """The id of the version, such as `"he-tme:v1.2.3"`."""
    organization_id: str | None
    """The id of the organization; None if the server does not send it, as later contracts allow."""
    status: RunStatus
    """The status when the snapshot was taken."""
    triggered_at: datetime
    """When the run was submitted, with time zone, by the platform's clock."""
    triggered_by: str
    """The id of the user who submitted the run."""
    terminated_at: datetime | None = None
    """When the run became final, with time zone; None, the default, until then or if the contract does not
    tell.

    Each field that follows is None, too, if the contract does not tell it.
    """
    statistics: RunStatistics | None = None
    """How many of its items are in which state."""
    error: str | None = None
    """Why the platform cancelled the run, for people."""
    error_code: str | None = None
    """Why the platform cancelled the run, for programs."""
    metadata: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    """Metadata that the submitter has stored with the run, as JSON values."""
    metadata_checksum: str | None = field(default=None, repr=False)
    """A checksum of `metadata`, with which a change fails if another change came first."""
    """A checksum of `metadata`, with which a change fails if another change came before it."""
    sdk_metadata: Any = field(default=None, repr=False, hash=False)
    """What this SDK has stored with the run, beside `metadata`, as a JSON value."""
    due_date: datetime | None = None
    """When the results are wanted, with time zone."""
    deadline: datetime | None = None
    """When the results are no longer useful, with time zone."""
    preceding_items_organization: int | None = None
    """The number of items of the organization's other runs that are processed first."""
    preceding_items_platform: int | None = None
    """The number of items of all other runs on the platform that are processed first."""


@define
class OutputArtifactDraft:
    """The fields of an output artifact while it is decoded; users get an `OutputArtifact`.

    Initialising a frozen object takes three times as long, and a page has hundreds. The decoder fills this
    one and then sets its class to OutputArtifact.
    """

    name: str
    """The name of the output, as the version declares it."""
    artifact_id: str
    """The id of the artifact, a UUID."""
    metadata: Mapping[str, Any]
    """The metadata as JSON values."""
    download_url: str | None = field(default=None, repr=False)
    """A signed URL: a secret that is valid for an hour; None if the server sent none."""
    is_available: bool = True
    """Whether the file is there; False once the results are deleted."""


@frozen
class OutputArtifact(OutputArtifactDraft):
    """A result file of an item.

        for artifact in item.output_artifacts:
            print(artifact.name, artifact.mime_type, artifact.crc32c)

    `name`, `artifact_id` and `metadata` are the server's. `download_url` is a signed URL: a secret that is
    valid for an hour, or None if the server sent none. The repr does not show it.
    """

    @property
    def mime_type(self) -> str:
        """The media type in the metadata (`media_type` or `mime_type`); `application/octet-stream` without
        one.
        """
        for key in ("media_type", "mime_type"):
            if isinstance(value := self.metadata.get(key), str):
                return value
        return "application/octet-stream"

    @property
    def crc32c(self) -> str | None:
        """The CRC32C in the metadata, in wire form; None without one.

        It is `checksum_base64_crc32c`, or `checksum_crc32c` of older servers.
        """
        for key in CHECKSUM_KEYS:
            if isinstance(value := self.metadata.get(key), str):
                return value
        return None


@define
class ItemResultDraft:
    """The fields of an item while it is decoded; users get an `ItemResult`."""

    item_id: str
    """The id of the item, a UUID."""
    run_id: str
    """The id of its run, a UUID."""
    reference: str
    """The reference that the caller chose."""
    status: ItemStatus
    """The status when the snapshot was taken."""
    error: str | None
    """The platform's message about an item that failed; None without one."""
    output_artifacts: tuple[OutputArtifact, ...]
    """The result files that the server listed; all of them once the item has succeeded."""
    terminated_at: datetime | None = None
    """When the item became final, with time zone; None, the default, until then or if the contract does not
    tell.

    Each field that follows is None, too, if the contract does not tell it.
    """
    error_code: str | None = None
    """The platform's code for `error`, for programs."""
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    """Metadata that the submitter has stored with the item, as JSON values."""
    metadata_checksum: str | None = field(default=None, repr=False)
    """A checksum of `metadata`, with which a change fails if another change came first."""
    """Names this state of `metadata`, for a change that must not overwrite another one."""
    sdk_metadata: Any = field(default=None, repr=False)
    """What this SDK has stored with the item, beside `metadata`, as a JSON value."""
    queue_position_organization: int | None = None
    """The place of the item in the queue of the organization."""
    queue_position_platform: int | None = None
    """The place of the item in the queue of the platform."""


@frozen
class ItemResult(ItemResultDraft):
    """A snapshot of an item of a run.

        async for item in run.results():
            print(item.reference, item.status, item.error)

    `item_id` and `run_id` are the platform's ids, `reference` is the caller's. `status` is an `ItemStatus`,
    `error` the platform's message or None, and `output_artifacts` a tuple of the result files that the server
    listed, each an `OutputArtifact`.
    """


@frozen
class InvalidItem:
    """An entry of a listing that can't be read, as `Page.invalid` and `InvalidItems.invalid` hold it.

        for entry in page.invalid:
            print(entry.index, entry.reason, entry.excerpt)

    `index` is its position on the page, from 0. `excerpt` is its beginning, with secrets redacted.
    """

    index: int
    """The position of the entry on its page, from 0."""
    reason: str
    """Why the entry can't be read."""
    excerpt: str
    """The beginning of the entry, with secrets redacted."""


@frozen
class Fault:
    """A fault in a run request, as `InvalidSubmission.faults` lists it.

        for fault in error.faults:
            print(fault.reference, fault.artifact, fault.problem)

    `reference` and `artifact` are None, the default, for a fault of the whole request or item. `str(fault)`
    names them and the problem in one line.
    """

    problem: str
    """What is wrong."""
    reference: str | None = None
    """The reference of the item; None for a fault of the whole request or of the version."""
    artifact: str | None = None
    """The name of the input artifact; None for a fault of the whole item or request."""

    def __str__(self) -> str:
        place = [] if self.reference is None else [f"item {self.reference!r}"]
        place += [] if self.artifact is None else [f"artifact {self.artifact!r}"]
        return f"{', '.join(place)}: {self.problem}" if place else self.problem
