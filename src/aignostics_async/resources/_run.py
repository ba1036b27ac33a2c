"""The live handle of one run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_texts, as_uuid
from .._run_errors import ending
from ..downloads._listing import follow_listings, list_once
from ..errors import Conflict, Gone, NotFound
from ..models import ItemResult, ItemStatus, RunDetails, RunStatus
from ..watch._start import wait_for, watch_run

if TYPE_CHECKING:
    import os

    from .._session import Session
    from ..downloads._outcomes import DownloadReport
    from ..transfer._progress import Progress
    from ..watch import Watcher


class Run:
    """A run, known by its id. Making one does no I/O, so a stored id is enough after a restart."""

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
        """Whether it was created through this handle just now, so that reads may not know it yet."""
        return time.monotonic() < self._grace_until

    async def details(self) -> RunDetails:
        """Return the run as it stands now; costs one request.

        Raises NotFound unless it is one of the caller's; for the first seconds of a run that this handle
        stands for since its creation, the question is asked again before that.
        """
        wait = 0.05
        while True:
            try:
                return await self._session.bridge.get_run(self.id)
            except NotFound:
                if time.monotonic() + wait > self._grace_until:
                    raise
            await anyio.sleep(wait)
            wait *= 2

    def results(
        self,
        *,
        item_ids: Iterable[str] = (),
        references: Iterable[str] = (),
        statuses: Iterable[ItemStatus | str] = (),
        sort: str | Sequence[str] = (),
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[ItemResult]:
        """Give the run's items with their results so far, one request per page of `page_size` (5 to 100).

        The filters narrow it down, together. References travel in the URL: give some dozens at most. The
        download URLs in it are signed anew by each request, and live for an hour.
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
        """Give the states of the run and its items, the current ones first, then each change.

        Ends after the run's final state, which comes last: it is held back until a reading of all results
        that began after it shows every item final, or `Settings.results_timeout` is over; then it says
        `items_incomplete`. Each state is given once, and a final one always; others that come and go
        between two looks are not seen. With the `cursor` of a change, it goes on from that change.

        Costs one request per `Settings.poll_interval` for the run, and while it is RUNNING about as many for
        its items, or shares those of all watchers of the client. Failures that pass are ridden out for
        `Settings.outage_timeout`. Raises NotFound where there is no such run, RunVanished where there is
        none any more, and UsageError for a cursor that is none.
        """
        return watch_run(self._session.poller, self.id, is_new=self.is_new, cursor=cursor)

    async def wait(self) -> RunDetails:
        """Return the run's details once it is final: completed, maybe with errors of single items.

        Raises RunFailed when the platform rejected it or gave it up, and RunCancelled when its user
        cancelled it; both carry the details. Set a deadline with `asyncio.timeout`. Costs one request per
        `Settings.poll_interval`, or a share of one where many runs are waited for.
        """
        details = await wait_for(self._session.poller, self.id, is_new=self.is_new)
        if (ended := ending(details)) is not None:
            raise ended
        return details

    async def cancel(self) -> None:
        """Ask the platform to stop: pending items are not processed and cost nothing.

        A run that is cancelled already is no error; telling it from another final run costs one request more.
        Raises Conflict where the run has ended otherwise.
        """
        try:
            await self._session.bridge.cancel_run(self.id)
        except Conflict as conflict:
            refused = conflict
        else:
            return
        status = (await self.details()).status
        if status not in (RunStatus.CANCELED_USER, RunStatus.CANCELED_SYSTEM):
            raise refused

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
        """Bring all output artifacts to `folder`, one folder per item, and tell what became of each file.

        Each item's files come as soon as it succeeds, until the run is final; with `wait=False` only what
        there is now. A file appears whole under its name, after its CRC32C was found to be the promised
        one; one that stands there already with the promised bytes is not downloaded again, and read for
        that once per client. What an earlier download left unfinished is taken up where it was. A failed
        file does not stop the others: see `DownloadReport.raise_for_failures`.
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
