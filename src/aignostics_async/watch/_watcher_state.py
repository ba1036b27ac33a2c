"""What one watcher follows, what it has reported, and what it has still to report. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from copy import copy
from typing import TYPE_CHECKING

from attrs import evolve

from .._core._logging import get_logger
from ..errors import AignosticsError
from ._cursor import Cursor
from ._positions import Position
from ._scope import ScopeListing
from ._transitions import Change, ObservedState, Snapshot, changes

if TYPE_CHECKING:
    from datetime import datetime

    from ..models import RunDetails
    from ._scope import Scope

_log = get_logger("aignostics_async")


class Subscription:
    """The state behind a `Watcher`: the poller publishes snapshots to it, the watcher pulls changes from it.

    Snapshots are merged per run until they are pulled, so a slow watcher needs no more memory than a fast
    one.
    """

    def __init__(
        self,
        observed: Mapping[str, ObservedState],
        *,
        scope: Scope | None = None,
        seen_before: datetime | None = None,
        is_single: bool = False,
        wants_items: bool = True,
    ) -> None:
        self.wants_items = wants_items
        self.is_waiting = False
        self.waited_until = float("-inf")
        """When the watcher last stopped waiting for a change, by the event loop's clock."""
        self._observed = dict(observed)
        self._listing = None if scope is None else ScopeListing(scope, seen_before)
        self._is_single = is_single
        self._pending: dict[str, Snapshot] = {}
        self._batch: deque[Change] = deque()
        self._position = Position()
        self._lost: dict[str, ObservedState] = {}  # runs that failed, in case a listing shows them again
        self._failing: dict[str, AignosticsError] = {}
        self._failures: list[AignosticsError] = []
        self._error: AignosticsError | None = None
        self._is_closed = False

    @property
    def is_ready(self) -> bool:
        """Whether there is a change to pull, or an end."""
        is_followed = self._listing is not None or bool(self._observed.keys() - self._failing.keys())
        is_over = self._is_closed or self._error is not None or not is_followed
        return is_over or bool(self._batch or self._pending)

    @property
    def run_ids(self) -> Collection[str]:
        """The runs that are not over."""
        return self._observed.keys()

    @property
    def lists_since(self) -> datetime | None:
        """The time from which all runs have to be listed; None if only named runs are watched."""
        return None if self._listing is None else self._listing.since

    def has_observed(self, run_id: str) -> bool:
        """Whether a cursor says that the run was observed before."""
        return self._observed[run_id].status is not None

    # The watcher's side

    def pull(self) -> Change | None:
        """Return the next change, or None if the watcher has to wait.

        Raises the error that ended the subscription, and StopAsyncIteration when all of its runs are over.
        """
        if self._is_closed:
            raise StopAsyncIteration
        while not self._batch:
            if not self._pending:
                self._raise_end()
                return None
            run_id = next(iter(self._pending))  # the one that waits longest
            self._batch.extend(changes(self._observed[run_id], self._pending.pop(run_id)))
        return self._report(self._batch.popleft())

    def close(self) -> None:
        """End the subscription; what was not pulled is dropped."""
        self._is_closed = True

    def _report(self, change: Change) -> Change:
        position, before = self._position, self._observed[change.run_id]
        self._position = position.advance(change.run_id, before)
        if change.item is None and change.new.is_final:
            self._end_run(change.details)
        else:
            self._observed[change.run_id] = before.apply(change)
        return evolve(change, cursor=self._cursor_at(position))

    def _end_run(self, details: RunDetails) -> None:
        del self._observed[details.run_id]
        self._pending.pop(details.run_id, None)
        if self._listing is not None:
            self._listing.end_run(details)

    def _cursor_at(self, position: Position) -> Callable[[], str]:
        def cursor() -> str:
            seen_before = None if self._listing is None else self._listing.seen_before
            return Cursor(position.rewind(self._observed), seen_before).encode()

        return cursor

    def _raise_end(self) -> None:
        if self._error is not None:
            # A copy, because an error that is raised repeatedly keeps the frames of every traceback.
            raise copy(self._error)
        self._drop_failing()
        if self._observed or self._listing is not None:
            return
        failures, self._failures = self._failures, []
        if failures and self._is_single:
            raise failures[0]
        if failures:
            raise ExceptionGroup(f"{len(failures)} runs could not be watched to their end", failures)
        raise StopAsyncIteration

    def _drop_failing(self) -> None:
        for run_id, error in self._failing.items():
            observed = self._observed.pop(run_id)
            if self._listing is None:
                self._failures.append(error)
            else:
                self._lost[run_id] = observed
                _log.warning("watching: %s is not watched any more: %s", run_id, error)
        self._failing.clear()

    # The poller's side

    def adopt(self, details: RunDetails) -> bool:
        """Follow a listed run that is new and in scope; return whether it is."""
        run_id = details.run_id
        if self._listing is None or run_id in self._observed or not self._listing.is_new(details):
            return False
        self._listing.add(details)
        self._observed[run_id] = self._lost.pop(run_id, ObservedState())
        return True

    def record_listing(self, since: datetime | None, newest: datetime | None, *, pages: int) -> None:
        """Record a listing of all runs; see `ScopeListing.record_listing`."""
        if self._listing is not None:
            self._listing.record_listing(since, newest, pages=pages)

    def publish(self, snapshot: Snapshot) -> None:
        """Queue what a snapshot shows that was not reported yet."""
        run_id = snapshot.details.run_id
        observed = self._observed.get(run_id)
        if observed is None:
            return
        if not self.wants_items:
            snapshot = evolve(snapshot, items=(), holds_run=False)
        if (older := self._pending.get(run_id)) is not None:
            snapshot = snapshot.merge(older)
        if (unseen := observed.unseen(snapshot)) is not None:
            self._pending[run_id] = unseen

    def fail_run(self, run_id: str, error: AignosticsError) -> None:
        """Stop following a run; what is queued of it is still reported, then the error."""
        if run_id in self._observed:
            self._failing[run_id] = error
            if self.is_waiting and not self._pending:
                self._drop_failing()

    def fail(self, error: AignosticsError) -> None:
        """End the subscription with an error, after what is queued."""
        self._error = error
