"""Which of the platform's runs is the one that an intent asked for. Pure.

The run of an intent has its application version and exactly its references, is not older than the job, was
unknown when the intent was sealed, and belongs to no other intent. Where the contract has custom metadata,
the mark of a run tells the rest: that of one of the intent's own requests is the proof, that of another job
the opposite. One that a copy of the job's folder has sent for the same items is the run, too. A run that
can't be read yet, or is listed in part, is *possible*: it proves nothing, and keeps the job from sending a
second request.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from attrs import field, frozen

from ..database._run_commands import ObservedRun

CLOCK_SKEW = 86_400.0
"""Seconds between two clocks of the platform, or one of them and ours: some are set to a wrong time zone."""


@frozen(kw_only=True)
class RunQuery:
    """What is known about the run that a request of an intent may have created."""

    references: frozenset[str]
    version: str
    since: float
    """When the job was made, by the clock of the server or by the local one, whichever is behind."""
    known: frozenset[str] = field(repr=False)
    """Runs that can't be it: seen before the intent was sealed, or owned by other intents."""
    job: str = ""
    intent: str = ""
    """The ids of job and intent, as marks have them."""
    holder: str = ""
    """The token of this process."""
    attempts: frozenset[str] = frozenset()
    """The tokens of the intent's own requests."""
    other_attempts: frozenset[str] = frozenset()
    """The tokens of the requests of the job's other intents."""
    is_marked: bool = False
    """Whether each of its requests has marked its run."""
    user: str | None = None
    """Who submits the job's runs; None if nobody knows."""

    def may_be(self, run: ObservedRun) -> bool:
        """Whether the references of a run have to be read."""
        is_of_time = run.triggered_at >= self.since - CLOCK_SKEW
        return run.version == self.version and is_of_time and run.run_id not in self.known

    def is_own(self, run: ObservedRun) -> bool:
        """Whether this process has sent the request that a run is marked with."""
        mark = run.mark
        return mark is not None and mark.attempt in self.attempts and mark.holder == self.holder

    def by_mark(self, run: ObservedRun) -> ReferenceMatch | None:
        """Return what the mark of a run says of it; None if its items have to be read."""
        mark = run.mark
        if mark is None:
            return None
        if mark.withdrawn is not None:
            return ReferenceMatch.OTHER  # it is being cancelled as a second one
        if mark.attempt in self.attempts:
            return self._by_own_mark(run)
        if mark.job != self.job or mark.attempt in self.other_attempts:
            return ReferenceMatch.OTHER
        # A copy of the job's folder has sent it, for these items or others.
        return None

    def _by_own_mark(self, run: ObservedRun) -> ReferenceMatch | None:
        if self.user is not None and run.user not in (None, self.user):
            return ReferenceMatch.POSSIBLE  # somebody has copied the mark
        # A mark that is older than this process may have been copied, too; its items tell.
        is_whole = run.size in (None, len(self.references))
        return ReferenceMatch.SAME if self.is_own(run) and is_whole else None


class ReferenceMatch(Enum):
    """How a run compares with what an intent has asked for."""

    SAME = auto()
    POSSIBLE = auto()
    OTHER = auto()


def compare(wanted: frozenset[str], found: frozenset[str] | None) -> ReferenceMatch:
    """Compare references; None stands for those that could not be read to their end."""
    if found is None or found < wanted:
        return ReferenceMatch.POSSIBLE
    return ReferenceMatch.SAME if found == wanted else ReferenceMatch.OTHER


@frozen
class MatchResult:
    """The runs of a complete listing, by how they match an intent."""

    same: tuple[str, ...]
    possible: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no run matches or may match."""
        return not self.same and not self.possible


def match_runs(fits: Mapping[str, ReferenceMatch]) -> MatchResult:
    """Sort runs by how they match."""
    return MatchResult(
        *(tuple(run_id for run_id, each in fits.items() if each is fit) for fit in ReferenceMatch)
    )
