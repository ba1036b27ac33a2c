"""The live handle of one run."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from .._core._backoff import Backoff
from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_texts, as_uuid
from ..downloads._listing import follow_listings, list_once
from ..errors import Conflict, Gone, NotFound, run_error
from ..models import ItemResult, ItemStatus, RunDetails, RunStatus
from ..watch._start import wait_for, watch_run

if TYPE_CHECKING:
    import os

    from .._session import Session
    from ..downloads._outcomes import DownloadReport
    from ..transfer._progress import Progress
    from ..watch import Watcher


_READ_AFTER_WRITE = Backoff(0.05, 1.6)


class Run:
    """A handle of a run; creating one does no I/O, so a stored id is enough after a restart."""

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
        """Whether the run was created through this handle so recently that reads may miss it."""
        return time.monotonic() < self._grace_until

    async def details(self) -> RunDetails:
        """Return the current details of the run; costs one request.

        Raises NotFound if the caller has no such run. For a run that was just created through this handle,
        NotFound is retried for `Settings.read_after_write_timeout`, because replicas lag.
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
        sort: str | Sequence[str] = (),
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[ItemResult]:
        """Return a pager of the run's items with their results so far; no I/O until it is iterated.

            async for item in run.results(statuses=["ERROR_USER"]):
                print(item.reference, item.error)

        An item must match every filter that is passed; several values of one filter are alternatives.
        References are sent in the URL: pass a few dozen at most. `sort` names fields, each with a leading `-`
        for descending order. Each request signs new download URLs, which are valid for an hour. Costs one
        request per page of `page_size` items, by default 100. Raises UsageError unless `page_size` is from 5
        to 100.
        """
        filters = {
            "item_ids": as_texts(item_ids, "item_ids"),
            "references": as_texts(references, "references"),
            "statuses": as_texts(statuses, "statuses"),
        }
        return Pager(
            "list results",
            lambda page: self._session.bridge.list_run_results(self.id, page, **filters),
            PageRequest.first(sort, page_size),
            key=lambda item: item.item_id,
        )

    def watch(self, *, cursor: str | None = None) -> Watcher:
        """Watch the run: its current state and those of its items first, then each change.

            async for change in run.watch():
                print(change.reference, change.old, "->", change.new)

        The final state of the run comes last, after a later scan of its results has shown every item as
        final. If no scan does so within `Settings.results_timeout`, the last change has `items_incomplete`
        set. Each state is reported once, and a final one always; a state that lasts less than a poll interval
        may be missed. With the `cursor` of an earlier change, watching continues from that change, which is
        yielded again.

        Costs one request per `Settings.poll_interval` for the run, and while it is RUNNING about as many for
        its items; the watchers of a client share requests. Transient failures are tolerated for
        `Settings.outage_timeout`, then raised. Raises NotFound if the run does not exist, RunVanished if it
        was deleted in the meantime, and UsageError for an invalid cursor.
        """
        return watch_run(self._session.poller, self.id, is_new=self.is_new, cursor=cursor)

    async def wait(self) -> RunDetails:
        """Wait until the run is final, and return its details.

            async with asyncio.timeout(3600):
                details = await run.wait()

        A completed run may have items with errors. Raises RunFailed if the platform rejected or cancelled the
        run, and RunCancelled if its user cancelled it; both carry the details. Failures while waiting are
        raised as by `watch`. Costs one request per `Settings.poll_interval`, which all watchers of a client
        share.
        """
        details = await wait_for(self._session.poller, self.id, is_new=self.is_new)
        if (ended := run_error(details)) is not None:
            raise ended
        return details

    async def cancel(self) -> bool:
        """Ask the platform to stop the run: pending items are not processed and not billed.

        Returns True, or False if the run was cancelled before; finding that out costs one more request.
        Raises Conflict if the run ended otherwise, and NotFound if the caller has no such run.
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
        """Delete all output artifacts of a final run permanently; the platform does so after 30 days.

        Artifacts that are deleted already are not an error, because the reply to an earlier attempt may have
        been lost. Raises Conflict if the run is not final, and NotFound if the caller has no such run.
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
        only those that exist now. A file appears under its name only when it is complete and has the promised
        CRC32C. A file that already has the promised bytes is not downloaded again; checking that reads it
        once per client. An interrupted download is resumed.

        A failed file or run is reported and not raised, and does not stop other files. Raises what `watch`
        raises, or with `wait=False` NotFound and what every request raises. `progress` is called with a
        `TransferEvent`; an exception that it raises stops the download and is raised.
        """
        from ..downloads._run_download import download_results

        return await download_results(
            self,
            follow_listings(self, self.watch()) if wait else list_once(self),
            Path(folder),
            engine=self._session.engine,
            checksums=self._session.checksums,
            progress=progress,
        )
