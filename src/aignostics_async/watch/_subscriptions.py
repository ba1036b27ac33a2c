"""The open subscriptions of a client, and the runs that they follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING
from weakref import WeakSet

from anyio import current_time

from ..errors import AignosticsError, AuthenticationError, Unauthorized
from ._run_state import RunState

if TYPE_CHECKING:
    from ..models import RunDetails
    from ._transitions import Snapshot
    from ._watcher_state import Subscription


class Subscriptions:
    """Publishes what polling shows to the subscriptions that want it.

    Holds subscriptions weakly, so one ends when its watcher is garbage-collected. `wake` is called with each
    subscription that may have become ready, `schedule` with each run whose items may have to be scanned.
    """

    def __init__(self, wake: Callable[[Subscription], None], schedule: Callable[[RunState], None]) -> None:
        self._wake = wake
        self._schedule = schedule
        self._all: WeakSet[Subscription] = WeakSet()
        self._scoped: WeakSet[Subscription] = WeakSet()
        self._runs: dict[str, RunState] = {}

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, subscription: Subscription) -> None:
        """Add a subscription, with the runs that it names."""
        self._all.add(subscription)
        if subscription.lists_since is not None:
            self._scoped.add(subscription)
        for run_id in subscription.run_ids:
            self._follow(subscription, run_id)

    def remove(self, subscription: Subscription) -> None:
        """Remove a subscription, and the runs that no other one follows."""
        self._all.discard(subscription)
        self._scoped.discard(subscription)
        for run_id in subscription.run_ids:
            self.remove_run(subscription, run_id)
        self._wake(subscription)

    def remove_run(self, subscription: Subscription, run_id: str) -> None:
        """Remove a run from a subscription."""
        state = self._runs.get(run_id)
        if state is not None:
            state.subscribers.discard(subscription)
            if not state.subscribers:
                del self._runs[run_id]

    def run(self, run_id: str) -> RunState | None:
        """Return the state of a run, or None if nothing follows it."""
        return self._runs.get(run_id)

    def runs(self, *, where: Callable[[Subscription], bool]) -> Iterator[RunState]:
        """Yield the runs of the matching subscriptions; a run of several ones comes several times."""
        for subscription in self._all:
            if where(subscription):
                yield from filter(None, map(self._runs.get, subscription.run_ids))

    def scoped(self, *, where: Callable[[Subscription], bool]) -> list[Subscription]:
        """Return the matching subscriptions to a scope."""
        return [subscription for subscription in self._scoped if where(subscription)]

    def observe(self, runs: Iterable[RunDetails]) -> None:
        """Record the details of runs that a subscription follows, or adopts into its scope."""
        now = current_time()
        scoped = list(self._scoped)
        for details in runs:
            for subscription in scoped:
                if subscription.adopt(details):
                    self._follow(subscription, details.run_id)
            state = self._runs.get(details.run_id)
            if state is None:
                continue
            if (snapshot := state.observe(details, now)) is not None:
                self.publish(state, snapshot)
            if snapshot is not None or state.counts_moved:
                self._schedule(state)

    def prune(self) -> None:
        """Drop the runs whose subscriptions were garbage-collected."""
        for run_id in [run_id for run_id, state in self._runs.items() if not state.subscribers]:
            del self._runs[run_id]

    def publish(self, state: RunState, snapshot: Snapshot) -> None:
        """Hand a snapshot to all subscribers of a run."""
        for subscription in list(state.subscribers):
            subscription.publish(snapshot)
            self._wake(subscription)

    def fail_run(self, state: RunState, error: AignosticsError) -> None:
        """Stop watching a run; a failed sign-in concerns every run, and stops all."""
        if isinstance(error, AuthenticationError | Unauthorized):
            self.fail_all(error)
            return
        self._runs.pop(state.run_id, None)
        for subscription in list(state.subscribers):
            subscription.fail_run(state.run_id, copy(error))
            self._wake(subscription)

    def fail_all(self, error: AignosticsError) -> None:
        """End all subscriptions with an error. Later ones start from nothing."""
        subscriptions = list(self._all)
        self._runs.clear()
        self._all.clear()
        self._scoped.clear()
        for subscription in subscriptions:
            subscription.fail(copy(error))
            self._wake(subscription)

    def _follow(self, subscription: Subscription, run_id: str) -> None:
        state = self._runs.get(run_id)
        if state is None:
            state = self._runs[run_id] = RunState(run_id)
        state.add(subscription)
        if (snapshot := state.snapshot()) is not None:
            subscription.publish(snapshot)
            self._wake(subscription)
            self._schedule(state)
