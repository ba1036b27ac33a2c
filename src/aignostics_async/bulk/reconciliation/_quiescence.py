"""When silence proves that no run was created, although a commit may be late and a listing stale. Pure.

Time is measured by the Date of the server's answers: the local clock can be set, and the uptime does not
include the time before this process. If the server sends no Date, this process waits the whole time itself.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Moment:
    """A point in time, by the machine's uptime, and by the server's clock if that is known."""

    uptime: float
    server: float | None = None

    def since(self, earlier: Moment) -> float:
        """Return the seconds since an earlier moment, by the server's clock if both have it."""
        if self.server is not None and earlier.server is not None:
            return self.server - earlier.server
        return self.uptime - earlier.uptime


@frozen(kw_only=True)
class ReconciliationTimeouts:
    """How long to wait before concluding that a request has created no run.

        JobPlan(..., timeouts=ReconciliationTimeouts(quiescence=600))

    All are in seconds of the server's clock. By default 300 s until an absence counts, 30 s between two
    listings, 900 s until a person has to decide, and 1800 s for the search for second runs.
    """

    quiescence: float = 300.0
    """Seconds from a request until an absence of its run counts; 300 by default.

    Longer than the latest commit and the lag of replicas together.
    """
    replica_lag: float = 30.0
    """Seconds between two listings, so that no stale replica answers both; 30 by default."""
    ambiguity: float = 900.0
    """Seconds after `quiescence` for which a possible run is read again before a person decides; 900 by
    default.
    """
    late_commit: float = 1800.0
    """Seconds to search for a second run after a request was repeated because its reply was lost; 1800 by
    default.
    """


class QuiescenceDetector:
    """Decides from the listings after a request whether it has created no run."""

    def __init__(self, timeouts: ReconciliationTimeouts, asked_at: float | None, begun: Moment) -> None:
        self._timeouts = timeouts
        # Without a Date from before the request only what this process has waited counts. With one, a failed
        # question costs nothing: the next Date is compared with it.
        self._from = begun if asked_at is None else Moment(begun.uptime, asked_at)
        self._empty_since: Moment | None = None
        self._doubt_since: Moment | None = None

    def observe(self, begun: Moment, *, is_empty: bool) -> bool:
        """Register a complete listing that began at a moment; return whether silence is proven.

        That takes two empty listings after `quiescence`, at least `replica_lag` apart, with none between
        them that is not empty.
        """
        if begun.since(self._from) < self._timeouts.quiescence:
            return False
        self._empty_since = (self._empty_since or begun) if is_empty else None
        self._doubt_since = None if is_empty else (self._doubt_since or begun)
        return self._empty_since is not None and begun.since(self._empty_since) >= self._timeouts.replica_lag

    def is_ambiguous(self, now: Moment) -> bool:
        """Whether a run has been possible for so long that a person has to decide."""
        return self._doubt_since is not None and now.since(self._doubt_since) >= self._timeouts.ambiguity

    def next_wait(self, now: Moment, interval: float) -> float:
        """Return how long to wait before the next listing, in seconds of the server's clock."""
        quiet_in = self._timeouts.quiescence - now.since(self._from)
        if quiet_in > 0:
            # A run shows early; only the end shows that there is none.
            return min(interval, quiet_in)
        lag_in = (
            0.0 if self._empty_since is None else self._timeouts.replica_lag - now.since(self._empty_since)
        )
        return lag_in if lag_in > 0 else interval
