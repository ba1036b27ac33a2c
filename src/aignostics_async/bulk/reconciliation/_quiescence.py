"""When silence means that no run was created: an answer may be late, and a listing may be stale. Pure.

The server's own clock decides, from the Date of its answers: a wall clock of ours can be set, and an uptime
says nothing of the time before this process. Where the server gives no Date, this process waits the whole
time itself.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Moment:
    """A point in time, by the server's clock where it is known, and by this process's uptime."""

    uptime: float
    server: float | None = None

    def since(self, earlier: Moment) -> float:
        """Return the seconds since an earlier moment, by the server's clock if both have it."""
        if self.server is not None and earlier.server is not None:
            return self.server - earlier.server
        return self.uptime - earlier.uptime


@frozen(kw_only=True)
class ReconciliationTimeouts:
    """How long to be patient, in seconds of the server's clock."""

    quiescence: float = 300.0
    """After a request, until silence may count: more than the latest commit and the longest lag together."""
    replica_lag: float = 30.0
    """Between two listings, so that no one stale replica answers both."""
    ambiguity: float = 900.0
    """How long a run that may be the one is looked at, when all else is quiet, before a person has to."""
    late_commit: float = 1800.0
    """How long after a request whose answer was lost a second run is looked for, if another one was sent."""


class QuiescenceDetector:
    """Listings after one request, and whether they prove that it created nothing."""

    def __init__(self, timeouts: ReconciliationTimeouts, asked_at: float | None, begun: Moment) -> None:
        self._timeouts = timeouts
        # Without a Date from before the request only what this process has waited counts. With one, a failed
        # question costs nothing: the next Date is compared with it.
        self._from = begun if asked_at is None else Moment(begun.uptime, asked_at)
        self._empty_since: Moment | None = None
        self._doubt_since: Moment | None = None

    def observe(self, begun: Moment, *, is_empty: bool) -> bool:
        """Take in a full listing that began then; return whether silence is proven.

        It takes two of them that show nothing, begun when it was quiet and far enough apart, and none between
        them that shows anything.
        """
        if begun.since(self._from) < self._timeouts.quiescence:
            return False
        self._empty_since = (self._empty_since or begun) if is_empty else None
        self._doubt_since = None if is_empty else (self._doubt_since or begun)
        return self._empty_since is not None and begun.since(self._empty_since) >= self._timeouts.replica_lag

    def is_ambiguous(self, now: Moment) -> bool:
        """Whether doubt has lasted so long that a person has to decide."""
        return self._doubt_since is not None and now.since(self._doubt_since) >= self._timeouts.ambiguity

    def next_wait(self, now: Moment, interval: float) -> float:
        """Return how long to wait before the next listing, in seconds of the server's clock."""
        quiet_in = self._timeouts.quiescence - now.since(self._from)
        if quiet_in > 0:
            # A run that is there shows early; that there is none shows at the end only.
            return min(interval, quiet_in)
        lag_in = (
            0.0 if self._empty_since is None else self._timeouts.replica_lag - now.since(self._empty_since)
        )
        return lag_in if lag_in > 0 else interval
