"""The one clock of an emulator: runs, tokens, signed URLs, lag and the Date header all go by it."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ._state_database import StateDatabase


class SimulatedClock:
    """Seconds since the epoch, `rate` of them in a second; 0 stands still until it is advanced.

    It never goes back, and a restart on the same data goes on where it would be by now.
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
        """Return the time here."""
        return self._then + (time.monotonic() - self._since) * self.rate

    def set(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Go on at another rate, from the present or from some seconds later."""
        self._then, self._since = self.now() + advance_s, time.monotonic()
        self.rate = self.rate if rate is None else rate
        self._save()
        self._changed.set()
        self._changed = anyio.Event()

    async def sleep(self, duration: float) -> None:
        """Wait for some seconds of this clock, whatever becomes of its rate meanwhile."""
        end = self.now() + duration
        while (left := end - self.now()) > 0:
            with anyio.move_on_after(left / self.rate if self.rate else None):
                await self._changed.wait()

    def _save(self) -> None:
        self._database.set_clock(wall=time.time(), clock=self._then, rate=self.rate)


class DateHeader:
    """The ASGI layer that gives every answer a Date of the clock's, in place of the server's."""

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
