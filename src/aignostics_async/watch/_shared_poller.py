"""The one poller of a client. It sends requests on behalf of all watchers, while one of them waits.

Leader and followers: the first watcher that waits leads, which means that its task starts the requests that
are due; the others follow. When the leader has something to report or is cancelled, a follower takes over. So
nothing is polled when nobody waits, and a cancelled leader stops nobody else. Requests run in tasks of their
own, and what was polled, what is due, and scans that have begun are kept here from leader to leader.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import anyio
from anyio import current_time

from ._requests_in_flight import RequestsInFlight
from ._results_poller import ResultsPoller
from ._run_poller import RunPoller
from ._schedule import PollSchedule
from ._subscriptions import Subscriptions

if TYPE_CHECKING:
    from .._config import Settings
    from .._core._lifetime import Lifetime
    from ..contracts._protocol import Bridge
    from ._run_state import RunState
    from ._watcher_state import Subscription

# A leader that is ready and has no followers waits this long, in seconds, for requests under way, because
# nobody else would receive their responses.
_LINGER = 5.0


class Poller:
    """Sends the requests that are due for as long as a subscription waits."""

    def __init__(self, bridge: Bridge, settings: Settings, lifetime: Lifetime) -> None:
        self._interval = settings.poll_interval
        self._lifetime = lifetime
        self._schedule = PollSchedule(settings.poll_interval, initial_wait=settings.retries.initial_wait)
        self._subscriptions = Subscriptions(self._wake, self._schedule_results)
        self._runs = RunPoller(bridge, settings, self._schedule, self._subscriptions)
        self._results = ResultsPoller(bridge, settings, self._schedule, self._subscriptions)
        self._in_flight = RequestsInFlight(self._wake_leader)
        self._is_polling_runs = False
        self._held_until = 0.0
        self._leader: Subscription | None = None
        self._leader_event = anyio.Event()
        self._followers: dict[Subscription, anyio.Event] = {}

    def add(self, subscription: Subscription, *, new: Collection[str] = ()) -> None:
        """Add a subscription; `new` are runs that were just created, so a replica may not know them."""
        subscription.waited_until = current_time()
        self._subscriptions.add(subscription)
        for run_id in subscription.run_ids:
            state = self._subscriptions.run(run_id)
            if state is not None:
                state.is_expected |= run_id in new or subscription.has_observed(run_id)
        self._runs.recheck()
        if subscription.lists_since is not None:
            self._runs.restart()
        self._wake_leader()

    async def remove(self, subscription: Subscription) -> None:
        """Remove a subscription; after the last one, cancel the requests under way."""
        self._subscriptions.remove(subscription)
        if not self._subscriptions:
            await self._in_flight.cancel()

    def remove_run(self, subscription: Subscription, run_id: str) -> None:
        """Remove a run from a subscription."""
        self._subscriptions.remove_run(subscription, run_id)

    async def wait_until_ready(self, subscription: Subscription) -> None:
        """Return when the subscription is ready; lead or follow until then."""
        try:
            while not subscription.is_ready:
                self._lifetime.check()
                if self._leader is None:
                    await self._lead(subscription)
                else:
                    await self._follow(subscription)
        finally:
            subscription.waited_until = current_time()
            if self._leader is None:
                self._hand_over()

    async def aclose(self) -> None:
        """Cancel the requests under way, and wake all waiting subscriptions to find the client closed."""
        self._leader_event.set()
        for event in self._followers.values():
            event.set()
        await self._in_flight.cancel()

    async def _lead(self, subscription: Subscription) -> None:
        self._leader = subscription
        try:
            while not (subscription.is_ready or self._lifetime.ended):
                self._in_flight.raise_failure()
                self._leader_event = anyio.Event()
                due = self._start_due_requests()
                with anyio.move_on_after(max(0.0, due - current_time())):
                    await self._leader_event.wait()
            await self._linger()
        finally:
            self._leader = None

    async def _follow(self, subscription: Subscription) -> None:
        self._followers[subscription] = event = anyio.Event()
        self._wake_leader()
        try:
            await event.wait()
        finally:
            del self._followers[subscription]

    async def _linger(self) -> None:
        with anyio.move_on_after(_LINGER):
            while self._in_flight and not self._followers and not self._lifetime.ended:
                self._leader_event = anyio.Event()
                await self._leader_event.wait()

    def _hand_over(self) -> None:
        if self._followers:
            next(iter(self._followers.values())).set()
        elif self._in_flight:
            # One is kept, so that waits shorter than a response make progress. Each of them would only send
            # the others to cancel them again, so those are held until this one is answered, or for an
            # interval.
            self._in_flight.cancel_all_but_one()
            self._held_until = current_time() + self._interval

    def _start_due_requests(self) -> float:
        """Start requests; return when the next one is due."""
        now = current_time()
        if not self._in_flight:
            self._held_until = 0.0
        paused_until = max(self._schedule.paused_until, self._held_until)
        if now < paused_until:
            return paused_until

        def is_attended(subscription: Subscription) -> bool:
            # It waits for a change, or has just received one.
            return subscription.is_waiting or now - subscription.waited_until < self._interval

        if not self._is_polling_runs:
            self._runs.begin_round(now, is_attended)
            if self._runs.next_at() <= now:
                self._is_polling_runs = True
                self._in_flight.start(self._poll_runs())
        while (state := self._results.next(now, is_attended)) is not None:
            self._in_flight.start(self._results.poll(state))
        return min(float("inf") if self._is_polling_runs else self._runs.next_at(), self._results.next_at())

    async def _poll_runs(self) -> None:
        try:
            await self._runs.poll()
        finally:
            self._is_polling_runs = False

    def _schedule_results(self, state: RunState) -> None:
        self._results.schedule(state, current_time())

    def _wake(self, subscription: Subscription) -> None:
        if subscription.is_ready:
            if subscription is self._leader:
                self._wake_leader()
            elif (event := self._followers.get(subscription)) is not None:
                event.set()

    def _wake_leader(self) -> None:
        self._leader_event.set()
