"""What polling has shown of one run, and what follows for its subscribers. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakSet

from attrs import define, evolve, field

from .._core._backoff import Backoff
from ..models import ItemStatus, RunDetails, RunStatistics, RunStatus
from ._results_scan import ResultsRequest, ResultsScan, ScannedItems, scan_all, scan_moved
from ._status_order import is_later
from ._transitions import Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from .._core._pager import Page
    from ..models import ItemResult
    from ._outage import Outage
    from ._watcher_state import Subscription

_NOT_STARTED = (RunStatus.RECEIVED, RunStatus.SCHEDULED)
# The last results of a final run take seconds to appear. Scans of it begin a fraction of the interval apart,
# and the wait doubles with each one: after this number of scans it is a whole interval.
_QUICK_SCANS = 5
# With at most this share of its items pending, a run is scanned twice as often.
_NEARLY_DONE = 0.1
# A run whose counts say that no item has moved is scanned after as many intervals, in case they are wrong.
_QUIET_INTERVALS = 10


@define(eq=False)
class RunState:
    """The state of a run, shared by all subscriptions that follow it. Times are those of the event loop."""

    run_id: str
    is_expected: bool = False
    """The run was observed or just created, so a 404 may come from a lagging replica."""
    subscribers: WeakSet[Subscription] = field(factory=WeakSet)
    details: RunDetails | None = None
    statuses: dict[str, ItemStatus] = field(factory=dict)
    """The last status of each item, by item id."""
    details_outage: Outage | None = None
    results_outage: Outage | None = None
    request: ResultsRequest | None = None
    """The next request of the results scan that has begun, if one has."""
    _counts: RunStatistics | None = None  # as last told, where the contract does
    _known_ids: frozenset[str] = frozenset()  # of all items, once a complete scan has shown them
    _final_since: float | None = None
    _missing_since: float | None = None
    _is_done: bool = False
    _needs_full_scan: bool = True  # a subscriber has joined since all items were read
    _scan: ResultsScan | None = None
    _scan_began: float = 0.0
    _joined_late: bool = False  # a subscriber has joined since the scan began
    _final_scans: int = 0  # scans since the run became final

    @property
    def is_doubtful(self) -> bool:
        """Whether it is unknown that the run exists: never seen, missing, or failing to load."""
        is_failing = self.details_outage is not None and self.details_outage.is_on
        return self.details is None or self._missing_since is not None or is_failing

    @property
    def triggered_at(self) -> datetime | None:
        """When the run was triggered, if known."""
        return None if self.details is None else self.details.triggered_at

    @property
    def is_final(self) -> bool:
        """Whether the run is final. Its scans are urgent: its end is held until they show all results."""
        return self._final_since is not None

    @property
    def counts_moved(self) -> bool:
        """Whether the platform counts items in other states than the scans have shown."""
        return self._counts is not None and not self._is_as_counted()

    @property
    def wants_items(self) -> bool:
        """Whether a subscriber wants items, and the run can have any that are new."""
        if self.details is None or self._is_done or self.details.status in _NOT_STARTED:
            return False
        return any(subscription.wants_items for subscription in self.subscribers)

    def add(self, subscription: Subscription) -> None:
        """Add a subscriber that knows nothing of what was observed so far."""
        self.subscribers.add(subscription)
        self._needs_full_scan = self._joined_late = True
        self._is_done = False
        self._final_scans = 0

    def observe(self, details: RunDetails, now: float) -> Snapshot | None:
        """Record the details of the run; return a snapshot to publish if its status has changed."""
        self.is_expected = True
        self._missing_since = None
        self._counts = details.statistics
        before = self.details
        if before is details or not is_later(None if before is None else before.status, details.status):
            return None
        self.details = details
        if details.status.is_final:
            self._final_since = now
        return self.snapshot()

    def record_missing(self, now: float) -> float:
        """Record that the run was not found; return for how many seconds it has been missing."""
        self._missing_since = now if self._missing_since is None else self._missing_since
        return now - self._missing_since

    def snapshot(self) -> Snapshot | None:
        """Return what is known without a scan. A final status is held until there was one."""
        return None if self.details is None else Snapshot(self.details, holds_run=self.is_final)

    def next_request(self, now: float) -> ResultsRequest:
        """Return the next request of the scan, which begins unless one has."""
        if self._scan is None or self.request is None:
            scans_all = self._needs_full_scan or self.is_final or not self._known_ids
            self._scan = scan_all(self._known_ids) if scans_all else scan_moved(self.statuses)
            self._scan_began, self._joined_late = now, False
            self.request = next(self._scan)
        return self.request

    def record_page(self, page: Page[ItemResult], now: float, timeout: float) -> Snapshot | None:
        """Continue the scan with the page it asked for; return a snapshot to publish at its end.

        `timeout` is how long, in seconds, the end of a final run is held for results that are missing.
        """
        assert self._scan is not None  # noqa: S101 - a scan asked for the page
        try:
            self.request = self._scan.send(page)
        except StopIteration as end:
            return self._end_scan(end.value, now, timeout)
        return None

    def give_up(self, now: float, timeout: float) -> Snapshot | None:
        """Return the end of a run with unreadable results, once it was held for `timeout` seconds."""
        if self._final_since is None or now < self._final_since + timeout:
            return None
        self._scan_began = now
        return self._end_scan(ScannedItems((), is_complete=False), now, timeout)

    def next_scan_at(self, now: float, interval: float, timeout: float) -> float:
        """Return when the next request for results is due."""
        if self.request is not None:
            return 0.0  # a scan that has begun goes before all others
        if self._joined_late:
            return now
        if self._final_since is not None:
            backoff = Backoff(interval / 2 ** (_QUICK_SCANS - 1), timeout)
            wait = backoff.wait(self._final_scans, 0.0) if self._final_scans else 0.0
            return min(now + wait, max(now, self._final_since + timeout))
        if self._counts is not None:
            return now + interval * (_QUIET_INTERVALS if self._is_as_counted() else 1)
        pending = sum(not status.is_final for status in self.statuses.values())
        is_nearly_done = self.statuses and pending <= _NEARLY_DONE * len(self.statuses)
        return now + interval / (2 if is_nearly_done else 1)

    def _is_as_counted(self) -> bool:
        """Whether as many items were seen in each state as the platform counts.

        Items only move forward. So where the numbers are the same, none has moved.
        """
        told, seen = self._counts, Counter(self.statuses.values())
        return told is not None and all(seen[status] == count for status, count in told.by_status().items())

    def _end_scan(self, found: ScannedItems, now: float, timeout: float) -> Snapshot | None:
        assert self.details is not None  # noqa: S101 - only runs that were observed are scanned
        self._scan = self.request = None
        snapshot = Snapshot(self.details, tuple(self._changed(found)), holds_run=True)
        if found.is_complete and len(found.items) == len(self.statuses):
            self._known_ids = frozenset(self.statuses)
            self._needs_full_scan = self._joined_late
        if self._final_since is None or self._scan_began < self._final_since:
            return snapshot
        self._final_scans += 1
        complete = self._shows_end(found)
        if not complete and now < self._final_since + timeout:
            return snapshot
        self._is_done = not self._joined_late
        return evolve(snapshot, holds_run=False, items_incomplete=not complete)

    def _changed(self, found: ScannedItems) -> Iterator[ItemResult]:
        for item in found.items:
            before = self.statuses.get(item.item_id)
            if is_later(before, item.status):
                self.statuses[item.item_id] = item.status
                yield item
            elif self._needs_full_scan and before == item.status:
                yield item

    def _shows_end(self, found: ScannedItems) -> bool:
        """Whether a scan shows every item as final. Only a rejected run may have no items."""
        assert self.details is not None  # noqa: S101
        if self.details.status == RunStatus.REJECTED:
            return found.is_complete
        shows_all = found.is_complete and len(found.items) == len(self.statuses)
        return bool(found.items) and shows_all and all(item.status.is_final for item in found.items)
