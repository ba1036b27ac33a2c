"""How many connections move bytes at once, and how fast. Pure: the time is an argument."""

from __future__ import annotations

import threading

from attrs import define, field

INTERVAL = 0.25
"""Seconds between two observations of the throughput; shorter ones say nothing."""
_FIRST = 8
_MIN_GAIN = 1.05
_DECAY = 0.95
_BUSY = 0.7  # of the cores
_TURN = 0.125  # seconds of the bandwidth that one connection takes up at once


@define
class ConcurrencyLimit:
    """An adaptive limit on connections: additive increase while throughput grows, halved on throttling.

    It starts at eight, doubles until doubling no longer pays, then grows by a quarter at a time. While the
    process keeps the processors busy it is two per core: more connections would only wait for each other.
    """

    maximum: int
    cores: int
    connections: int = field(init=False)
    _steady: bool = field(init=False, default=False)
    _best: float = field(init=False, default=0.0)
    _best_with: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.connections = min(_FIRST, self.maximum)

    def observe(self, rate: float, busy: float, *, is_full: bool) -> int:
        """Adjust to a throughput in bytes per second and the busy share of all cores; returns the limit.

        `is_full` tells whether every connection was in use; otherwise the rate says nothing about more.
        """
        if busy > _BUSY:
            self.connections = min(self.connections, 2 * self.cores)
            self._steady, self._best, self._best_with = True, 0.0, 0
        elif is_full and rate > self._best * _MIN_GAIN:
            self._best, self._best_with = rate, self.connections
            grown = self.connections + (max(1, self.connections // 4) if self._steady else self.connections)
            self.connections = min(grown, self.maximum)
        elif is_full:
            self._steady = True
            # The last increase gained nothing. The best decays, so that a faster network is noticed.
            self.connections = min(self.connections, self._best_with or self.connections)
            self._best *= _DECAY
        return self.connections

    def rest(self) -> int:
        """Forget what was learned after a pause: the next transfers may be with another storage."""
        self.connections = max(self.connections, min(_FIRST, self.maximum))
        self._steady, self._best, self._best_with = False, 0.0, 0
        return self.connections

    def slow_down(self) -> int:
        """Halve the limit because a storage throttled; returns it."""
        self.connections = max(1, self.connections // 2)
        self._steady = True
        self._best, self._best_with = 0.0, 0
        return self.connections


class BandwidthLimiter:
    """A limit on bytes per second that all connections share; safe to use from several threads.

        limiter = BandwidthLimiter(rate=1_000_000)
        time.sleep(limiter.take(len(piece), time.monotonic()))

    `rate` is in bytes per second, more than 0, and not checked; None means no limit. It may be changed at any
    time.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def piece(self, wanted: int) -> int:
        """Return how many of `wanted` bytes to move at once: what an eighth of a second takes, at least 1.

            view = buffer[: limiter.piece(len(buffer))]

        All connections wait for each other's pieces, and a storage gives one up that is silent for too long.
        """
        rate = self.rate  # it may change meanwhile
        return wanted if rate is None else min(wanted, max(1, int(rate * _TURN)))

    def take(self, count: int, now: float) -> float:
        """Reserve `count` bytes and return how many seconds to wait before they are sent.

            time.sleep(limiter.take(len(piece), time.monotonic()))

        `now` is a time of a monotonic clock in seconds. The result is 0 without a limit, and while the limit
        is not reached. A reservation can't be returned.
        """
        rate = self.rate  # it may change meanwhile
        if rate is None:
            return 0.0
        with self._lock:
            begin = max(now, self._free_at)
            self._free_at = begin + count / rate
            return begin - now


def next_piece(piece: int, seconds: float) -> int:
    """Return how many bytes to move at once, given how long the last `piece` took.

    Four MiB on a fast link, where waking up more often costs a quarter more CPU; less on a slow one, so that
    cancellation, the bandwidth limit and progress stay prompt.
    """
    if seconds > 0.5:
        return max(piece // 2, MIN_PIECE)
    return min(piece * 2, MAX_PIECE) if seconds < 0.1 else piece


MIN_PIECE = 16 * 1024
MAX_PIECE = 4 * 1024 * 1024
# Read from a file and hashed before it is sent, while it is in the processor's L2 cache.
SEND_PIECE = 1024 * 1024
