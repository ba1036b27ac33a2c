"""The one poller of a client: it asks for all watchers together, in the task of one of those who wait.

There is no task in the background. Whoever waits for a change first leads: it sends the requests that are due
until there is something for itself, and then another who waits takes the lead. So nothing runs while nobody
waits, nothing outlives the last watcher, and a leader who is cancelled is followed by the next one. What is
known, what is due and what is half read stays here from leader to leader.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import anyio
from anyio import current_time

from .._core._tasks import plain_task_group
from ._results_poller import Readings
from ._run_poller import Rounds
from ._schedule import Pace
from ._subscriptions import Book

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from .._config import Settings
    from .._core._lifetime import Lifetime
    from ..contracts._requests import Bridge
    from ._run_state import Tracked
    from ._watcher import Watcher

# How long a leader who has something for itself waits for requests that are under way, in seconds.
_LINGER = 5.0


class Poller:
    """Sends what is due, as long as anybody waits."""

    def __init__(self, bridge: Bridge, settings: Settings, lifetime: Lifetime) -> None:
        self._interval = settings.poll_interval
        self._lifetime = lifetime
        self._pace = Pace(settings.poll_interval)
        self._book = Book(self._wake, lambda tracked: self._readings.want(tracked, current_time()))
        self._rounds = Rounds(bridge, settings, self._pace, self._book)
        self._readings = Readings(bridge, settings, self._pace, self._book)
        self._is_asking = False
        self._leader: Watcher | None = None
        self._waiting: dict[Watcher, anyio.Event] = {}
        self._bell = anyio.Event()

    def watch(self, watcher: Watcher, *, new: Collection[str] = ()) -> None:
        """Take in a watcher; `new` are runs that were just created, and may be unknown to a replica."""
        watcher.left_at = current_time()
        self._book.enter(watcher)
        for run_id in watcher.run_ids:
            tracked = self._book.run(run_id)
            if tracked is not None:
                tracked.is_expected |= run_id in new or watcher.run_ids[run_id].status is not None
        self._rounds.recheck()
        if watcher.lists_since is not None:
            self._rounds.restart()
        self._bell.set()

    def leave(self, watcher: Watcher, run_id: str) -> None:
        """Take in that a watcher is done with a run."""
        self._book.leave(watcher, run_id)

    async def attend(self, watcher: Watcher) -> None:
        """Return when the watcher has something; ask for it, unless somebody does."""
        try:
            while not watcher.is_ready:
                self._lifetime.check()
                if self._leader is None:
                    await self._lead(watcher)
                else:
                    self._waiting[watcher] = event = anyio.Event()
                    await event.wait()
        finally:
            self._waiting.pop(watcher, None)
            watcher.left_at = current_time()
            if self._leader is None and self._waiting:
                next(iter(self._waiting.values())).set()

    def close(self) -> None:
        """Wake all who wait; they find the client closed."""
        self._bell.set()
        for event in self._waiting.values():
            event.set()

    async def _lead(self, watcher: Watcher) -> None:
        self._leader = watcher
        try:
            async with plain_task_group() as group:
                while not (watcher.is_ready or self._lifetime.ended):
                    self._bell = anyio.Event()
                    due = self._start_what_is_due(group)
                    with anyio.move_on_after(max(0.0, due - current_time())):
                        await self._bell.wait()
                linger = 0.0 if self._lifetime.ended else _LINGER
                group.cancel_scope.deadline = current_time() + linger
        finally:
            self._leader = None

    def _start_what_is_due(self, group: TaskGroup) -> float:
        """Start requests; return when the next one is due."""
        now = current_time()
        if now < self._pace.paused_until:
            return self._pace.paused_until

        def attended(watcher: Watcher) -> bool:
            # Whether somebody waits for its next change, or has taken one just now.
            return watcher.is_waiting or now - watcher.left_at < self._interval

        if not self._is_asking:
            self._rounds.begin(now, attended)
            if self._rounds.next_at() <= now:
                self._is_asking = True
                group.start_soon(self._ask)
        while (tracked := self._readings.next(now, attended)) is not None:
            group.start_soon(self._read, tracked)
        return min(float("inf") if self._is_asking else self._rounds.next_at(), self._readings.next_at())

    async def _ask(self) -> None:
        try:
            await self._rounds.ask()
        finally:
            self._is_asking = False
            self._bell.set()

    async def _read(self, tracked: Tracked) -> None:
        try:
            await self._readings.read(tracked)
        finally:
            self._bell.set()

    def _wake(self, watcher: Watcher) -> None:
        event = self._bell if watcher is self._leader else self._waiting.get(watcher)
        if event is not None and watcher.is_ready:
            event.set()
