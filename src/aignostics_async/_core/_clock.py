"""Durations, times, and the clock of bulk jobs: one object, so that a test can scale it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from math import inf

import anyio

from ..errors import ConfigurationError
from ._portable import uptime


class Clock:
    """This machine's clock, in seconds."""

    def uptime(self) -> float:
        """Return the seconds since the machine started, with suspended ones where the system counts them."""
        return uptime()

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back, without suspended ones."""
        return time.monotonic()

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        """Return a scope that is cancelled after some seconds."""
        return anyio.move_on_after(seconds)

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        with self.move_on_after(seconds):
            await anyio.sleep_forever()


SYSTEM_CLOCK = Clock()


def seconds(value: float | timedelta) -> float:
    """Return a duration in seconds, given as one of these; raises ConfigurationError for anything else."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"give a number of seconds, such as 60, or a timedelta, not {value!r}")
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return inf if value > 0 else -inf


def earlier(moment: datetime, by: timedelta) -> datetime:
    """Return the time a while before another; the first time that Python knows if none is so early."""
    first = datetime.min.replace(tzinfo=UTC)
    return moment - by if moment - first > by else first
