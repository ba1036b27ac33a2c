"""Polling runs: all of them once per interval, and between these rounds those that may not exist."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from anyio import current_time

from .._core._pager import Page, PageRequest
from ..errors import AignosticsError, NotFound, RunVanished
from ..models import RunDetails
from ._outage import Outage
from ._run_scan import RunScan, ScanRequest, scan_runs

if TYPE_CHECKING:
    from .._config import Settings
    from ..contracts._protocol import Bridge
    from ._run_state import RunState
    from ._schedule import PollSchedule
    from ._subscriptions import Subscriptions
    from ._watcher_state import Subscription

# How soon a run that was not found is requested again, in seconds.
_RECHECK_WAIT = 0.5


class RunPoller:
    """Sends the requests of a round one by one, and decides when the next round begins."""

    def __init__(
        self, bridge: Bridge, settings: Settings, schedule: PollSchedule, subscriptions: Subscriptions
    ) -> None:
        self._bridge = bridge
        self._interval = settings.poll_interval
        self._outage_timeout = settings.outage_timeout
        self._read_after_write_timeout = settings.read_after_write_timeout
        self._schedule = schedule
        self._subscriptions = subscriptions
        self._outage = Outage(schedule, settings.outage_timeout)
        self._scan: RunScan | None = None
        self._request: ScanRequest | None = None
        self._is_full_round = False
        self._began = 0.0
        self._next_round = 0.0
        self._next_recheck = inf
        self._pages = 1
        self._since: datetime | None = None
        self._newest: datetime | None = None
        # The last responses by page: most are identical the next time, and are not decoded again.
        self._responses: dict[int, tuple[bytes, Page[RunDetails]]] = {}

    def recheck(self) -> None:
        """Request the runs of which nothing is known as soon as possible."""
        self._next_recheck = 0.0

    def restart(self) -> None:
        """Begin a full round as soon as possible."""
        self._scan = self._request = None
        self._next_round = 0.0

    def next_at(self) -> float:
        """Return when the next request is due."""
        return 0.0 if self._request is not None else min(self._next_round, self._next_recheck)

    def begin_round(self, now: float, is_attended: Callable[[Subscription], bool]) -> None:
        """Begin the round that is due, if one is."""
        if self._request is not None or now < self.next_at():
            return
        self._is_full_round = now >= self._next_round
        targets = {
            state.run_id: state.triggered_at
            for state in self._subscriptions.runs(where=is_attended)
            if self._is_full_round or state.is_doubtful
        }
        self._since = self._oldest_listing(is_attended) if self._is_full_round else None
        self._began, self._next_recheck = now, inf
        self._scan = scan_runs(targets, since=self._since, pages=self._pages)
        self._advance(None)

    async def poll(self) -> None:
        """Send the next request of the round. If cancelled, the same request is due again at once."""
        request = self._request
        if isinstance(request, PageRequest):
            await self._poll_page(request)
        elif request is not None:
            await self._poll_run(request)

    def _oldest_listing(self, is_attended: Callable[[Subscription], bool]) -> datetime | None:
        listings = (each.lists_since for each in self._subscriptions.scoped(where=is_attended))
        return min((since for since in listings if since is not None), default=None)

    async def _poll_page(self, request: PageRequest) -> None:
        try:
            page = await self._bridge.list_runs_again(request, self._responses)
        except NotFound:
            page = Page(request.number, ())  # the contract's end of a list
        except AignosticsError as error:
            if not error.is_transient or self._outage.record_failure(error):
                self._subscriptions.fail_all(error)
            return
        self._outage.record_success()
        if request.number == 1:
            self._newest = max((details.triggered_at for details in page.items), default=None)
        self._subscriptions.observe(page.items)
        self._advance(page)

    async def _poll_run(self, run_id: str) -> None:
        state = self._subscriptions.run(run_id)
        if state is not None:
            await self._poll_details(state)
        self._advance(None)

    async def _poll_details(self, state: RunState) -> None:
        outage = state.details_outage = state.details_outage or Outage(self._schedule, self._outage_timeout)
        try:
            details = await self._bridge.get_run(state.run_id)
        except NotFound as error:
            outage.record_success()
            self._record_missing(state, error)
        except AignosticsError as error:
            if not error.is_transient or outage.record_failure(error):
                self._subscriptions.fail_run(state, error)
        else:
            outage.record_success()
            self._subscriptions.observe((details,))

    def _record_missing(self, state: RunState, error: NotFound) -> None:
        """Fail a run that was not found by its id, unless a lagging replica may be the cause."""
        if not state.is_expected:
            self._subscriptions.fail_run(state, error)
        elif state.record_missing(current_time()) >= self._read_after_write_timeout:
            self._subscriptions.fail_run(state, error if state.details is None else _vanished(error))

    def _advance(self, page: Page[RunDetails] | None) -> None:
        if self._scan is None:
            return  # the round was restarted meanwhile
        try:
            self._request = self._scan.send(page)
        except StopIteration as end:
            self._scan = self._request = None
            self._end_round(end.value)

    def _end_round(self, pages: int) -> None:
        now = current_time()
        if any(state.is_doubtful for state in self._subscriptions.runs(where=_any)):
            self._next_recheck = min(self._next_recheck, now + min(_RECHECK_WAIT, self._interval))
        if self._is_full_round:
            self._pages = pages
            self._next_round = self._schedule.next_round(self._began, now, random.random())
            for subscription in self._subscriptions.scoped(where=_any):
                subscription.record_listing(self._since, self._newest, pages=pages)
            self._subscriptions.prune()


def _vanished(error: NotFound) -> RunVanished:
    return RunVanished(
        error.status,
        method=error.method,
        path=error.path,
        detail=error.detail,
        request_id=error.request_id,
    )


def _any(_subscription: Subscription) -> bool:
    return True
