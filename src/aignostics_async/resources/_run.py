"""The live handle of one run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from .._core._arguments import as_path
from .._core._backoff import Backoff
from .._core._misuse import explains_misuse
from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_item_path, as_path_part, as_texts, as_uuid
from ..contracts._protocol import refuse_reserved_key
from ..downloads._listing import follow_listings, list_once
from ..errors import Conflict, Gone, NotFound, UsageError, run_error
from ..models import ItemResult, ItemStatus, RunDetails, RunStatus
from ..watch._start import wait_for, watch_run
from ._metadata import MetadataEditor

if TYPE_CHECKING:
    import os

    from .._session import Session
    from ..downloads._outcomes import DownloadReport
    from ..transfer.progress._events import Progress
    from ..watch import Watcher

_READ_AFTER_WRITE = Backoff(0.05, 1.6)


@explains_misuse(
    "a run is a handle: write `await run.details()`, `await run.wait()` or `async for change in run.watch():`"
)
class Run:
    """A handle of a run, which reads its current state from the platform at each call.

        run = client.run("0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10")
        details = await run.wait()

    `id` is the run's id, a UUID as text. `Client.run`, `Runs.create` and `Runs.submit` create handles.
    Creating one sends no request, so a stored id is enough after a restart. Requests through it raise
    UsageError if the client is not open, and NotFound if the caller has no such run.
    """

    def __init__(self, run_id: str, session: Session, *, new: bool = False) -> None:
        self.id = as_uuid(run_id, "run id")
        self._session = session
        self._settings = session.settings
        # A run that was just created may be unknown to a replica for a moment.
        self._grace_until = time.monotonic() + session.settings.read_after_write_timeout if new else 0.0

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @property
    def is_new(self) -> bool:
        """Whether the run was created through this handle so recently that reads may not find it yet.

        True for `Settings.read_after_write_timeout`, 5 s by default.
        """
        return time.monotonic() < self._grace_until

    async def details(self) -> RunDetails:
        """Return the current details of the run.

            details = await run.details()
            print(details.status, details.triggered_at)

        Costs one request. If the run was just created through this handle, a 404 is retried for
        `Settings.read_after_write_timeout` (5 s), because replicas of the server lag. Raises NotFound if the
        caller has no such run, and the errors of requests that `Pager` names.
        """
        failures = 0
        while True:
            try:
                return await self._session.bridge.get_run(self.id)
            except NotFound:
                failures += 1
                wait = _READ_AFTER_WRITE.wait(failures, random.random())
                if time.monotonic() + wait > self._grace_until:
                    raise
            await anyio.sleep(wait)

    def results(
        self,
        *,
        item_ids: Iterable[str] = (),
        references: Iterable[str] = (),
        statuses: Iterable[ItemStatus | str] = (),
        metadata: Mapping[str, Any] | None = None,
        sort: str | Sequence[str] = (),
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[ItemResult]:
        """Return a pager of the run's items with their results so far; sends no request until it is iterated.

            async for item in run.results(statuses=["ERROR_USER"]):
                print(item.reference, item.error)

        By default it has all items. An item must match every filter that is passed; several values of one
        filter are alternatives. Ids and references are sent in the URL, so pass a few dozen at most.
        `statuses` are values of `ItemStatus`. `metadata`, None by default, selects items by their own, as
        `Runs.list` selects runs. `sort` is one or several of `item_id`, `reference`, `status` and, under
        contract 1.8, `metadata`, `terminated_at` and `termination_reason`, each with a leading `-` for
        descending order; by default the server decides. Each request signs new download URLs, which are valid
        for an hour; under contract 1.8 the server may leave them out.

        Costs one request per page of `page_size` items, from 5 to 100 and by default 100; under contract 1.8
        several `statuses`, ERROR_SYSTEM and the CANCELED ones are filtered by the client, and pages count the
        others, too. Raises UsageError for another `page_size`, a `sort` that is not text, a filter that is
        not several texts, a status that `ItemStatus` does not list, or `metadata` that are no mapping or have
        the SDK's own key. Iterating raises NotFound if the caller has no such run, UsageError for an item id
        that is not a UUID, another field in `sort`, or `metadata` as `Runs.list` does, NotInContract for
        `metadata` under contract 1.0, and the errors that `Pager` names.
        """
        filters = {
            "item_ids": as_texts(item_ids, "item_ids"),
            "references": as_texts(references, "references"),
            "statuses": _as_statuses(statuses),
        }
        refuse_reserved_key(metadata)
        return Pager(
            "list results",
            lambda page: self._session.bridge.list_run_results(self.id, page, metadata=metadata, **filters),
            PageRequest.first(sort, page_size),
            key=lambda item: item.item_id,
        )

    async def set_metadata(self, metadata: Mapping[str, Any], *, read: RunDetails | None = None) -> None:
        """Replace all custom metadata of the run, unless they have changed since they were read.

            details = await run.details()
            await run.set_metadata({**(details.metadata or {}), "study": "lung-7"}, read=details)

        `metadata` is a mapping of JSON values; an empty one removes all metadata. `read` are the details that
        it is based on. Without `read`, None by default, they are read first, so only a change between the two
        requests is noticed. A run that never had metadata has no checksum to compare, so of two first writes
        the last one holds. What the SDK itself keeps with the run is not changed.

        Costs one request, one more without `read`, and one more if a repeated request is refused, to see
        whether the first one took effect. Raises PreconditionFailed if the metadata were changed in between;
        UsageError for no mapping, a value that is not JSON, the SDK's own key or anything but details of this
        run as `read`; NotInContract under contract 1.0; NotFound if the caller has no such run; and the
        errors of requests that `Pager` names.
        """
        if read is not None and not isinstance(read, RunDetails):
            raise UsageError(f"read takes the RunDetails of the run, not {type(read).__name__}")
        if read is not None and read.run_id != self.id:
            raise UsageError(f"these are the details of run {read.run_id}, not of {self.id}")
        await self._metadata().replace(metadata, read)

    async def update_metadata(
        self, change: Callable[[dict[str, Any]], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Read the custom metadata of the run, change them with a function, and write and return the result.

            await run.update_metadata(lambda metadata: {**metadata, "reviewed": True})

        `change` is a plain function. It is called in the event loop with a copy of the metadata, an empty
        dict if there are none, and returns all new metadata, a mapping of JSON values. If somebody else
        changed them in between, they are read again and `change` is called again, up to ten times. The first
        metadata of a run are written as by `set_metadata`. An exception of the function is raised.

        Costs two requests per attempt, with a wait of at most 1.6 s before the next. Raises
        PreconditionFailed after the tenth attempt, UsageError if `change` is no plain function or returns no
        mapping, and what `set_metadata` raises.
        """
        return await self._metadata().update(change)

    async def set_item_metadata(
        self, reference: str, metadata: Mapping[str, Any], *, read: ItemResult | None = None
    ) -> None:
        """Replace all custom metadata of an item, unless they have changed since they were read.

            await run.set_item_metadata("case-7", {"block": "A1"})

        It does for an item what `set_metadata` does for the run, at the same cost. `read` is the `ItemResult`
        that the new metadata are based on; None, the default, to read it first. Raises UsageError also for a
        reference that is empty, can't be in a URL or has a slash, which the platform may not find in a path,
        and for anything but this item as `read`; NotFound if the run has no such item; InvalidItems if it
        can't be read; and what `set_metadata` raises.
        """
        if read is not None and not isinstance(read, ItemResult):
            raise UsageError(f"read takes the ItemResult of the item, not {type(read).__name__}")
        if read is not None and (read.run_id, read.reference) != (self.id, reference):
            raise UsageError(f"this is item {read.reference!r} of run {read.run_id}, not {reference!r}")
        await self._item_metadata(reference).replace(metadata, read)

    async def update_item_metadata(
        self, reference: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Read the custom metadata of an item, change them with a function, and write and return the result.

            await run.update_item_metadata("case-7", lambda metadata: {**metadata, "block": "A1"})

        It does for an item what `update_metadata` does for the run, at the same cost: `change` is called with
        a copy of the metadata, and returns all new ones. Raises what `update_metadata` and
        `set_item_metadata` raise.
        """
        return await self._item_metadata(reference).update(change)

    def _metadata(self) -> MetadataEditor:
        bridge = self._session.bridge
        return MetadataEditor(bridge.facts, self.details, partial(bridge.put_run_metadata, self.id))

    def _item_metadata(self, reference: str) -> MetadataEditor:
        bridge = self._session.bridge
        write = partial(bridge.put_item_metadata, self.id, as_item_path(reference))
        return MetadataEditor(bridge.facts, partial(self.item, reference), write)

    async def item(self, reference: str) -> ItemResult:
        """Return the item with a reference, and its results so far.

            item = await run.item("case-7")

        References may have slashes. Costs one request, and more of a server that ignores the filter. Raises
        NotFound if the run has no such item or the caller no such run, InvalidItems if the item may be one
        that can't be read, UsageError for a reference that is no text, and the errors of requests that
        `Pager` names.
        """
        # A server may ignore the filter, and then the item may be on any page.
        async for item in self.results(references=[reference]):
            if item.reference == reference:
                return item
        path = f"/api/v1/runs/{self.id}/items"
        raise NotFound(404, method="GET", path=path, detail=f"there is no item {reference!r}")

    async def artifact_url(self, item_id: str, artifact_id: str) -> str | None:
        """Return a fresh signed URL of an output artifact, or None if the platform no longer offers one.

            url = await run.artifact_url(item.item_id, artifact.artifact_id)

        The URL is a secret that is valid for an hour. Costs one request. Raises UsageError for an empty
        artifact id, NotFound for an unknown run, and the errors of requests that `Pager` names. Under
        contract 1.8 `item_id` is not used, and NotFound is raised for an unknown artifact. Under contract
        1.0 None is returned for an unknown item or artifact, UsageError is raised for an item id that is not
        a UUID, and InvalidItems if the item can't be read.
        """
        part = as_path_part(artifact_id, "artifact id")
        return await self._session.bridge.artifact_url(self.id, item_id, part)

    def watch(self, *, cursor: str | None = None) -> Watcher:
        """Watch the run: first its current state and those of its items, then each change.

            async for change in run.watch():
                print(change.reference, change.old, "->", change.new)

        The final state of the run comes last, after a later scan of its results has shown every item as
        final. If no scan does so within `Settings.results_timeout` (60 s), the last change has
        `items_incomplete` set. A state that lasts less than a poll interval may be missed, unless it is
        final. With the `cursor` of an earlier change (None by default), watching resumes at that change: it
        is yielded again, or the state that has replaced it since.

        Costs one request per `Settings.poll_interval` (30 s) for the run, and about one more for its items
        while the run is RUNNING; reading all items takes one per hundred. All watchers of a client share
        these requests. Transient failures are tolerated for `Settings.outage_timeout` (300 s), then raised;
        others are raised as they occur.

        Raises UsageError at once for an invalid cursor, or if the client is not open. Iterating raises
        NotFound if the run does not exist, RunVanished if it was deleted while it was watched, and the errors
        of requests that `Pager` names.
        """
        return watch_run(self._session.poller, self.id, is_new=self.is_new, cursor=cursor)

    async def wait(self) -> RunDetails:
        """Wait until the run is final, and return its details.

            async with asyncio.timeout(3600):
                details = await run.wait()

        A completed run may have items with errors. Costs one request per `Settings.poll_interval` (30 s),
        which all watchers of a client share. Raises RunFailed if the platform rejected or cancelled the run,
        and RunCancelled if its user cancelled it; both have the details. Raises NotFound if the run does not
        exist, RunVanished if it was deleted, and other failures as `watch` does.
        """
        details = await wait_for(self._session.poller, self.id, is_new=self.is_new)
        if (ended := run_error(details)) is not None:
            raise ended
        return details

    async def cancel(self) -> bool:
        """Ask the platform to stop the run: pending items are not processed and not billed.

            if not await run.cancel():
                print("it was already cancelled")

        Returns True if the platform accepted the request, and False if its user or the platform had already
        cancelled the run. Costs one request, and one more if the platform refuses the first. Raises Conflict
        if the run ended otherwise, NotFound if the caller has no such run, and the errors of requests that
        `Pager` names.
        """
        try:
            await self._session.bridge.cancel_run(self.id)
        except Conflict as conflict:
            refused = conflict
        else:
            return True
        status = (await self.details()).status
        if status not in (RunStatus.CANCELED_USER, RunStatus.CANCELED_SYSTEM):
            raise refused
        return False

    async def delete_results(self) -> None:
        """Delete all output artifacts of a final run permanently.

            await run.delete_results()

        The platform does so itself after 30 days. Artifacts that are deleted already are not an error. Files
        on this machine are not touched. Costs one request. Raises Conflict if the run is not final, NotFound
        if the caller has no such run, and the errors of requests that `Pager` names.
        """
        with suppress(Gone):
            await self._session.bridge.delete_run_results(self.id)

    async def download(
        self,
        folder: str | os.PathLike[str],
        *,
        wait: bool = True,
        progress: Progress | None = None,
    ) -> DownloadReport:
        """Download all output artifacts to `folder`, one folder per item, and report on each file.

            report = await run.download("results/")
            report.raise_for_failures()

        The files of an item are downloaded as soon as it succeeds, until the run is final; with `wait=False`
        only those that exist now (True by default). They are `{folder}/{reference}/{artifact name}` and an
        extension for the media type, with characters replaced that a file system may not accept; missing
        folders are created. A file gets its name only when it is complete and has the promised CRC32C, if one
        was promised. A file that already has the promised bytes is not downloaded again; it is read once per
        client to check that. An interrupted download that has 8 MiB or more, and a checksum or an ETag, is
        resumed by the next call.

        A failed file or run, or an item that can't be read, is in the report and not raised, and does not
        stop other files. `progress` is called in the event loop with a `TransferEvent` for each step; None,
        the default, for no callback. An exception that it raises stops the download and is raised.

        Costs one request for the details, one per hundred items, and one for each URL that the listing leaves
        out or the storage refuses; by default also the requests that `watch` costs. `Limits.transfers` (16)
        connections are shared by all files. Raises what `details` raises, by default also what `watch`
        raises, once the files under way are there; and UsageError for a `folder` that is no path or a
        `progress` that is no plain function.
        """
        from ..downloads._run_download import download_results

        return await download_results(
            self,
            follow_listings(self, self.watch()) if wait else list_once(self),
            as_path(folder, "folder"),
            engine=self._session.engine,
            checksums=self._session.checksums,
            progress=progress,
        )


def _as_statuses(values: Iterable[str]) -> tuple[str, ...]:
    """Return several statuses of items; raises UsageError for what is none, which would select nothing."""
    statuses = as_texts(values, "statuses")
    for status in statuses:
        if ItemStatus(status).name not in ItemStatus.__members__:
            listed = ", ".join(ItemStatus.__members__)
            raise UsageError(f"{str(status)!r} is no status of an item; there are {listed}")
    return statuses
