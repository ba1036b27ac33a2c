"""Readings: how do the items of the runs stand? Within the budget, one run after the other."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from anyio import current_time

from .._core._pager import Page
from ..errors import AignosticsError, NotFound
from ._outage import TRANSIENT, Outage
from ._schedule import Budget, Turns

if TYPE_CHECKING:
    from .._config import Settings
    from ..contracts._requests import Bridge
    from ..models import ItemResult
    from ._run_state import Tracked
    from ._schedule import Pace
    from ._subscriptions import Book
    from ._watcher import Watcher


class Readings:
    """Whose results are read next."""

    def __init__(self, bridge: Bridge, settings: Settings, pace: Pace, book: Book) -> None:
        self._bridge = bridge
        self._settings = settings
        self._pace = pace
        self._book = book
        self._budget = Budget(settings.results_rate_limit, current_time())
        self._turns = Turns()
        self._under_way: set[str] = set()
        # Half of the client's requests at once are watching's: this many, and one for the rounds.
        self._most = max(1, settings.limits.api_requests // 2 - 1)

    def want(self, tracked: Tracked, due: float) -> None:
        """Give a run its turn, if somebody wants to know of its items."""
        is_watched = self._book.run(tracked.run_id) is tracked and tracked.wants_items
        if is_watched and tracked.run_id not in self._under_way:
            self._turns.put(tracked.run_id, due, urgent=tracked.is_urgent)

    def next_at(self) -> float:
        """Return when there is something to read."""
        return (
            inf if len(self._under_way) >= self._most else max(self._turns.next_at(), self._budget.next_at())
        )

    def next(self, now: float, attended: Callable[[Watcher], bool]) -> Tracked | None:
        """Return the run that is to be read now, if there is one, counted as being read."""
        while len(self._under_way) < self._most and self._budget.has_one(now):
            run_id = self._turns.pop(now)
            if run_id is None:
                return None
            tracked = self._book.run(run_id)
            if tracked is None or not tracked.wants_items:
                continue
            if any(map(attended, tracked.watchers)):
                self._budget.take()
                self._under_way.add(run_id)
                return tracked
            # Nobody waits for it now; who comes back finds it due within the interval.
            self.want(tracked, now + self._settings.poll_interval)
        return None

    async def read(self, tracked: Tracked) -> None:
        """Read one page of a run's results. Cut short, it is read again."""
        due = 0.0
        grace = self._settings.results_timeout
        try:
            page = await self._page(tracked)
            if page is not None and (look := tracked.take(page, current_time(), grace)) is not None:
                self._book.tell(tracked, look)
            due = tracked.next_reading(current_time(), self._settings.poll_interval, grace)
        finally:
            self._under_way.discard(tracked.run_id)
            self.want(tracked, due)

    async def _page(self, tracked: Tracked) -> Page[ItemResult] | None:
        """Return the page that is wanted next, or None where it can't be had."""
        outage = tracked.reading_outage = tracked.reading_outage or Outage(self._pace, self._settings)
        ask = tracked.begin(current_time())
        try:
            page = await self._bridge.list_run_results(
                tracked.run_id, ask.page, item_ids=ask.item_ids, references=(), statuses=ask.statuses
            )
        except NotFound:
            # A run may have no results to list yet; and a page after the last one is the end of a list.
            page = Page(ask.page.number, ())
        except TRANSIENT as error:
            if outage.outlasts(error):
                self._book.fail(tracked, error)
            elif (look := tracked.give_up(current_time(), self._settings.results_timeout)) is not None:
                self._book.tell(tracked, look)
            return None
        except AignosticsError as error:
            self._book.fail(tracked, error)
            return None
        outage.end()
        return page
