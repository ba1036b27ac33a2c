"""When to send the next request: polling interval, rate limit, fair queue. Pure: times are arguments."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf

from .._core._backoff import Backoff

_MAX_STRETCH = 8.0
_JITTER = 0.05


class PollSchedule:
    """The interval between two rounds: as configured, and longer while the API fails. In seconds."""

    def __init__(self, interval: float, *, initial_wait: float) -> None:
        self._interval = interval
        self._backoff = Backoff(initial=initial_wait, maximum=interval)
        self._stretch = 1.0
        self._failures = 0
        self.paused_until = 0.0
        """No request is sent before this time, because one failed or the API asked for a wait."""

    def next_round(self, began: float, ended: float, draw: float) -> float:
        """Return when the next round begins; `draw` (0 to 1) takes up to a twentieth off the interval."""
        return max(began + self._interval * self._stretch * (1 - _JITTER * draw), ended)

    def record_success(self) -> None:
        """Reset the backoff, and shorten a stretched interval a little."""
        self._failures = 0
        self._stretch = max(1.0, self._stretch * 0.9)

    def record_failure(self, now: float, retry_after: float | None, draw: float) -> float:
        """Stretch the interval after a transient failure; return until when no request should be sent."""
        self._failures += 1
        self._stretch = min(self._stretch * 1.5, _MAX_STRETCH)
        wait = self._backoff.wait(self._failures, draw, retry_after=retry_after)
        return max(self.paused_until, now + wait)


class TokenBucket:
    """A rate limit in requests a minute, spread evenly: the bucket holds the tokens of one second."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._rate = per_minute / 60
        self._capacity = max(1.0, self._rate)
        self._tokens = self._capacity
        self._updated_at = now

    def has_token(self, now: float) -> bool:
        """Refill the bucket, and return whether it holds a token."""
        self._tokens = min(self._capacity, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        return self._tokens >= 1

    def take(self) -> None:
        """Take a token; call it only after `has_token`."""
        self._tokens -= 1

    def next_at(self) -> float:
        """Return when the bucket holds a token."""
        return self._updated_at + max(0.0, 1 - self._tokens) / self._rate


class FairQueue:
    """Runs in the order in which they are due, urgent and other ones in turn.

    So urgent runs need not wait for thousands of others, and thousands of urgent ones take at most half of
    the turns.
    """

    def __init__(self) -> None:
        self._heaps: tuple[list[tuple[float, str]], ...] = ([], [])
        self._preferred = 0
        self._entries: dict[str, tuple[int, float]] = {}

    def put(self, run_id: str, due: float, *, urgent: bool = False) -> None:
        """Queue a run, in place of the entry that it may have; it never becomes due later by that."""
        heap = 0 if urgent else 1
        due = min(due, self._entries.get(run_id, (heap, inf))[1])
        self._entries[run_id] = (heap, due)
        heappush(self._heaps[heap], (due, run_id))

    def pop(self, now: float) -> str | None:
        """Remove and return the next run that is due, or None."""
        for number in (self._preferred, 1 - self._preferred):
            due, run_id = self._first(number)
            if run_id and due <= now:
                self._preferred = 1 - number
                del self._entries[run_id]
                return run_id
        return None

    def next_at(self) -> float:
        """Return when the first run is due; infinity for an empty queue."""
        return min(self._first(number)[0] for number in range(len(self._heaps)))

    def _first(self, number: int) -> tuple[float, str]:
        heap = self._heaps[number]
        while heap:
            due, run_id = heap[0]
            if self._entries.get(run_id) == (number, due):
                return due, run_id
            heappop(heap)  # an entry that was replaced
        return inf, ""
