"""What a user holds: an async iterator of changes, which is fed by whoever leads the poller."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from attrs import evolve, frozen

from ..errors import AignosticsError, UsageError
from ._cursor import Cursor
from ._transitions import Change, Known, Look, changes

if TYPE_CHECKING:
    from ..models import RunDetails
    from ._poller import Poller

_log = logging.getLogger("aignostics_async")

# A run may be created some minutes before it shows in a listing: a request may be slow, a replica may lag.
_LATE = timedelta(minutes=10)
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@frozen
class Scope:
    """Which runs are watched that nobody named: those of an application, or of all."""

    application: str | None = None
    since: datetime | None = None

    def includes(self, details: RunDetails) -> bool:
        """Whether a run is one of them."""
        application, _, _ = details.application_version_id.partition(":")
        return self.application in (None, application) and (
            self.since is None or details.triggered_at >= self.since
        )


class _Place:
    """A place in the stream: what was known of one run before the change there. It leads to later ones only.

    So who holds a change can tell what was known at its place, and nobody keeps what no change is held of.
    """

    __slots__ = ("known", "next", "run_id")

    def __init__(self) -> None:
        self.run_id = ""
        self.known = Known()
        self.next: _Place | None = None


class Watcher(AsyncIterator[Change]):
    """The changes of runs, as they are seen, each once. Made by `watch` and `watch_all`.

    It asks the API only while somebody waits for its next change, so it needs no closing: leave the loop, or
    cancel the task, and nothing is left that runs. A cancelled wait loses no change; the next one goes on.
    One task at a time may wait.
    """

    def __init__(
        self,
        poller: Poller,
        known: Mapping[str, Known],
        *,
        scope: Scope | None = None,
        floor: datetime | None = None,
        is_single: bool = False,
        wants_items: bool = True,
    ) -> None:
        self.wants_items = wants_items
        self.is_waiting = False
        self.left_at = float("-inf")
        """When it last went away with a change, by the loop's time."""
        self._poller = poller
        self._known = dict(known)
        self._scope = scope
        # All runs that are older were seen, or are not asked for.
        self._floor = floor or _BEGINNING
        if scope is not None and scope.since is not None:
            self._floor = max(self._floor, scope.since)
        self._oldest_found = _END  # since the last list
        self._done: dict[str, datetime] = {}
        self._gone: dict[str, Known] = {}
        self._is_single = is_single
        self._mailbox: dict[str, Look] = {}
        self._batch: deque[Change] = deque()
        self._place = _Place()
        self._failing: dict[str, AignosticsError] = {}
        self._failures: list[AignosticsError] = []
        self._end: AignosticsError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while not self._batch:
            if self._mailbox:
                # The first in is the first out; what comes of a run meanwhile is put on top of it.
                run_id = next(iter(self._mailbox))
                self._batch.extend(changes(self._known[run_id], self._mailbox.pop(run_id)))
            else:
                self._raise_end()
                await self._wait()
        return self._give(self._batch.popleft())

    async def _wait(self) -> None:
        if self.is_waiting:
            raise UsageError("another task waits for this watcher's next change; make one watcher for each")
        self.is_waiting = True
        try:
            await self._poller.attend(self)
        finally:
            self.is_waiting = False

    def _raise_end(self) -> None:
        if self._end is not None:
            # A copy: an error that is raised again and again keeps every frame that it went through.
            raise copy(self._end)
        self._bury()
        if self._known or self._scope is not None:
            return
        failures, self._failures = self._failures, []
        if failures and self._is_single:
            raise failures[0]
        if failures:
            raise ExceptionGroup(f"{len(failures)} runs could not be watched to their end", failures)
        raise StopAsyncIteration

    def _bury(self) -> None:
        """Take the runs that can't be watched any more out of the ones that are."""
        for run_id, error in self._failing.items():
            known = self._known.pop(run_id)
            if self._scope is None:
                self._failures.append(error)
            else:
                self._gone[run_id] = known  # for the case that it comes back
                _log.warning("watching: %s is given no more: %s", run_id, error)
        self._failing.clear()

    def _give(self, change: Change) -> Change:
        place, self._place = self._place, _Place()
        place.run_id, place.known, place.next = change.run_id, self._known[change.run_id], self._place
        self._known[change.run_id] = place.known.after(change)
        if change.item is None and change.new.is_final:
            del self._known[change.run_id]
            self._mailbox.pop(change.run_id, None)
            self._poller.leave(self, change.run_id)
            if self._scope is not None:
                self._done[change.run_id] = change.details.triggered_at
        return evolve(change, cursor=self._cursor_at(place))

    def _cursor_at(self, place: _Place) -> Callable[[], str]:
        def cursor() -> str:
            earlier: dict[str, Known] = {}
            at: _Place | None = place
            while at is not None and at.next is not None:
                earlier.setdefault(at.run_id, at.known)
                at = at.next
            mark = None if self._scope is None or self._floor == _BEGINNING else self._floor
            return Cursor({**self._known, **earlier}, mark).encode()

        return cursor

    # What the poller calls

    @property
    def is_ready(self) -> bool:
        """Whether there is something to give, or to raise."""
        is_at_end = self._end is not None or not (self._known or self._scope)
        return is_at_end or bool(self._batch or self._mailbox or self._failing)

    @property
    def run_ids(self) -> Mapping[str, Known]:
        """The runs that are not over."""
        return self._known

    @property
    def lists_since(self) -> datetime | None:
        """From when on all runs are to be listed; None where only named ones are watched."""
        return None if self._scope is None else self._floor

    def adopts(self, details: RunDetails) -> bool:
        """Take in a run that was listed; whether it is a new one that is to be watched."""
        run_id = details.run_id
        if self._scope is None or run_id in self._known or run_id in self._done:
            return False
        if details.triggered_at < self._floor or not self._scope.includes(details):
            return False
        self._known[run_id] = self._gone.pop(run_id, Known())
        self._oldest_found = min(self._oldest_found, details.triggered_at)
        return True

    def listed(self, since: datetime | None, newest: datetime | None, *, pages: int) -> None:
        """Take in which runs were listed: all from `since` up to the newest one, on so many pages.

        One that slid from page to page may have been missed, so what is older need not be listed again only
        once a list has shown nothing new of it.
        """
        if since is None or newest is None or since > self._floor:
            return
        floor = newest - _LATE
        is_sure = pages == 1 or self._oldest_found >= floor
        self._oldest_found = _END
        if is_sure:
            self._floor = max(self._floor, floor)
            self._done = {run_id: at for run_id, at in self._done.items() if at >= self._floor}

    def take(self, look: Look) -> None:
        """Take in what was seen of a run."""
        run_id = look.details.run_id
        known = self._known.get(run_id)
        if known is None:
            return
        if not self.wants_items:
            look = evolve(look, items=(), holds_run=False)
        if (older := self._mailbox.get(run_id)) is not None:
            look = look.over(older)
        if (news := known.news(look)) is not None:
            self._mailbox[run_id] = news

    def fail(self, run_id: str, error: AignosticsError) -> None:
        """Take in that a run can't be watched any more; what was seen of it is given all the same."""
        if run_id in self._known:
            self._failing[run_id] = error

    def end(self, error: AignosticsError) -> None:
        """Take in that nothing can be watched any more."""
        self._end = error
