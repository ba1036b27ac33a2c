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
    """The numbers of a run's items in each status, as the platform counts them.

        details = await run.details()
        if details.statistics is not None:
            print(details.statistics.succeeded, "of", details.statistics.total)

    `total` counts all items, and `pending` and `processing` those that are not final. The others count final
    ones: `succeeded`, `user_errors` (the input could not be analysed), `system_errors` (the platform failed)
    and `skipped` (the run was cancelled). The numbers may lag behind the items.
    """

    total: int
    """The number of all items."""
    pending: int
    """Items that are not processed yet."""
    processing: int
    """Items that are being processed."""
    succeeded: int
    """Final items with results."""
    user_errors: int
    """Final items whose input could not be analysed."""
    system_errors: int
    """Final items at which the platform failed."""
    skipped: int
    """Final items that were not processed, because the run was cancelled."""

    def by_status(self) -> Mapping[ItemStatus, int]:
        """Return the number of items in each status that the platform counts, 0 included.

            details.statistics.by_status()[ItemStatus.SUCCEEDED]

        The keys are PENDING, PROCESSING, SUCCEEDED, ERROR_USER, ERROR_SYSTEM and SKIPPED of `ItemStatus`, in
        this order.
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

    `Run.details` reads a new one. `run_id` is a UUID, `application_version_id` the id of the version, and
    `status` a `RunStatus`. `organization_id` is None if the server does not send it. `triggered_at` is the
    time of the submission by the platform's clock, and `triggered_by` the id of the user. All times have a
    time zone.

    All other fields are None by default, and under contract 1.0. `terminated_at` is the time at which the run
    became final. `statistics` are a `RunStatistics`, the numbers of its items in each status. `error` and
    `error_code` tell why the platform cancelled the run. `metadata` are the custom metadata as a mapping of
    JSON values, None or empty without any; `metadata_checksum` is their checksum, and `sdk_metadata` what
    this SDK has stored beside them, a JSON value. `due_date` and `deadline` are those of the request.
    `preceding_items_organization` and `preceding_items_platform` are numbers of items that are processed
    before those of this run.
    """

    run_id: str
    """The id of the run, a UUID."""
    application_version_id: str
    """The id of the version, such as `"he-tme:v1.2.3"`."""
    organization_id: str | None
    """The id of the organization; None if the server does not send it."""
    status: RunStatus
    """The status when the snapshot was taken."""
    triggered_at: datetime
    """The time at which the run was submitted, by the platform's clock and with time zone."""
    triggered_by: str
    """The id of the user who submitted the run."""
    terminated_at: datetime | None = None
    """The time at which the run became final, by the platform's clock and with time zone; None, the default,
    until then.
    """
    statistics: RunStatistics | None = None
    """The number of its items in each status; None by default."""
    error: str | None = None
    """The platform's message about a run that it cancelled, for people, cut off after 4,000 characters and
    with secrets redacted; None, the default, without one.
    """
    error_code: str | None = None
    """The platform's code for `error`, for programs; None, the default, without one."""
    metadata: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    """The custom metadata of the run, as JSON values, without what this SDK stores; None, the default, or
    empty without any.
    """
    metadata_checksum: str | None = field(default=None, repr=False)
    """A checksum of the custom metadata, with which `Run.set_metadata` notices a change that came in between;
    None, the default, if the server sends none.
    """
    sdk_metadata: Any = field(default=None, repr=False, hash=False)
    """What this SDK has stored with the run, beside `metadata`, as a JSON value; None, the default, if it has
    stored nothing.
    """
    due_date: datetime | None = None
    """The time by which the results are wanted, with time zone; None, the default, if the request named none.
    """
    deadline: datetime | None = None
    """The time at which the platform cancels the run if it is not complete, with time zone; None, the
    default, if the request named none.
    """
    preceding_items_organization: int | None = None
    """The number of items of the organization's other runs that are processed first; None, the default, if
    the platform does not send it.
    """
    preceding_items_platform: int | None = None
    """The number of items of all other runs on the platform that are processed first; None, the default, if
    the platform does not send it.
    """


@define
class OutputArtifactDraft:
    """The fields of an output artifact while it is decoded; users get an `OutputArtifact`, which explains
    them.

    Initialising a frozen object takes longer, and a page has hundreds. The decoder fills this one and then
    sets its class to OutputArtifact.
    """

    name: str
    """The name of the output, as `OutputArtifactSpec.name` has it."""
    artifact_id: str
    """The id of the artifact, a UUID."""
    metadata: Mapping[str, Any]
    """The metadata as JSON values; empty without any."""
    download_url: str | None = field(default=None, repr=False)
    """A signed URL, a secret that is valid for an hour; None, the default, if the server sent none."""
    is_available: bool = True
    """Whether the file can be downloaded, True by default; False once the results are deleted."""
    deleted_by: str | None = None
    """`"USER"`, or `"SYSTEM"` for the platform, which keeps results for 30 days; None, the default, for a
    file that is not deleted, and under contract 1.0.
    """


@frozen
class OutputArtifact(OutputArtifactDraft):
    """A result file of an item.

        for artifact in item.output_artifacts:
            print(artifact.name, artifact.mime_type, artifact.crc32c)

    `name` is that of the output, `artifact_id` a UUID, and `metadata` a mapping of JSON values, which may be
    empty. `download_url` is a signed URL, a secret that is valid for an hour; None, the default, if the
    server sent none; `Run.artifact_url` returns a fresh one. `is_available` is True by default, and False
    once the results are deleted; under contract 1.0 it is whether there is a URL. `deleted_by` is `"USER"` or
    `"SYSTEM"` for a deleted file under contract 1.8, else None, the default. The repr does not show the URL.
    """

    @property
    def mime_type(self) -> str:
        """The media type in the metadata, such as `text/csv`; `application/octet-stream` without one.

        The key is `media_type`, else `mime_type`.
        """
        for key in ("media_type", "mime_type"):
            if isinstance(value := self.metadata.get(key), str):
                return value
        return "application/octet-stream"

    @property
    def crc32c(self) -> str | None:
        """The CRC32C in the metadata, in wire form (the base64 of four bytes, such as `"AAAAAA=="`); None
        without one.

        The key is `checksum_base64_crc32c`, else `checksum_crc32c`. The text is not checked.
        """
        for key in CHECKSUM_KEYS:
            if isinstance(value := self.metadata.get(key), str):
                return value
        return None


@define
class ItemResultDraft:
    """The fields of an item while it is decoded; users get an `ItemResult`, which explains them.

    From `terminated_at` on, every field is None under contract 1.0.
    """

    item_id: str
    """The id of the item, a UUID."""
    run_id: str
    """The id of its run, a UUID."""
    reference: str
    """The caller's name for the item, unique in the run."""
    status: ItemStatus
    """The status when the snapshot was taken."""
    error: str | None
    """The platform's message about an item that failed, cut off after 4,000 characters and with secrets
    redacted; None without one.
    """
    output_artifacts: tuple[OutputArtifact, ...]
    """The result files that the server listed: all of them once the item has succeeded. Deleted ones stay
    listed, with `is_available` False.
    """
    terminated_at: datetime | None = None
    """The time at which the item became final, by the platform's clock and with time zone; None, the default,
    until then.
    """
    error_code: str | None = None
    """The platform's code for `error`, for programs; None, the default, without one."""
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    """The custom metadata of the item, as JSON values, without what this SDK stores; None, the default, or
    empty without any.
    """
    metadata_checksum: str | None = field(default=None, repr=False)
    """A checksum of the custom metadata, with which `Run.set_item_metadata` notices a change that came in
    between; None, the default, if the server sends none.
    """
    sdk_metadata: Any = field(default=None, repr=False)
    """What this SDK has stored with the item, beside `metadata`, as a JSON value; None, the default, if it
    has stored nothing.
    """
    queue_position_organization: int | None = None
    """The place of the item in the queue of the organization; None, the default, if the platform does not
    send it.
    """
    queue_position_platform: int | None = None
    """The place of the item in the queue of the platform; None, the default, if the platform does not send
    it.
    """


@frozen
class ItemResult(ItemResultDraft):
    """A snapshot of an item of a run.

        async for item in run.results():
            print(item.reference, item.status, item.error)

    `item_id` and `run_id` are the platform's ids, UUIDs, and `reference` is the caller's name for the item.
    `status` is an `ItemStatus`, and `error` the platform's message about an item that failed, or None.
    `output_artifacts` is a tuple of the files that the server listed, each an `OutputArtifact`, also deleted
    ones, with `is_available` False; empty without any.

    All other fields are None by default, and under contract 1.0. `terminated_at` is the time at which the
    item became final, with time zone. `error_code` is the code for `error`. `metadata` are the custom
    metadata as a mapping of JSON values, `metadata_checksum` their checksum, and `sdk_metadata` what this SDK
    has stored beside them. `queue_position_organization` and `queue_position_platform` are its places in the
    queues of the organization and the platform.
    """


@frozen
class InvalidItem:
    """An entry of a listing that can't be read, as `Page.invalid` and `InvalidItems.invalid` hold it.

        for entry in page.invalid:
            print(entry.index, entry.reason, entry.excerpt)

    `index` is its position on the page, from 0. `reason` says why it can't be read, and `excerpt` is its
    beginning, at most 300 characters with secrets redacted.
    """

    index: int
    """The position of the entry on its page, from 0."""
    reason: str
    """Why the entry can't be read."""
    excerpt: str
    """The beginning of the entry as JSON, at most 300 characters, with secrets redacted."""


@frozen
class Fault:
    """A fault in a run request, as `InvalidSubmission.faults` lists it; a warning of `Runs.submit` is one,
    too.

        for fault in error.faults:
            print(fault.reference, fault.artifact, fault.problem)

    `problem` says what is wrong. `reference` names the item and `artifact` the input artifact. Both are None
    by default: `reference` for a fault of the whole request or of the version, `artifact` for one of the
    whole request or item. `str(fault)` has all that is set in one line.
    """

    problem: str
    """What is wrong, for people."""
    reference: str | None = None
    """The reference of the item; None, the default, for a fault of the whole request or of the version."""
    artifact: str | None = None
    """The name of the input artifact; None, the default, for a fault of the whole item or request."""

    def __str__(self) -> str:
        place = [] if self.reference is None else [f"item {self.reference!r}"]
        place += [] if self.artifact is None else [f"artifact {self.artifact!r}"]
        return f"{', '.join(place)}: {self.problem}" if place else self.problem
