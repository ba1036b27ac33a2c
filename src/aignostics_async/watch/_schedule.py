"""When to ask next: the pace of rounds, the budget of readings, whose turn it is. Pure; times are given."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf

_LONGEST_STRETCH = 8.0


class Pace:
    """The interval between two rounds: as the settings say, and longer while the API is in trouble."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._stretch = 1.0
        self._failures = 0
        self.paused_until = 0.0
        """Nothing is asked before; the API has said so, or has failed."""

    def next_round(self, began: float, ended: float, jitter: float) -> float:
        """Return when the round after one begins; `jitter` (0 to 1) takes up to a twentieth off."""
        return max(began + self._interval * self._stretch * (1 - jitter / 20), ended)

    def succeeded(self) -> None:
        """Take in that an answer came."""
        self._failures = 0
        self._stretch = max(1.0, self._stretch * 0.9)

    def failed(self, now: float, retry_after: float | None, initial_wait: float, jitter: float) -> None:
        """Take in a failure that is likely to pass: wait as the API says, else longer each time."""
        wait = min(initial_wait * 2**self._failures, self._interval) * (1 - jitter / 4)
        self._failures += 1
        self._stretch = min(self._stretch * 1.5, _LONGEST_STRETCH)
        self.paused_until = max(self.paused_until, now + (wait if retry_after is None else retry_after))


class Budget:
    """So many requests a minute, spread evenly; what one second leaves is lost."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate)
        self._left = self._most
        self._at = now

    def has_one(self, now: float) -> bool:
        """Whether there is one by now."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left >= 1

    def take(self) -> None:
        """Take the one that there is."""
        self._left -= 1

    def next_at(self) -> float:
        """Return when there will be one again."""
        return self._at + max(0.0, 1 - self._left) / self._rate


class Turns:
    """Whose turn it is to be read: an urgent one and another by turns, of each the one whose turn came first.

    So what is urgent does not wait for thousands, and if it is thousands itself, it takes half.
    """

    def __init__(self) -> None:
        self._queues: tuple[list[tuple[float, str]], ...] = ([], [])
        self._preferred = 0
        self._due: dict[str, tuple[int, float]] = {}

    def put(self, run_id: str, due: float, *, urgent: bool = False) -> None:
        """Give a run a turn, in place of the one that it had."""
        queue = 0 if urgent else 1
        self._due[run_id] = (queue, due)
        heappush(self._queues[queue], (due, run_id))

    def pop(self, now: float) -> str | None:
        """Return the run whose turn it is by now, and count it as taken; None where it is nobody's."""
        for number in (self._preferred, 1 - self._preferred):
            due, run_id = self._first(number)
            if run_id and due <= now:
                self._preferred = 1 - number
                del self._due[run_id]
                return run_id
        return None

    def next_at(self) -> float:
        """Return when somebody's turn comes; infinity where there is none."""
        return min(self._first(number)[0] for number in range(len(self._queues)))

    def _first(self, number: int) -> tuple[float, str]:
        queue = self._queues[number]
        while queue:
            due, run_id = queue[0]
            if self._due.get(run_id) == (number, due):
                return due, run_id
            heappop(queue)  # a turn that was replaced
        return inf, ""
