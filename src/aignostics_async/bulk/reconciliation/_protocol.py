"""The protocol that leads from a sealed intent to its one run. Pure: a state machine without I/O.

`reconcile` is a generator. It yields steps and receives their results; its driver carries them out, on a
network or in a simulation. The process may die between any two steps: the next one starts from the state
that was written down, and treats SENDING as UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ..database._run_commands import ObservedRun
from ..database._states import AttemptOutcome, IntentState
from ._matching import ReferenceMatch, RunQuery, compare, match_runs
from ._quiescence import NO_PROOF, Moment, QuiescenceDetector, ReconciliationTimeouts

if TYPE_CHECKING:
    from ...errors import AignosticsError


@frozen(kw_only=True)
class AttemptResult:
    """The outcome of one request for a run."""

    outcome: AttemptOutcome
    run_id: str | None = None
    reason: str = ""
    wait: float = 0.0
    """Seconds after which to try again."""
    error: AignosticsError | None = field(default=None, eq=False)


# The steps. Each docstring names the result that the driver sends back.


@frozen
class Prepare:
    """Prepare the request, with fresh URLs; no result. It may take long."""


@frozen
class ReadClock:
    """Read the time; the result is a Moment. A fresh one has the Date of an answer to a request sent now."""

    is_fresh: bool = False


@frozen
class Begin:
    """Write down that a request is about to be sent; the result comes when that is durable."""

    server_date: float | None
    """For the search for second runs; silence is not measured from it."""


@frozen
class Send:
    """Send the request once; the result is an AttemptResult."""


@frozen
class Conclude:
    """Write down the outcome of the request and the next state; the result comes when that is durable."""

    outcome: AttemptOutcome
    state: IntentState
    run_id: str | None = None
    reason: str = ""


@frozen
class FindMarked:
    """Ask for the runs that are marked with the intent; the result is a RunListing, or None without one.

    It finds faster, and proves no absence: a server may ignore the filter, or show a mark later than its run.
    """


@frozen
class ListRuns:
    """List all runs that may match; the result is a RunListing, or None if a request failed."""


@frozen
class RunListing:
    """A complete listing: when it began, its runs, and the query that they are compared with."""

    begun: Moment
    runs: Sequence[ObservedRun]
    query: RunQuery


@frozen
class ReadReferences:
    """Read the references of a run; the result is all of them, or None if they can't be read to their end."""

    run_id: str


@frozen
class Claim:
    """Take a run for the job; the result is whether no other process may cancel it any more."""

    run: ObservedRun


@frozen
class Resolve:
    """Write down what listings have shown and the next state; the result comes when that is durable."""

    state: IntentState
    run_id: str | None = None
    reason: str = ""


@frozen
class Wait:
    """Wait for some seconds."""

    seconds: float


Step = (
    Prepare
    | ReadClock
    | Begin
    | Send
    | Conclude
    | FindMarked
    | ListRuns
    | ReadReferences
    | Claim
    | Resolve
    | Wait
)
Steps = Generator[Step, Any, IntentState]

_FOLLOWS = {
    AttemptOutcome.CREATED: IntentState.CREATED,
    AttemptOutcome.NOT_SENT: IntentState.SEALED,
    AttemptOutcome.LATER: IntentState.SEALED,
    AttemptOutcome.UNAUTHORIZED: IntentState.SEALED,
    AttemptOutcome.STOP: IntentState.SEALED,
    AttemptOutcome.REFUSED: IntentState.DISSOLVED,
    AttemptOutcome.UNKNOWN: IntentState.UNKNOWN,
}
MAX_UNKNOWN = 2
"""How often the outcome of a request may be unknown before a person has to look at it."""
_SETTLED = frozenset({IntentState.CREATED, IntentState.AMBIGUOUS, IntentState.DISSOLVED, IntentState.CLOSED})


def reconcile(
    state: IntentState, timeouts: ReconciliationTimeouts, interval: float, *, unknown: int
) -> Steps:
    """Give the steps that lead from a state to one in which no request is open, and return that state.

    It is SEALED only after an answer that stops the job. The second time in a row that a token is not
    accepted is one, and the second time that an outcome is unknown, once silence has proven that there is no
    run: it would be so for ever. `unknown` is how often it was before, in this process. `interval` is the
    time between two listings, in seconds.
    """
    if state is IntentState.SENDING:
        # A process died between writing down the request and its outcome: it may have been sent.
        yield Conclude(AttemptOutcome.UNKNOWN, IntentState.UNKNOWN, reason="the process ended meanwhile")
        state = IntentState.UNKNOWN
    last: AttemptOutcome | None = None
    while state not in _SETTLED:
        if state is IntentState.SEALED:
            yield Prepare()
            if unknown and (late := (yield from _find_marked())) is not None:
                yield late  # it has come since its absence was proven
                state = late.state
                continue
            before: Moment = yield ReadClock(is_fresh=True)
            yield Begin(before.server)
            sent: AttemptResult = yield Send()
            state = _FOLLOWS[sent.outcome]
            yield Conclude(sent.outcome, state, sent.run_id, sent.reason)
            if sent.outcome is AttemptOutcome.STOP or sent.outcome is last is AttemptOutcome.UNAUTHORIZED:
                return state
            last = sent.outcome
            unknown += last is AttemptOutcome.UNKNOWN
            if state is IntentState.SEALED:
                yield Wait(sent.wait)
        else:
            state = yield from _find_run(timeouts, interval)
            if state is IntentState.SEALED and unknown >= MAX_UNKNOWN:
                return state
    return state


def _find_run(timeouts: ReconciliationTimeouts, interval: float) -> Steps:
    """Find out whether the run exists, and return the state that follows."""
    if (found := (yield from _find_marked())) is not None:
        yield found
        return found.state
    # The request has left before this moment, but not necessarily soon after it was written down.
    search = _ListingSearch(timeouts, (yield ReadClock(is_fresh=True)))
    while True:
        listing: RunListing | None = yield ListRuns()
        if listing is not None:
            resolved = yield from search.examine(listing)
            if resolved is not None:
                yield resolved
                return resolved.state
        now: Moment = yield ReadClock()
        yield Wait(search.detector.next_wait(now, interval))


Judging = Generator[Step, Any, ReferenceMatch]


def _judge(run: ObservedRun, query: RunQuery) -> Judging:
    """Compare a run with what was asked for, by its mark and as far as that does not tell, by its items."""
    by_mark = query.by_mark(run)
    if by_mark is not None:
        return by_mark
    return compare(query.references, (yield ReadReferences(run.run_id)))


def _find_marked() -> Generator[Step, Any, Resolve | None]:
    """Return the resolution if the platform finds the run by its mark."""
    marked: RunListing | None = yield FindMarked()
    return None if marked is None else (yield from _only_match(marked))


def _only_match(listing: RunListing) -> Generator[Step, Any, Resolve | None]:
    """Return the resolution if one run of a filtered listing is the run, and no other one may be it."""
    query, fits = listing.query, {}
    runs = {run.run_id: run for run in listing.runs if run.mark is not None and query.may_be(run)}
    for run in runs.values():
        fits[run.run_id] = yield from _judge(run, query)
    match = match_runs(fits)
    if len(match.same) != 1 or match.possible or not (yield Claim(runs[match.same[0]])):
        return None
    return Resolve(IntentState.CREATED, match.same[0], "found by its mark")


class _ListingSearch:
    """The listings after one request, and what they have shown."""

    def __init__(self, timeouts: ReconciliationTimeouts, begun: Moment) -> None:
        self.detector = QuiescenceDetector(timeouts, begun)
        self._quiescence = timeouts.quiescence
        self._others: set[str] = set()  # runs that don't match; they never will
        self._unmarked: dict[str, Moment] = {}  # when a run was first seen without a mark

    def examine(self, listing: RunListing) -> Generator[Step, Any, Resolve | None]:
        """Judge the runs of a listing that may match, and return the resolution, if there is one."""
        runs = {run.run_id: run for run in listing.runs}
        match = match_runs((yield from self._judge_all(listing)))
        self._others.update(match.other)
        if len(match.same) > 1:
            reason = f"these runs have exactly its references: {', '.join(match.same)}"
            return Resolve(IntentState.AMBIGUOUS, reason=reason)
        if match.same and (yield Claim(runs[match.same[0]])):
            return Resolve(IntentState.CREATED, match.same[0], "found in the listing of runs")
        if self.detector.observe(listing.begun, is_empty=match.is_empty):
            return Resolve(IntentState.SEALED, reason="the platform has no such run")
        if self.detector.is_ambiguous(listing.begun):
            runs_in_doubt = ", ".join((*match.same, *match.possible))
            told = f"these may be its run, and nothing proves it: {runs_in_doubt}"
            return Resolve(IntentState.AMBIGUOUS, reason=told if runs_in_doubt else NO_PROOF)
        return None

    def _judge_all(self, listing: RunListing) -> Generator[Step, Any, dict[str, ReferenceMatch]]:
        fits = {}
        for run in listing.runs:
            if listing.query.may_be(run) and run.run_id not in self._others:
                fit = yield from _judge(run, listing.query)
                is_too_early = fit is ReferenceMatch.SAME and self._may_get_mark(run, listing)
                fits[run.run_id] = ReferenceMatch.POSSIBLE if is_too_early else fit
        return fits

    def _may_get_mark(self, run: ObservedRun, listing: RunListing) -> bool:
        """Whether the mark of a run may show later, and tell that it is another's."""
        if run.mark is not None or not listing.query.is_marked:
            return False
        first = self._unmarked.setdefault(run.run_id, listing.begun)
        return listing.begun.since(first) < self._quiescence
