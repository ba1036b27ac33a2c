"""Which of the platform's runs is the one that an intent asked for. Pure.

A run carries one mark of ours, the references of its items. An intent's run is one of its application
version, not older than its first request, unknown before it was sealed, of no other intent, and with exactly
its references. Whatever may still turn out to be it, because its items can't be read yet or are not all
there, is *possible*: it proves nothing and excludes nothing, so it keeps a second request back.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from attrs import field, frozen

from ..database._run_commands import ObservedRun

CLOCK_SKEW = 600.0  # seconds between two clocks of the platform, and between one of them and ours


@frozen(kw_only=True)
class RunQuery:
    """What is known of the run that an intent asked for."""

    references: frozenset[str]
    version: str
    asked_at: float
    """When it was asked for first, by the server's clock where that is known."""
    known: frozenset[str] = field(repr=False)
    """Runs that are others: seen before the intent was sealed, or other intents' own."""

    def may_be(self, run: ObservedRun) -> bool:
        """Whether a run has to be looked into."""
        is_of_time = run.triggered_at >= self.asked_at - CLOCK_SKEW
        return run.version == self.version and is_of_time and run.run_id not in self.known


class ReferenceMatch(Enum):
    """How the references of a run compare with those that are wanted."""

    SAME = auto()
    POSSIBLE = auto()
    OTHER = auto()


def compare(wanted: frozenset[str], found: frozenset[str] | None) -> ReferenceMatch:
    """Return how references compare; None stands for those that could not be read to their end."""
    if found is None or found < wanted:
        return ReferenceMatch.POSSIBLE
    return ReferenceMatch.SAME if found == wanted else ReferenceMatch.OTHER


@frozen
class MatchResult:
    """What a full listing says of an intent, by runs."""

    same: tuple[str, ...]
    possible: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing there is the run, nor may be."""
        return not self.same and not self.possible


def match_runs(wanted: frozenset[str], read: Mapping[str, frozenset[str] | None]) -> MatchResult:
    """Return which runs are the wanted one, and which may be, from what was read of each."""
    fits = {run_id: compare(wanted, found) for run_id, found in read.items()}
    return MatchResult(
        *(tuple(run_id for run_id, each in fits.items() if each is fit) for fit in ReferenceMatch)
    )
