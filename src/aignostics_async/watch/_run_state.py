"""One run that is watched: what the poller has seen of it, and what follows for the watchers. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakSet

from attrs import define, evolve, field

from ..models import ItemStatus, RunDetails, RunStatus
from ._results_scan import (
    Ask,
    Found,
    Reading,
    read_all,
    read_moved,
)
from ._status_order import is_later
from ._transitions import Look

if TYPE_CHECKING:
    from datetime import datetime

    from .._core._pager import Page
    from ..models import ItemResult
    from ._outage import Outage
    from ._watcher import Watcher

_NOT_STARTED = (RunStatus.RECEIVED, RunStatus.SCHEDULED)
# The last results of a final run are a matter of seconds: so many readings until they are an interval apart,
# and each further one comes after twice the wait.
_RETRIES = 5
# Where so few of the items are left, the run is read twice as often.
_NEARLY = 0.1


@define(eq=False)
class Tracked:
    """What is known of a run, shared by all who watch it."""

    run_id: str
    is_expected: bool = False
    """It was seen, or just created: that a replica does not know it is no proof."""
    watchers: WeakSet[Watcher] = field(factory=WeakSet)
    details: RunDetails | None = None
    statuses: dict[str, ItemStatus] = field(factory=dict)
    outage: Outage | None = None
    """Of asking for the run itself."""
    reading_outage: Outage | None = None
    ask: Ask | None = None
    """The next request of the reading that is under way."""
    _settled: frozenset[str] = frozenset()  # the ids of all items, once a whole reading has shown them
    _final_since: float | None = None
    _missing_since: float | None = None
    _is_over: bool = False
    _needs_all: bool = True  # somebody has come who was not there when all items were read
    _reading: Reading | None = None
    _began: float = 0.0
    _is_too_late: bool = False  # somebody has come since the reading began
    _tries: int = 0  # readings since the run is final

    @property
    def is_doubtful(self) -> bool:
        """Whether it is not known yet, or not any more, that there is such a run."""
        is_in_trouble = self.outage is not None and self.outage.is_on
        return self.details is None or self._missing_since is not None or is_in_trouble

    @property
    def triggered_at(self) -> datetime | None:
        """When it was triggered, as far as known."""
        return None if self.details is None else self.details.triggered_at

    @property
    def is_final(self) -> bool:
        """Whether the run itself will change no more."""
        return self._final_since is not None

    @property
    def is_urgent(self) -> bool:
        """Whether its end is held back until a reading shows all of its results."""
        return self.is_final

    @property
    def wants_items(self) -> bool:
        """Whether somebody wants to know of its items, and there can be something to know."""
        if self.details is None or self._is_over or self.details.status in _NOT_STARTED:
            return False
        return any(watcher.wants_items for watcher in self.watchers)

    def join(self, watcher: Watcher) -> None:
        """Take in somebody who knows nothing of what was seen so far."""
        self.watchers.add(watcher)
        self._needs_all = self._is_too_late = True
        self._is_over = False
        self._tries = 0

    def see(self, details: RunDetails, now: float) -> Look | None:
        """Take in how the run stands; return what is to be told, where that is anything."""
        self.is_expected = True
        self._missing_since = None
        before = self.details
        if before is details or not is_later(None if before is None else before.status, details.status):
            return None
        self.details = details
        if details.status.is_final:
            self._final_since = now
        return self.picture()

    def miss(self, now: float) -> float:
        """Take in that it was not found; return for how long it was not."""
        self._missing_since = now if self._missing_since is None else self._missing_since
        return now - self._missing_since

    def picture(self) -> Look | None:
        """Return what there is to tell without a reading: a final state is held until there was one."""
        return None if self.details is None else Look(self.details, holds_run=self.is_final)

    def begin(self, now: float) -> Ask:
        """Return what is to be asked for next, of a new reading where none is under way."""
        if self._reading is None or self.ask is None:
            reads_all = self._needs_all or self.is_final or not self._settled
            self._reading = read_all(self._settled) if reads_all else read_moved(self.statuses)
            self._began, self._is_too_late = now, False
            self.ask = next(self._reading)
        return self.ask

    def take(self, page: Page[ItemResult], now: float, grace: float) -> Look | None:
        """Take in the page that was asked for; return what is to be told, at the end of a reading."""
        assert self._reading is not None  # noqa: S101 - the page was asked for
        try:
            self.ask = self._reading.send(page)
        except StopIteration as end:
            return self._read(end.value, now, grace)
        return None

    def give_up(self, now: float, grace: float) -> Look | None:
        """Return what is to be told of a run that can't be read: its end, where its grace is over."""
        if self._final_since is None or now < self._final_since + grace:
            return None
        self._began = now
        return self._read(Found((), is_whole=False), now, grace)

    def next_reading(self, now: float, interval: float, grace: float) -> float:
        """Return when the next reading is due."""
        if self.ask is not None:
            return 0.0  # the next page, before anybody else's first
        if self._is_too_late:
            return now
        if self._final_since is not None:
            again = now + interval * 2.0 ** (self._tries - _RETRIES) if self._tries else now
            return min(again, max(now, self._final_since + grace))
        left = sum(not status.is_final for status in self.statuses.values())
        return now + interval / (2 if self.statuses and left <= _NEARLY * len(self.statuses) else 1)

    def _read(self, found: Found, now: float, grace: float) -> Look | None:
        assert self.details is not None  # noqa: S101 - nothing is read of a run that was not seen
        self._reading = self.ask = None
        look = Look(self.details, tuple(self._news(found)), holds_run=True)
        if found.is_whole and len(found.items) == len(self.statuses):
            self._settled = frozenset(self.statuses)
            self._needs_all = self._is_too_late
        if self._final_since is None or self._began < self._final_since:
            return look
        self._tries += 1
        complete = self._is_complete(found)
        if not complete and now < self._final_since + grace:
            return look
        self._is_over = not self._is_too_late
        return evolve(look, holds_run=False, items_incomplete=not complete)

    def _news(self, found: Found) -> Iterator[ItemResult]:
        for item in found.items:
            before = self.statuses.get(item.item_id)
            if is_later(before, item.status):
                self.statuses[item.item_id] = item.status
                yield item
            elif self._needs_all and before == item.status:
                yield item

    def _is_complete(self, found: Found) -> bool:
        """Whether the reading shows every item final. A run has items, except one that was rejected."""
        assert self.details is not None  # noqa: S101
        if self.details.status == RunStatus.REJECTED:
            return found.is_whole
        shows_all = found.is_whole and len(found.items) == len(self.statuses)
        return bool(found.items) and shows_all and all(item.status.is_final for item in found.items)
