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
    """A handle of a run. Making one does no I/O, so a stored id is enough after a restart."""

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
        """Whether the run was created through this handle in the last seconds, so that reads may miss it."""
        return time.monotonic() < self._grace_until

    async def details(self) -> RunDetails:
        """Return the current details of the run; costs one request.

        Raises NotFound unless it is one of the caller's. A run that was just created through this handle is
        asked for again for `Settings.read_after_write_timeout` first, because replicas lag.
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
        """Return a pager of the run's items with their results so far.

            async for item in run.results(statuses=["ERROR_USER"]):
                print(item.reference, item.error)

        An item must match every filter that is given; several values of one filter are alternatives.
        References travel in the URL: give some dozens at most. `sort` names fields, each with `-` in front
        for descending order. Each request signs new download URLs, which live for an hour. Costs one request
        per page of `page_size` items, 5 to 100.
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

        The run's final state comes last, after a scan of all results that began later shows every item final.
        If `Settings.results_timeout` passes before, it says `items_incomplete`. Each state is reported once,
        and a final one always; a state that lasts less than a poll interval may be missed. With the `cursor`
        of a change, watching continues after that change.

        Costs one request per `Settings.poll_interval` for the run, and while it is RUNNING about as many for
        its items; the watchers of a client share requests. Transient failures are tolerated for
        `Settings.outage_timeout`. Raises NotFound if the run does not exist, RunVanished if it does not any
        more, and UsageError for an invalid cursor.
        """
        return watch_run(self._session.poller, self.id, is_new=self.is_new, cursor=cursor)

    async def wait(self) -> RunDetails:
        """Wait until the run is final, and return its details.

            async with asyncio.timeout(3600):
                details = await run.wait()

        A completed run may have items with errors. Raises RunFailed if the platform rejected the run or gave
        it up, and RunCancelled if its user cancelled it; both carry the details. Costs one request per
        `Settings.poll_interval`, which all watchers of a client share.
        """
        details = await wait_for(self._session.poller, self.id, is_new=self.is_new)
        if (ended := run_error(details)) is not None:
            raise ended
        return details

    async def cancel(self) -> bool:
        """Ask the platform to stop: pending items are not processed and cost nothing.

        Return True, or False for a run that was cancelled before, which is no error; to tell it from another
        final run costs one request more. Raises Conflict if the run ended otherwise.
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
        """Delete all output artifacts of a final run, for good; the platform does it after 30 days.

        Results that are deleted already are no error: the reply to the first request may have been lost.
        Raises Conflict where the run is not final yet.
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
        only those that exist now. A file appears under its name only once it is complete and has the promised
        CRC32C. A file that is there with the promised bytes is not downloaded again; it is read for that once
        per client. An interrupted download is resumed. A failed file does not stop the others.

        `progress` is called with a `TransferEvent`; what it raises stops the download and is raised.
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
