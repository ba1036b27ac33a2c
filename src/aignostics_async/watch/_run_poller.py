"""Rounds: at every interval, how do all runs stand? Between them, how do those that are in doubt?"""

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
from ._outage import TRANSIENT, Outage
from ._run_scan import (
    Answer,
    Question,
    Survey,
    survey,
)

if TYPE_CHECKING:
    from .._config import Settings
    from ..contracts._requests import Bridge
    from ._run_state import Tracked
    from ._schedule import Pace
    from ._subscriptions import Book
    from ._watcher import Watcher

# How soon a run that is not found is asked for again, in seconds.
_RECHECK = 0.5


class Rounds:
    """The round that is under way, one request at a time, and when the next one begins."""

    def __init__(self, bridge: Bridge, settings: Settings, pace: Pace, book: Book) -> None:
        self._bridge = bridge
        self._settings = settings
        self._pace = pace
        self._book = book
        self._outage = Outage(pace, settings)
        self._survey: Survey | None = None
        self._question: Question | None = None
        self._is_full = False
        self._began = 0.0
        self._next_round = 0.0
        self._next_recheck = inf
        self._pages = 1
        self._since: datetime | None = None
        self._newest: datetime | None = None
        # What was listed, by page: most of it is the same the next time, and need not be decoded.
        self._listed: dict[int, tuple[bytes, Page[RunDetails]]] = {}

    def recheck(self) -> None:
        """Ask at once for runs of which nothing is known."""
        self._next_recheck = 0.0

    def restart(self) -> None:
        """Begin a round of all runs at once."""
        self._survey = self._question = None
        self._next_round = 0.0

    def next_at(self) -> float:
        """Return when there is something to ask."""
        return 0.0 if self._question is not None else min(self._next_round, self._next_recheck)

    def begin(self, now: float, attended: Callable[[Watcher], bool]) -> None:
        """Begin the round that is due."""
        if self._question is not None or now < self.next_at():
            return
        self._is_full = now >= self._next_round
        targets = {
            tracked.run_id: tracked.triggered_at
            for tracked in self._book.runs(attended=attended)
            if self._is_full or tracked.is_doubtful
        }
        floors = [watcher.lists_since for watcher in self._book.scoped(attended=attended) if self._is_full]
        self._since = min((floor for floor in floors if floor is not None), default=None)
        self._began, self._next_recheck = now, inf
        self._survey = survey(targets, since=self._since, pages=self._pages)
        self._go_on(None)

    async def ask(self) -> None:
        """Ask the next question of the round. Cut short, it is asked again."""
        question = self._question
        if isinstance(question, PageRequest):
            await self._ask_for_page(question)
        elif question is not None:
            await self._ask_for_run(question)

    async def _ask_for_page(self, request: PageRequest) -> None:
        try:
            page = await self._bridge.list_runs_again(request, self._listed)
        except NotFound:
            page = Page(request.number, ())  # an end of the list, as the contract has it
        except TRANSIENT as error:
            if self._outage.outlasts(error):
                self._book.fail_all(error)
            return
        except AignosticsError as error:
            self._book.fail_all(error)
            return
        self._outage.end()
        if request.number == 1:
            self._newest = max((details.triggered_at for details in page.items), default=None)
        self._book.see(page.items)
        self._go_on(page)

    async def _ask_for_run(self, run_id: str) -> None:
        tracked = self._book.run(run_id)
        if tracked is not None:
            outage = tracked.outage = tracked.outage or Outage(self._pace, self._settings)
            try:
                details = await self._bridge.get_run(run_id)
            except NotFound as error:
                outage.end()
                self._miss(tracked, error)
            except TRANSIENT as error:
                if outage.outlasts(error):
                    self._book.fail(tracked, error)
            except AignosticsError as error:
                self._book.fail(tracked, error)
            else:
                outage.end()
                self._book.see((details,))
        self._go_on(None)

    def _miss(self, tracked: Tracked, error: NotFound) -> None:
        """Take in that a run was not found by its id: for a while that may be a replica that lags."""
        if not tracked.is_expected:
            self._book.fail(tracked, error)
        elif tracked.miss(current_time()) >= self._settings.read_after_write_timeout:
            self._book.fail(tracked, error if tracked.details is None else _vanished(error))

    def _go_on(self, answer: Answer) -> None:
        if self._survey is None:
            return  # all was given up meanwhile
        try:
            self._question = self._survey.send(answer)
        except StopIteration as end:
            self._survey = self._question = None
            self._end(end.value)

    def _end(self, pages: int) -> None:
        now = current_time()
        if any(tracked.is_doubtful for tracked in self._book.runs(attended=_by_anybody)):
            self._next_recheck = min(self._next_recheck, now + min(_RECHECK, self._settings.poll_interval))
        if self._is_full:
            self._pages = pages
            self._next_round = self._pace.next_round(self._began, now, random.random())
            for watcher in self._book.scoped(attended=_by_anybody):
                watcher.listed(self._since, self._newest, pages=pages)
            self._book.sweep()


def _vanished(error: NotFound) -> RunVanished:
    return RunVanished(
        error.status,
        method=error.method,
        path=error.path,
        detail=error.detail,
        request_id=error.request_id,
    )


def _by_anybody(_watcher: Watcher) -> bool:
    return True
