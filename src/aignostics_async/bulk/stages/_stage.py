"""A stage that works on items one by one: takes items in one state, and leaves them in another.

The work to do is in the database only: a stage holds no more than the items it works on, and continues after
a restart with what it finds there.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ..._core._tasks import plain_task_group
from ...errors import AignosticsError, JobStopped
from ..database import _commands, _queries
from ..database._states import ItemState
from ._failure_policy import (
    OF_DOWNLOADS,
    OF_SENDING,
    CircuitBreaker,
    FailureAction,
    Failures,
    decide,
)

if TYPE_CHECKING:
    from ..database._queries import ItemRow
    from ._context import JobContext
    from ._signals import StageId


_MAX_CHANGES = 3
"""How often a file may have changed since it was probed."""


class Before(Protocol):
    """What feeds a stage."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more can come from it."""
        ...


class ItemStage:
    """Works on the items in some states until none is left and none can come."""

    def __init__(
        self,
        context: JobContext,
        part: StageId,
        states: Sequence[ItemState],
        do: Callable[[ItemRow], Awaitable[None]],
        *,
        window: Callable[[], int],
        before: Before | None = None,
        room: Callable[[], Awaitable[int]] | None = None,
        sends: bool = False,
    ) -> None:
        self.is_done = False
        self.in_flight: set[int] = set()
        self._context = context
        self._part = part
        self._states = states
        self._do = do
        self._window = window
        self._before = before
        self._room = room
        self._sends = sends  # whether it prepares what is to be sent
        self._breaker = CircuitBreaker(OF_SENDING if sends else OF_DOWNLOADS)
        self._changes: Counter[int] = Counter()

    async def run(self) -> None:
        """Work until everything is done, or what was begun if the job drains."""
        async with plain_task_group() as group:
            while self._may_begin:
                signal = self._context.signals.next(self._part)
                # Both are read before the items: what ends meanwhile may leave one to take.
                is_last = self._before is None or self._before.is_done
                is_idle = not self.in_flight
                free = await self._free()
                rows = await self._take(free) if free else []
                for row in rows:
                    self.in_flight.add(row.number)
                    self._context.taken.add(row.number)
                    group.start_soon(self._one, row)
                if not rows and is_idle and is_last:
                    break
                if not rows:
                    await signal.wait()
        self.is_done = True
        self._context.signals.notify_from(self._part)

    @property
    def _may_begin(self) -> bool:
        return self._context.may_send if self._sends else not self._context.is_draining

    async def _free(self) -> int:
        """Return how many items more may be taken."""
        in_flight = len(self.in_flight)
        free = max(0, self._window() - in_flight)
        if self._room is None or not free:
            return free
        # Items at work take up room. They are counted first, since one may end while the room is read.
        return max(0, min(free, await self._room() - in_flight))

    async def _take(self, limit: int) -> list[ItemRow]:
        rows: list[ItemRow] = []
        for state in self._states:
            query = _queries.items_in(state, beyond=list(self._context.taken), limit=limit - len(rows))
            rows += await self._context.database.read(query)
        return rows

    async def _one(self, row: ItemRow) -> None:
        try:
            with self._context.cancellable():
                await self._until_settled(row)
        except JobStopped as error:
            self._context.stop(error)
        finally:
            self.in_flight.discard(row.number)
            self._context.taken.discard(row.number)
            self._context.signals.notify_from(self._part)

    async def _until_settled(self, row: ItemRow) -> None:
        failures = Failures()
        while True:
            # Read again: the attempt before may have moved it a step, or its run may be gone.
            row = await self._context.database.read(_queries.item(row.number))
            if row.state.is_final:
                return
            began = self._context.clock.monotonic()
            try:
                await self._do(row)
            except AignosticsError as error:
                failure = error
            else:
                self._breaker.succeeded()
                return
            failures.add(began, self._context.clock.monotonic())
            decision = decide(failure, failures.count, failures.lasted, random.random())
            if decision.action is FailureAction.STOP:
                raise JobStopped(f"{row.reference}: {failure}", cause=failure)
            if decision.action is FailureAction.RETRY:
                if not self._may_begin:
                    return
                await self._context.sleep(decision.wait)
            elif decision.action is FailureAction.REPROBE and self._changes[row.number] < _MAX_CHANGES:
                self._changes[row.number] += 1
                await self._context.database.write(_commands.move_item(row.number, ItemState.FOUND))
            else:
                await self._context.quarantine(row, str(failure))
                if self._breaker.failed(failure):
                    raise JobStopped(
                        f"several slides in a row failed, the last one with: {failure}", cause=failure
                    )
                return
