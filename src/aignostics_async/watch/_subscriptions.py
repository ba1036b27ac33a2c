"""Who watches which runs, and who is told what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING
from weakref import WeakSet

from anyio import current_time

from ..errors import AignosticsError, AuthenticationError, Unauthorized
from ._run_state import Tracked

if TYPE_CHECKING:
    from ..models import RunDetails
    from ._transitions import Look
    from ._watcher import Watcher


class Book:
    """The watchers of a client and their runs. A watcher that nobody holds any more is in it no more."""

    def __init__(self, wake: Callable[[Watcher], None], want: Callable[[Tracked], None]) -> None:
        self._wake = wake
        self._want = want
        self._watchers: WeakSet[Watcher] = WeakSet()
        self._scoped: WeakSet[Watcher] = WeakSet()
        self._runs: dict[str, Tracked] = {}

    def enter(self, watcher: Watcher) -> None:
        """Take in a new watcher."""
        self._watchers.add(watcher)
        if watcher.lists_since is not None:
            self._scoped.add(watcher)
        for run_id in watcher.run_ids:
            self._join(watcher, run_id)

    def leave(self, watcher: Watcher, run_id: str) -> None:
        """Take in that a watcher is done with a run."""
        tracked = self._runs.get(run_id)
        if tracked is not None:
            tracked.watchers.discard(watcher)
            if not tracked.watchers:
                del self._runs[run_id]

    def run(self, run_id: str) -> Tracked | None:
        """Return a run, if anybody watches it."""
        return self._runs.get(run_id)

    def runs(self, *, attended: Callable[[Watcher], bool]) -> Iterator[Tracked]:
        """Give the runs whose watchers are attended, some of them maybe more than once."""
        for watcher in self._watchers:
            if attended(watcher):
                yield from filter(None, map(self._runs.get, watcher.run_ids))

    def scoped(self, *, attended: Callable[[Watcher], bool]) -> list[Watcher]:
        """Return the attended watchers of runs that nobody named."""
        return [watcher for watcher in self._scoped if attended(watcher)]

    def see(self, runs: Iterable[RunDetails]) -> None:
        """Take in how runs stand, as far as anybody watches them, or wants to from now on."""
        now = current_time()
        scoped = list(self._scoped)
        for details in runs:
            for watcher in scoped:
                if watcher.adopts(details):
                    self._join(watcher, details.run_id)
            tracked = self._runs.get(details.run_id)
            if tracked is not None and (look := tracked.see(details, now)) is not None:
                self.tell(tracked, look)
                self._want(tracked)

    def sweep(self) -> None:
        """Forget the runs whose watchers are gone."""
        for run_id in [run_id for run_id, tracked in self._runs.items() if not tracked.watchers]:
            del self._runs[run_id]

    def tell(self, tracked: Tracked, look: Look) -> None:
        """Let all watchers of a run know what was seen."""
        for watcher in list(tracked.watchers):
            watcher.take(look)
            self._wake(watcher)

    def fail(self, tracked: Tracked, error: AignosticsError) -> None:
        """End the watching of one run, or of all where it is the sign-in that failed."""
        if isinstance(error, AuthenticationError | Unauthorized):
            self.fail_all(error)
            return
        self._runs.pop(tracked.run_id, None)
        for watcher in list(tracked.watchers):
            watcher.fail(tracked.run_id, copy(error))
            self._wake(watcher)

    def fail_all(self, error: AignosticsError) -> None:
        """End the watching of everything; who begins anew begins anew."""
        watchers = list(self._watchers)
        self._runs.clear()
        self._watchers.clear()
        self._scoped.clear()
        for watcher in watchers:
            watcher.end(copy(error))
            self._wake(watcher)

    def _join(self, watcher: Watcher, run_id: str) -> None:
        tracked = self._runs.get(run_id)
        if tracked is None:
            tracked = self._runs[run_id] = Tracked(run_id)
        tracked.join(watcher)
        if (look := tracked.picture()) is not None:
            watcher.take(look)
            self._wake(watcher)
            self._want(tracked)
