"""Which of the platform's runs is the one that an intent asked for. Pure.

The references of its items are all that a run shows of its origin. The run of an intent has its application
version and exactly its references, is not older than the job, was unknown when the intent was sealed, and
belongs to no other intent. A run that can't be read yet, or is listed in part, is *possible*: it
proves nothing, and keeps the job from sending a second request.
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

    def may_be(self, run: ObservedRun) -> bool:
        """Whether the references of a run have to be read."""
        is_of_time = run.triggered_at >= self.since - CLOCK_SKEW
        return run.version == self.version and is_of_time and run.run_id not in self.known


class ReferenceMatch(Enum):
    """How the references of a run compare with those of an intent."""

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


def match_runs(wanted: frozenset[str], read: Mapping[str, frozenset[str] | None]) -> MatchResult:
    """Sort runs by how their references match; None for those that could not be read."""
    fits = {run_id: compare(wanted, found) for run_id, found in read.items()}
    return MatchResult(
        *(tuple(run_id for run_id, each in fits.items() if each is fit) for fit in ReferenceMatch)
    )
