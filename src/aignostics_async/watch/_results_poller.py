"""Polling the results of runs: one run after the other, within the rate limit."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from anyio import current_time

from .._core._pager import Page
from ..errors import AignosticsError, NotFound
from ._outage import Outage
from ._schedule import FairQueue, TokenBucket

if TYPE_CHECKING:
    from .._config import Settings
    from ..contracts._protocol import Bridge
    from ..models import ItemResult
    from ._run_state import RunState
    from ._schedule import PollSchedule
    from ._subscriptions import Subscriptions
    from ._transitions import Snapshot
    from ._watcher_state import Subscription


class ResultsPoller:
    """Decides which run's results are requested next, and requests them page by page."""

    def __init__(
        self, bridge: Bridge, settings: Settings, schedule: PollSchedule, subscriptions: Subscriptions
    ) -> None:
        self._bridge = bridge
        self._interval = settings.poll_interval
        self._results_timeout = settings.results_timeout
        self._outage_timeout = settings.outage_timeout
        self._schedule = schedule
        self._subscriptions = subscriptions
        self._bucket = TokenBucket(settings.results_rate_limit, current_time())
        self._queue = FairQueue()
        self._polling: set[str] = set()
        # Watching may use half of the client's concurrent requests: these, and one for the runs.
        self._max_concurrency = max(1, settings.limits.api_requests // 2 - 1)

    def schedule(self, state: RunState, due: float) -> None:
        """Queue a run if a subscription wants its items."""
        is_followed = self._subscriptions.run(state.run_id) is state and state.wants_items
        if is_followed and state.run_id not in self._polling:
            self._queue.put(state.run_id, due, urgent=state.is_final)

    def next_at(self) -> float:
        """Return when the next request may be sent; infinity if there is none or no connection for it."""
        if len(self._polling) >= self._max_concurrency:
            return inf
        return max(self._queue.next_at(), self._bucket.next_at())

    def next(self, now: float, is_attended: Callable[[Subscription], bool]) -> RunState | None:
        """Return the run to poll now, or None. It counts as being polled until `poll` ends."""
        while len(self._polling) < self._max_concurrency and self._bucket.has_token(now):
            run_id = self._queue.pop(now)
            if run_id is None:
                return None
            state = self._subscriptions.run(run_id)
            if state is None or not state.wants_items:
                continue
            if any(map(is_attended, state.subscribers)):
                self._bucket.take()
                self._polling.add(run_id)
                return state
            # Nobody waits for it now. A watcher that comes back finds it due within the interval.
            self.schedule(state, now + self._interval)
        return None

    async def poll(self, state: RunState) -> None:
        """Request one page of a run's results. If cancelled, the same page is due again at once."""
        due = 0.0
        try:
            page = await self._request(state)
            if page is not None:
                self._publish(state, state.record_page(page, current_time(), self._results_timeout))
            due = state.next_scan_at(current_time(), self._interval, self._results_timeout)
        finally:
            self._polling.discard(state.run_id)
            self.schedule(state, due)

    async def _request(self, state: RunState) -> Page[ItemResult] | None:
        """Return the page that the scan wants next, or None if the request failed."""
        if state.results_outage is None:
            state.results_outage = Outage(self._schedule, self._outage_timeout)
        request = state.next_request(current_time())
        try:
            page = await self._bridge.list_run_results(
                state.run_id,
                request.page,
                item_ids=request.item_ids,
                references=(),
                statuses=request.statuses,
            )
        except NotFound:
            # A new run may have no results to list yet, and a page after the last one ends the list.
            page = Page(request.page.number, ())
        except AignosticsError as error:
            self._record_failure(state, state.results_outage, error)
            return None
        state.results_outage.record_success()
        return page

    def _record_failure(self, state: RunState, outage: Outage, error: AignosticsError) -> None:
        if not error.is_transient or outage.record_failure(error):
            self._subscriptions.fail_run(state, error)
        else:
            self._publish(state, state.give_up(current_time(), self._results_timeout))

    def _publish(self, state: RunState, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self._subscriptions.publish(state, snapshot)
