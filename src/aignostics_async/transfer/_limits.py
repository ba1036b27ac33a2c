"""How many connections move bytes at once, and how fast: pure decisions, told the time."""

from __future__ import annotations

import threading

from attrs import define, field

# A look at the throughput is worth something after so many seconds.
INTERVAL = 0.25
_FIRST = 8
_GAIN = 1.05
_FADES = 0.95
_BUSY = 0.7  # of the cores


@define
class ConcurrencyLimit:
    """How many connections are worth having: more while that moves more bytes, half when a storage says so.

    Starts at eight, doubles until doubling no longer pays, then adds a quarter at a time. While the process
    keeps the processors busy, at most two per core: more would only wait for each other.
    """

    most: int
    cores: int
    connections: int = field(init=False)
    _steady: bool = field(init=False, default=False)
    _best: float = field(init=False, default=0.0)
    _best_with: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.connections = min(_FIRST, self.most)

    def observe(self, rate: float, busy: float, *, is_full: bool) -> int:
        """Take in bytes per second and the share of all cores that were busy; returns the connections.

        With `is_full` every connection was in use; otherwise the rate says nothing about having more.
        """
        if busy > _BUSY:
            self.connections = min(self.connections, 2 * self.cores)
            self._steady, self._best, self._best_with = True, 0.0, 0
        elif is_full and rate > self._best * _GAIN:
            self._best, self._best_with = rate, self.connections
            grown = self.connections + (max(1, self.connections // 4) if self._steady else self.connections)
            self.connections = min(grown, self.most)
        elif is_full:
            self._steady = True
            # What was added brought nothing. The best fades, so that a faster network is noticed.
            self.connections = min(self.connections, self._best_with or self.connections)
            self._best *= _FADES
        return self.connections

    def rest(self) -> int:
        """Take in that nothing moved for a while: the next transfers may be with anybody."""
        self.connections = max(self.connections, min(_FIRST, self.most))
        self._steady, self._best, self._best_with = False, 0.0, 0
        return self.connections

    def slow_down(self) -> int:
        """Take in that a storage asked for less; returns the connections."""
        self.connections = max(1, self.connections // 2)
        self._steady = True
        self._best, self._best_with = 0.0, 0
        return self.connections


class BandwidthLimiter:
    """A limit on bytes per second that all connections share; None is no limit."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int, now: float) -> float:
        """Return the seconds to wait before, or after, moving so many bytes at the time `now`."""
        if self._rate is None:
            return 0.0
        with self._lock:
            begin = max(now, self._free_at)
            self._free_at = begin + count / self._rate
            return begin - now


def next_piece(piece: int, seconds: float) -> int:
    """Return how many bytes to move at once, given how long the last so many took.

    Four MiB on a fast link, where a thread that wakes up more often takes a quarter more CPU; less on a slow
    one, so that cancelling, limiting and telling the progress stay prompt.
    """
    if seconds > 0.5:
        return max(piece // 2, SMALLEST_PIECE)
    return min(piece * 2, LARGEST_PIECE) if seconds < 0.1 else piece


SMALLEST_PIECE = 16 * 1024
LARGEST_PIECE = 4 * 1024 * 1024
# What is sent is read from a file and hashed first, which the processor's L2 cache has room for.
PIECE_TO_SEND = 1024 * 1024
