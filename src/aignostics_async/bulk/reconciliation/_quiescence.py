"""When silence proves that no run was created, although a commit may be late and a listing stale. Pure.

No clock is believed alone. Two servers may differ by hours, so a Date may be far ahead; an answer may come
from a cache, so time on this machine says nothing of its age. Therefore the shorter duration counts. What is
on disk is from before a request, which may have left much later: a process counts no time before its own.
"""

from __future__ import annotations

from attrs import frozen

NO_PROOF = "the platform's listings contradict each other, or the Dates of its answers do not advance"


@frozen
class Moment:
    """A point in time in this process, by the machine's uptime, and by the server's Date if that is known."""

    uptime: float
    server: float | None = None

    def since(self, earlier: Moment) -> float:
        """Return the seconds since an earlier moment that have certainly passed, for the server too."""
        passed = self.uptime - earlier.uptime
        if self.server is None or earlier.server is None:
            return passed
        return min(passed, self.server - earlier.server)


@frozen(kw_only=True)
class ReconciliationTimeouts:
    """The timeouts, in seconds, for concluding that a request has created no run.

        JobPlan(
            api_root="https://platform.aignostics.com",
            application_version="he-tme:v1.0.0",
            store="s3://bucket/prefix",
            timeouts=ReconciliationTimeouts(quiescence=600),
        )

    After a lost reply, the request is repeated when `quiescence` (300 by default) has passed and two
    listings, `replica_lag` (30 by default) apart, show no run of it. If the listings prove nothing for
    another `ambiguity` (900 by default), a person has to decide. After a repeated request, the job looks for
    a second run until `late_commit` (1800 by default) has passed. `JobPlan` raises ConfigurationError for a
    value that is not a finite number greater than 0.
    """

    quiescence: float = 300.0
    """Seconds from a request until an absence of its run counts; 300 by default.

    Longer than the latest commit and the lag of replicas together.
    """
    replica_lag: float = 30.0
    """Seconds between two listings, so that no stale replica answers both; 30 by default."""
    ambiguity: float = 900.0
    """Seconds after `quiescence` for which listings that prove nothing are repeated before a person decides;
    900 by default. `replica_lag` longer if the last listing showed no run, since the next one may prove it.
    """
    late_commit: float = 1800.0
    """Seconds to search for a second run after a request was repeated because its reply was lost; 1800 by
    default.
    """


class QuiescenceDetector:
    """Decides from the listings after a request whether it has created no run.

    `begun` is a moment after the request has left, and after the end of the process that sent it if that was
    another one.
    """

    def __init__(self, timeouts: ReconciliationTimeouts, begun: Moment) -> None:
        self._timeouts = timeouts
        self._begun = begun
        self._empty_since: Moment | None = None
        self._undecided_since: float | None = None

    def observe(self, begun: Moment, *, is_empty: bool) -> bool:
        """Register a complete listing that began at a moment; return whether silence is proven.

        That takes two empty listings after `quiescence`, at least `replica_lag` apart, with none between
        them that is not empty.
        """
        quiescence = self._timeouts.quiescence
        if self._undecided_since is None and begun.uptime - self._begun.uptime >= quiescence:
            self._undecided_since = begun.uptime
        if begun.since(self._begun) < quiescence:
            return False
        self._empty_since = (self._empty_since or begun) if is_empty else None
        return self._empty_since is not None and begun.since(self._empty_since) >= self._timeouts.replica_lag

    def is_ambiguous(self, now: Moment) -> bool:
        """Whether listings have proven nothing for so long that a person has to decide."""
        # The first that showed no run may come after a long sleep: the next one may prove it.
        if self._undecided_since is None or now == self._empty_since:
            return False
        patience = self._timeouts.ambiguity
        if self._empty_since is not None:
            patience += self._timeouts.replica_lag  # the next listing may prove it
        return now.uptime - self._undecided_since >= patience

    def next_wait(self, now: Moment, interval: float) -> float:
        """Return how many seconds to wait before the next listing."""
        quiet_in = self._timeouts.quiescence - now.since(self._begun)
        if quiet_in > 0:
            # A run shows early; only the end shows that there is none.
            return min(interval, quiet_in)
        if self._empty_since is None:
            return interval
        lag_in = self._timeouts.replica_lag - now.since(self._empty_since)
        # The Date may be behind by hours, and that is nothing to sleep for.
        return min(lag_in, self._timeouts.replica_lag) if lag_in > 0 else interval
