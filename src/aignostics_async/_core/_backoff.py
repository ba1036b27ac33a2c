"""Exponential backoff: the one rule for how long to wait after a failure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from attrs import frozen

_MAX_DOUBLINGS = 62  # 2.0**1024 overflows, and every maximum is reached long before


@frozen
class Backoff:
    """Waits that double with each consecutive failure. Pure: the random number is an argument.

        backoff = Backoff(initial=1, maximum=30)
        backoff.wait(failures, random.random(), retry_after=error.retry_after)

    Times are in seconds.
    """

    initial: float
    """The wait after the first failure."""
    maximum: float
    """Where doubling ends."""
    jitter: float = 0.25
    """The largest share that is taken off a wait, so that clients that failed together spread out."""

    def wait(self, failures: int, draw: float, *, retry_after: float | None = None) -> float:
        """Return the seconds to wait after `failures` consecutive failures, counted from 1.

        `draw`, a random number from 0 to 1, decides how much of the jitter is taken off. `retry_after`
        lengthens a wait and never shortens it: `Retry-After: 0` must not cause a burst of requests. It is
        not limited by `maximum`; callers limit what they accept of it.
        """
        doubled = min(self.initial * 2.0 ** min(failures - 1, _MAX_DOUBLINGS), self.maximum)
        return max(doubled * (1 - self.jitter * draw), retry_after or 0.0)

    def pauses(self, attempts: int, draw: Callable[[], float] = random.random) -> Iterator[float]:
        """Yield the seconds to pause before each of several attempts: 0 before the first, then the waits."""
        yield 0.0
        for failures in range(1, attempts):
            yield self.wait(failures, draw())
