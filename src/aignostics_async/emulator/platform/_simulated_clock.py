"""The clock of an emulator. Runs, tokens, signed URLs, replica lag and the Date header use it."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ._state_database import StateDatabase


# The beginning of the year 9999: dates end with it, and every response has one.
_LAST = 253_370_764_800.0


class SimulatedClock:
    """Seconds since the epoch, at `rate` seconds per second; at rate 0 only `set` advances it.

    The clock never goes back, and stops at the year 9999. After a restart on the same data folder it shows
    the time that it would have reached meanwhile.
    """

    def __init__(self, database: StateDatabase, rate: float) -> None:
        self._database = database
        wall = time.time()
        told = database.clock()
        self._then = wall if told is None else told.clock + max(0.0, wall - told.wall) * told.rate
        self._since = time.monotonic()
        self.rate = rate
        self._changed = anyio.Event()
        self._save()

    def now(self) -> float:
        """Return the emulator's time."""
        return min(self._then + (time.monotonic() - self._since) * self.rate, _LAST)

    def set(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Advance the clock and change its rate; None keeps the rate."""
        self._then, self._since = self.now() + advance_s, time.monotonic()
        self.rate = self.rate if rate is None else rate
        self._save()
        self._changed.set()
        self._changed = anyio.Event()

    async def sleep(self, duration: float) -> None:
        """Sleep for a duration of this clock, also if its rate changes."""
        end = self.now() + duration
        while (left := end - self.now()) > 0:
            with anyio.move_on_after(left / self.rate if self.rate else None):
                await self._changed.wait()

    def _save(self) -> None:
        self._database.set_clock(wall=time.time(), clock=self._then, rate=self.rate)


class DateHeader:
    """The ASGI layer that sets the Date header of every answer to the emulator's time."""

    def __init__(self, app: ASGIApp, clock: SimulatedClock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._app(scope, receive, dated)
