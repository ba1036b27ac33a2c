"""From a sealed intent to its one run: what to do next, and what to conclude. Pure.

`pursue` is a generator. It yields what is to be done and is sent what came of it; who drives it does the
work, on a network or in a simulation. Between any two of its steps the process may die: the intent is then
pursued again from what was written down, and SENDING counts as UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ..database._states import IntentState
from ._matching import SeenRun, Wanted, judge
from ._quiescence import Moment, ReconciliationTimeouts, Silence

if TYPE_CHECKING:
    from ...errors import AignosticsError


class Answer(StrEnum):
    """What a request for a run came to. What is not listed elsewhere is UNKNOWN."""

    CREATED = "CREATED"
    """The platform named the run."""
    NOT_SENT = "NOT_SENT"
    """No connection was made."""
    REFUSED = "REFUSED"
    """The platform said no, and why: it can't take this request as it is."""
    LATER = "LATER"
    """The platform said not now: too many requests."""
    UNAUTHORIZED = "UNAUTHORIZED"
    """The platform did not take the token; it may have just ended, and then a newer one will do."""
    STOP = "STOP"
    """The platform will say no to every request of this job, until a person changes something."""
    UNKNOWN = "UNKNOWN"
    """It may have created a run."""


@frozen(kw_only=True)
class Sent:
    """What became of one request."""

    answer: Answer
    run_id: str | None = None
    reason: str = ""
    wait: float = 0.0
    """Seconds after which to try again."""
    error: AignosticsError | None = field(default=None, eq=False)


# What is to be done. Each says what it is answered with.


@frozen
class Prepare:
    """Make all ready to be sent, such as fresh URLs; answered when it is. It may take long."""


@frozen
class Uptime:
    """Tell the seconds that have passed, asleep or awake, since any fixed moment."""


@frozen
class Clock:
    """Tell the time; answered with a Moment.

    A fresh one is the Date of an answer that was asked for now: one from before could be older than the
    request that it is to date, and make silence seem longer than it was.
    """

    is_fresh: bool = False


@frozen
class Begin:
    """Write down that a request is about to leave; answered when that is durable."""

    server_date: float | None


@frozen
class Send:
    """Send the request, once; answered with a Sent."""


@frozen
class Conclude:
    """Write down what the request came to, and the state that follows; answered when that is durable."""

    answer: Answer
    state: IntentState
    run_id: str | None = None
    reason: str = ""


@frozen
class List:
    """List all runs that may matter; answered with a Listing, or None if it did not work."""


@frozen
class Listing:
    """A full listing: when it began, what it shows, and which of it is known to be others'."""

    begun: Moment
    runs: Sequence[SeenRun]
    wanted: Wanted


@frozen
class References:
    """Read the references of a run; answered with all of them, or None if they can't be read to their end."""

    run_id: str


@frozen
class Resolve:
    """Write down what listings have shown, and the state that follows; answered when that is durable."""

    state: IntentState
    run_id: str | None = None
    reason: str = ""


@frozen
class Wait:
    """Wait so many seconds of the server's clock."""

    seconds: float


Step = Prepare | Uptime | Clock | Begin | Send | Conclude | List | References | Resolve | Wait
Steps = Generator[Step, Any, IntentState]

_FOLLOWS = {
    Answer.CREATED: IntentState.CREATED,
    Answer.NOT_SENT: IntentState.SEALED,
    Answer.LATER: IntentState.SEALED,
    Answer.UNAUTHORIZED: IntentState.SEALED,
    Answer.STOP: IntentState.SEALED,
    Answer.REFUSED: IntentState.DISSOLVED,
    Answer.UNKNOWN: IntentState.UNKNOWN,
}
_FRESH = 60.0  # seconds of the server's clock
_ASLEEP = Sent(answer=Answer.NOT_SENT, reason="the process was asleep before it was sent")
_SETTLED = frozenset({IntentState.CREATED, IntentState.AMBIGUOUS, IntentState.DISSOLVED, IntentState.CLOSED})


def pursue(
    state: IntentState, asked_at: float | None, patience: ReconciliationTimeouts, interval: float
) -> Steps:
    """Give the steps from a state to one in which nothing is open, and return that one.

    It is SEALED only after an answer that stops the job; the second time that a token is not taken is one.
    `asked_at` is the server's Date from before the latest request, if there was one and it is known.
    `interval` is the time between two listings, in seconds of the server's clock.
    """
    if state is IntentState.SENDING:
        # A process died between the two: nobody knows whether the request left.
        yield Conclude(Answer.UNKNOWN, IntentState.UNKNOWN, reason="the process ended meanwhile")
        state = IntentState.UNKNOWN
    last: Answer | None = None
    while state not in _SETTLED:
        if state is IntentState.SEALED:
            yield Prepare()
            before: Moment = yield Clock(is_fresh=True)
            yield Begin(before.server)
            # Silence is counted from the date that was just written down: it must be that of the request.
            awake = (yield Uptime()) - before.uptime <= _FRESH
            sent: Sent = (yield Send()) if awake else _ASLEEP
            state = _FOLLOWS[sent.answer]
            yield Conclude(sent.answer, state, sent.run_id, sent.reason)
            if sent.answer is Answer.STOP or sent.answer is last is Answer.UNAUTHORIZED:
                return state
            last = sent.answer
            if state is IntentState.SEALED:
                yield Wait(sent.wait)
            elif state is IntentState.UNKNOWN:
                # The request left at some time before now, and maybe not soon after its date.
                after: Moment = yield Clock(is_fresh=True)
                asked_at = after.server
        else:
            state = yield from _reconcile(asked_at, patience, interval)
    return state


def _reconcile(asked_at: float | None, patience: ReconciliationTimeouts, interval: float) -> Steps:
    """Find out whether the run exists, and return the state that follows."""
    silence = Silence(patience, asked_at, (yield Clock()))
    others: set[str] = set()  # what was read of them to the end stays true
    while True:
        listing: Listing | None = yield List()
        if listing is not None:
            resolved = yield from _look(listing, silence, others)
            if resolved is not None:
                yield resolved
                return resolved.state
        now: Moment = yield Clock()
        yield Wait(silence.next_wait(now, interval))


def _look(listing: Listing, silence: Silence, others: set[str]) -> Generator[Step, Any, Resolve | None]:
    """Read the runs of a listing that may be the one, and return what follows, if anything does."""
    read: dict[str, frozenset[str] | None] = {}
    for run in listing.runs:
        if listing.wanted.may_be(run) and run.run_id not in others:
            read[run.run_id] = yield References(run.run_id)
    verdict = judge(listing.wanted.references, read)
    others.update(verdict.other)
    if len(verdict.same) == 1:
        return Resolve(IntentState.CREATED, verdict.same[0], "found in the listing of runs")
    if verdict.same:
        reason = f"these runs have exactly its references: {', '.join(verdict.same)}"
        return Resolve(IntentState.AMBIGUOUS, reason=reason)
    if silence.heard(listing.begun, is_empty=verdict.is_empty):
        return Resolve(IntentState.SEALED, reason="the platform has no such run")
    if verdict.possible and silence.is_hopeless(listing.begun):
        runs = ", ".join(verdict.possible)
        return Resolve(IntentState.AMBIGUOUS, reason=f"these may be its run, and can't be read whole: {runs}")
    return None
