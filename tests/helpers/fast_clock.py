"""Clocks under which a job's waits cost a test no time."""

from __future__ import annotations

import anyio
from anyio import to_thread
from attrs import define, field, frozen

from aignostics_async._core._clock import Clock
from aignostics_async.emulator.process import Emulator


@frozen
class FastClock(Clock):
    """The machine's clock, scaled: for whole jobs, where transfers go on while somebody sleeps."""

    rate: float

    def uptime(self) -> float:
        return super().uptime() * self.rate

    def monotonic(self) -> float:
        return super().monotonic() * self.rate

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        return super().move_on_after(seconds / self.rate)


@define
class SteppedClock(Clock):
    """A clock that moves to the end of every sleep, and an emulator's standing one with it.

    However slow the machine is, no time passes between two steps of a protocol.
    """

    emulator: Emulator
    _now: float = field(default=0.0, init=False)

    def uptime(self) -> float:
        return self._now

    monotonic = uptime

    async def sleep(self, seconds: float) -> None:
        until = self._now + seconds
        await anyio.lowlevel.checkpoint()  # all who sleep from now on wake at their own times
        if (step := until - self._now) > 0:
            self._now = until
            await to_thread.run_sync(lambda: self.emulator.set_clock(advance_s=step))
