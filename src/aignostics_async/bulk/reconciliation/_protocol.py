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
from ._matching import RunQuery, match_runs
from ._quiescence import Moment, QuiescenceDetector, ReconciliationTimeouts

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
    is_unlisted: bool = False
    """Whether the platform answered, with something that the contract does not list."""
    error: AignosticsError | None = field(default=None, eq=False)


# The steps. Each docstring names the result that the driver sends back.


@frozen
class Prepare:
    """Prepare the request, with fresh URLs; no result. It may take long."""


@frozen
class ReadUptime:
    """Read the seconds since a fixed moment, including those while the machine was suspended."""


@frozen
class ReadClock:
    """Read the time; the result is a Moment.

    A fresh time is the Date of an answer to a request sent now. An earlier Date could be older than the
    request that it stands for, and make the silence after it seem too long.
    """

    is_fresh: bool = False


@frozen
class Begin:
    """Write down that a request is about to be sent; the result comes when that is durable."""

    server_date: float | None


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
class Resolve:
    """Write down what listings have shown and the next state; the result comes when that is durable."""

    state: IntentState
    run_id: str | None = None
    reason: str = ""


@frozen
class Wait:
    """Wait for some seconds of the server's clock."""

    seconds: float


Step = Prepare | ReadUptime | ReadClock | Begin | Send | Conclude | ListRuns | ReadReferences | Resolve | Wait
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
_FRESH = 60.0  # seconds of the server's clock
_ASLEEP = AttemptResult(outcome=AttemptOutcome.NOT_SENT, reason="the process was asleep before it was sent")
_MAX_UNLISTED = 2
"""How often a request is answered with something that is not listed, before a person has to look at it."""
_SETTLED = frozenset({IntentState.CREATED, IntentState.AMBIGUOUS, IntentState.DISSOLVED, IntentState.CLOSED})


def reconcile(
    state: IntentState, asked_at: float | None, timeouts: ReconciliationTimeouts, interval: float
) -> Steps:
    """Give the steps that lead from a state to one in which no request is open, and return that state.

    It is SEALED only after an answer that stops the job. The second time that a token is not accepted is one,
    and the second time that an answer is not listed in the contract, once silence has proven that there is no
    run: such an answer would come for ever.
    `asked_at` is the server's Date from before the latest request, if there was one and it is known.
    `interval` is the time between two listings, in seconds of the server's clock.
    """
    if state is IntentState.SENDING:
        # A process died between writing down the request and its outcome: it may have been sent.
        yield Conclude(AttemptOutcome.UNKNOWN, IntentState.UNKNOWN, reason="the process ended meanwhile")
        state = IntentState.UNKNOWN
    last: AttemptOutcome | None = None
    unlisted = 0
    while state not in _SETTLED:
        if state is IntentState.SEALED:
            yield Prepare()
            before: Moment = yield ReadClock(is_fresh=True)
            yield Begin(before.server)
            # Silence is measured from the date that was just written down, so it must be the request's.
            awake = (yield ReadUptime()) - before.uptime <= _FRESH
            sent: AttemptResult = (yield Send()) if awake else _ASLEEP
            state = _FOLLOWS[sent.outcome]
            yield Conclude(sent.outcome, state, sent.run_id, sent.reason)
            if sent.outcome is AttemptOutcome.STOP or sent.outcome is last is AttemptOutcome.UNAUTHORIZED:
                return state
            last = sent.outcome
            unlisted += sent.is_unlisted
            if state is IntentState.SEALED:
                yield Wait(sent.wait)
            elif state is IntentState.UNKNOWN:
                # The request left before now, but not necessarily soon after its date.
                after: Moment = yield ReadClock(is_fresh=True)
                asked_at = after.server
        else:
            state = yield from _find_run(asked_at, timeouts, interval)
            if state is IntentState.SEALED and unlisted >= _MAX_UNLISTED:
                return state
    return state


def _find_run(asked_at: float | None, timeouts: ReconciliationTimeouts, interval: float) -> Steps:
    """Find out whether the run exists, and return the state that follows."""
    detector = QuiescenceDetector(timeouts, asked_at, (yield ReadClock()))
    others: set[str] = set()  # runs that were read to their end and don't match; they never will
    while True:
        listing: RunListing | None = yield ListRuns()
        if listing is not None:
            resolved = yield from _examine(listing, detector, others)
            if resolved is not None:
                yield resolved
                return resolved.state
        now: Moment = yield ReadClock()
        yield Wait(detector.next_wait(now, interval))


def _examine(
    listing: RunListing, detector: QuiescenceDetector, others: set[str]
) -> Generator[Step, Any, Resolve | None]:
    """Read the runs of a listing that may match, and return the resolution, if there is one."""
    read: dict[str, frozenset[str] | None] = {}
    for run in listing.runs:
        if listing.query.may_be(run) and run.run_id not in others:
            read[run.run_id] = yield ReadReferences(run.run_id)
    match = match_runs(listing.query.references, read)
    others.update(match.other)
    if len(match.same) == 1:
        return Resolve(IntentState.CREATED, match.same[0], "found in the listing of runs")
    if match.same:
        reason = f"these runs have exactly its references: {', '.join(match.same)}"
        return Resolve(IntentState.AMBIGUOUS, reason=reason)
    if detector.observe(listing.begun, is_empty=match.is_empty):
        return Resolve(IntentState.SEALED, reason="the platform has no such run")
    if match.possible and detector.is_ambiguous(listing.begun):
        runs = ", ".join(match.possible)
        return Resolve(IntentState.AMBIGUOUS, reason=f"these may be its run, and can't be read whole: {runs}")
    return None
