"""One run for each intent, whatever is lost, late, stale or killed: the real decisions in a simulated world.

The world has a server whose commits may be late, whose listings may be stale and whose Dates may be any, a
network that loses requests and answers, and a process that dies or sleeps between any two steps. The
decisions (`_protocol`) and the database (`_commands`, with its tables) are the real ones.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeVar

import pytest
from attrs import define, field
from bulk_jobs import sealed_job
from hypothesis import given, settings, strategies as st
from rounds import is_long, rounds

from aignostics_async.bulk.database import _commands
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState
from aignostics_async.bulk.database._writer import Execute
from aignostics_async.bulk.reconciliation._matching import RunQuery
from aignostics_async.bulk.reconciliation._protocol import (
    AttemptResult,
    Begin,
    Claim,
    Conclude,
    FindMarked,
    ListRuns,
    Prepare,
    ReadClock,
    ReadReferences,
    Resolve,
    RunListing,
    Send,
    Step,
    Wait,
    reconcile,
)
from aignostics_async.bulk.reconciliation._quiescence import Moment, ReconciliationTimeouts

T = TypeVar("T")

VERSION = "app:v1.0.0"
TIMEOUTS = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=600)
BEGINNING = 1_000_000.0
ROUNDS = 8_000
"""Of whole jobs in `make test-slow`; test_invariants.py has more, of single orders and decisions."""


COUNTED: Counter[str] = Counter()
"""Rounds that were run, by what they are of."""


@pytest.fixture(scope="module", autouse=True)
def _tell_rounds() -> Iterator[None]:
    """Print how many rounds were run, counted as they ran."""
    yield
    told = ", ".join(f"{count:,} of {what}" for what, count in COUNTED.items())
    print(f"\nexactly once: {COUNTED.total():,} rounds: {told}")


class Crash(Exception):
    """The process was killed."""


Dates = Callable[["World"], float | None]
"""The Date of an answer."""


def honest(world: World) -> float | None:
    return world.now


def missing(_world: World) -> float | None:
    return None


def frozen(_world: World) -> float | None:
    return BEGINNING


def alternating(world: World) -> float | None:
    """Two servers whose clocks are hours apart."""
    return world.now + world.random.choice((0, 7200))


def stepping(world: World) -> float | None:
    """A clock that is set forward by an hour now and then."""
    world.ahead += world.random.choice((0, 0, 0, 0, 3600))
    return world.now + world.ahead


def set_back(world: World) -> float | None:
    world.ahead -= world.random.choice((0, 0, 0, 0, 0, 100))
    return world.now + world.ahead


def any_of_them(world: World) -> float | None:
    return world.random.choice((honest, missing, frozen, alternating, stepping))(world)


DATES = (honest, missing, frozen, alternating, stepping, set_back, any_of_them)


@define
class Run:
    """A run as the server has it."""

    run_id: str
    references: frozenset[str]
    triggered_at: float
    complete_at: float
    """When its items are all there."""


@define(kw_only=True)
class World:
    """A server, a network and a process."""

    random: Random
    late: float = 280.0
    lag: float = 10.0
    dates: Dates = honest
    crashes: float = 0.02
    sleeps: float = 0.02
    now: float = BEGINNING
    started: float = BEGINNING
    ahead: float = 0.0
    """Of its own clock, by how much a Date is."""
    runs: list[Run] = field(factory=list)
    asked: dict[frozenset[str], float] = field(factory=dict)
    """When a request whose outcome nobody knows has left, by its references."""

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def moment(self) -> Moment:
        self.now += self.random.uniform(0, 0.5)
        return Moment(self.now - self.started, self.dates(self))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def may_sleep(self) -> None:
        """Stand still for a while, as a laptop whose lid is closed, and go on as if nothing had been."""
        if self.chance(self.sleeps):
            self.now += self.random.choice((100, 500, 5000))

    def may_crash(self) -> None:
        if self.chance(self.crashes):
            raise Crash

    def post(self, references: frozenset[str]) -> AttemptResult:
        """Send a request for a run."""
        fate = self.random.random()
        if fate < 0.10:
            return AttemptResult(outcome=AttemptOutcome.NOT_SENT, wait=1)
        if fate < 0.20:
            self.now += 60
            return AttemptResult(outcome=AttemptOutcome.UNKNOWN, reason="the request was lost")
        if fate < 0.25:
            return AttemptResult(
                outcome=self.random.choice((AttemptOutcome.LATER, AttemptOutcome.UNAUTHORIZED)), wait=5
            )
        delay = self.random.uniform(0, self.late) if self.chance(0.15) else 0.1
        run = Run(
            f"run-{len(self.runs)}",
            references,
            self.now + delay,
            self.now + delay + self.random.uniform(0, 20),
        )
        self.runs.append(run)
        if fate < 0.45 or delay > 1:
            self.now += self.random.choice((1, 60))
            return AttemptResult(outcome=AttemptOutcome.UNKNOWN, reason="the answer was lost")
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run.run_id)

    def list(self) -> list[ObservedRun] | None:
        """ListRuns the runs, from a replica that may lag."""
        if self.chance(0.1):
            return None
        then = self.now - self.random.uniform(0, self.lag)
        return [
            ObservedRun(run.run_id, run.triggered_at, "RECEIVED", VERSION)
            for run in self.runs
            if run.triggered_at <= then
        ]

    def references(self, run_id: str) -> frozenset[str] | None:
        """Read the references of a run, which may not all be there yet."""
        if self.chance(0.1):
            return None
        (run,) = [run for run in self.runs if run.run_id == run_id]
        if run.complete_at <= self.now - self.random.uniform(0, self.lag):
            return run.references
        return frozenset(
            self.random.sample(sorted(run.references), self.random.randrange(len(run.references)))
        )


class Job:
    """A database, and the process that works on it until it dies."""

    def __init__(self, world: World, image: bytes | None) -> None:
        self.world = world
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        weakref.finalize(self, self.connection.close)
        if image is not None:
            self.connection.deserialize(image)

    def write(self, order: Callable[[Execute], T]) -> T:
        """Carry out an order as the writer does: whole or not at all."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            given = order(self.connection.execute)
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.execute("COMMIT")
        return given

    def one(self, query: str, *values: object) -> Any:
        return self.connection.execute(query, values).fetchone()

    def references(self, intent: int) -> frozenset[str]:
        query = "SELECT reference FROM items JOIN members ON item = items.number WHERE members.intent = ?"
        return frozenset(row[0] for row in self.connection.execute(query, (intent,)))

    def open_intents(self) -> list[int]:
        query = "SELECT number FROM intents WHERE state IN ('SEALED', 'SENDING', 'UNKNOWN')"
        return [row[0] for row in self.connection.execute(query)]

    def run(self) -> None:
        """Reconcile every intent to its end, starting again whenever the process dies."""
        for _ in range(10_000):
            try:
                for intent in self.open_intents():
                    self.reconcile(intent)
            except Crash:
                self.world.now += self.world.random.choice((0.1, 5, 400, 5000))
                self.world.started = self.world.now
            else:
                return
        raise AssertionError("it never ends")

    def reconcile(self, intent: int) -> None:
        state = IntentState(self.one("SELECT state FROM intents WHERE number = ?", intent)[0])
        steps = reconcile(state, TIMEOUTS, 60, unknown=0)
        given: Any = None
        for _ in range(2000):
            self.world.may_crash()
            try:
                step = steps.send(given)
            except StopIteration as end:
                if end.value is IntentState.SEALED:
                    raise Crash from None  # the job has stopped, and somebody resumes it
                return
            self.world.may_crash()
            self.world.may_sleep()
            given = self.act(intent, step)
        raise AssertionError("it never ends")

    def act(self, intent: int, step: Step) -> Any:  # noqa: C901 - one line for each step
        world = self.world
        match step:
            case Prepare():
                return world.sleep(world.random.choice((0, 1, 400)))
            case ReadClock():
                return world.moment()
            case Begin(server_date):
                self.may_send(intent)
                return self.write(_commands.begin(intent, server_date))
            case Send():
                return self.send(intent)
            case Conclude(answer, state, run_id, reason):
                return self.write(_commands.conclude(intent, answer, state, run_id, reason))
            case Resolve(state, run_id, reason):
                return self.write(_commands.resolve(intent, state, run_id, reason))
            case Wait(seconds):
                return world.sleep(seconds)
            case FindMarked():
                return None
            case Claim():
                return True
            case ListRuns():
                return self.list(intent)
            case ReadReferences(run_id):
                world.moment()
                return world.references(run_id)

    def may_send(self, intent: int) -> None:
        """I4: not before the time of quiet is over, where the request before may have created a run."""
        asked = self.world.asked.get(self.references(intent))
        assert asked is None or self.world.now >= asked + TIMEOUTS.quiescence

    def send(self, intent: int) -> AttemptResult:
        # I1: what leaves is on the disk, and nothing else of it is under way.
        assert self.one("SELECT count(*) FROM attempts WHERE intent = ? AND outcome IS NULL", intent) == (1,)
        # I6: what is sent is what was sealed.
        references = self.references(intent)
        self.world.asked[references] = self.world.now
        sent = self.world.post(references)
        self.world.may_crash()
        if sent.outcome is not AttemptOutcome.UNKNOWN:
            del self.world.asked[references]
        return sent

    def list(self, intent: int) -> RunListing | None:
        begun = self.world.moment()
        runs = self.world.list()
        if runs is None:
            return None
        known_before = self.one("SELECT known_before FROM intents WHERE number = ?", intent)[0]
        known = self.connection.execute(
            "SELECT run_id FROM seen WHERE number <= ? OR (intent IS NOT NULL AND intent <> ?)",
            (known_before, intent),
        )
        query = RunQuery(
            references=self.references(intent),
            version=VERSION,
            since=BEGINNING,
            known=frozenset(row[0] for row in known),
        )
        return RunListing(begun, runs, query)

    def duplicates(self) -> int:
        """Return how many runs there are beyond one for each set of references."""
        return len(self.world.runs) - len({run.references for run in self.world.runs})

    def check(self) -> None:
        """Check what must hold at the end, whatever happened."""
        rows = self.connection.execute("SELECT number, state, run_id FROM intents").fetchall()
        by_id = {run.run_id: run for run in self.world.runs}
        for intent, state, run_id in rows:
            assert state in ("CREATED", "AMBIGUOUS")
            if state == "CREATED":
                assert by_id[run_id].references == self.references(intent)
        claimed = [run_id for _, _, run_id in rows if run_id]
        assert len(set(claimed)) == len(claimed)
        states = {row[0] for row in self.connection.execute("SELECT DISTINCT state FROM items")}
        assert states <= {"SUBMITTED", "ASSIGNED"}


@given(st.integers(0, 2**64), st.sampled_from(DATES))
@settings(max_examples=rounds(ROUNDS))
@pytest.mark.timeout(600)
def test_no_run_is_created_twice_and_none_is_lost(seed: int, dates: Dates) -> None:
    COUNTED["whole jobs"] += 1
    world = World(random=Random(seed), dates=dates)
    job = Job(world, sealed_job())
    job.run()
    job.check()
    assert job.duplicates() == 0
    if dates in (honest, missing):
        assert len(world.runs) == 2, "every item is in a run"


def test_silence_is_counted_from_when_the_answer_was_missed() -> None:
    """The process may have slept while the request was on its way."""
    steps = reconcile(IntentState.SEALED, TIMEOUTS, 60, unknown=0)
    assert isinstance(next(steps), Prepare)
    assert steps.send(None) == ReadClock(is_fresh=True)
    assert steps.send(Moment(5, BEGINNING)) == Begin(BEGINNING)
    assert isinstance(steps.send(None), Send)
    assert isinstance(steps.send(AttemptResult(outcome=AttemptOutcome.UNKNOWN)), Conclude)
    assert isinstance(steps.send(None), FindMarked)
    assert steps.send(None) == ReadClock(is_fresh=True)
    woken = BEGINNING + 5000
    assert isinstance(steps.send(Moment(5005, woken)), ListRuns)
    query = RunQuery(references=frozenset("a"), version=VERSION, since=BEGINNING, known=frozenset())
    for since in (0, 31, 62, 299):
        moment = Moment(5005 + since, woken + since)
        assert isinstance(steps.send(RunListing(moment, [], query)), ReadClock), "and nothing is resolved"
        assert isinstance(steps.send(moment), Wait)
        assert isinstance(steps.send(None), ListRuns)


def test_runs_that_can_t_be_told_apart_are_named() -> None:
    steps = reconcile(IntentState.UNKNOWN, TIMEOUTS, 60, unknown=0)
    now = Moment(10, BEGINNING + 10)
    assert isinstance(next(steps), FindMarked)
    assert isinstance(steps.send(None), ReadClock)
    assert isinstance(steps.send(now), ListRuns)
    query = RunQuery(references=frozenset("a"), version=VERSION, since=BEGINNING, known=frozenset())
    twins = [ObservedRun(run_id, BEGINNING + 1, "RECEIVED", VERSION) for run_id in ("run-7", "run-8")]
    for run in twins:
        step = steps.send(RunListing(now, twins, query) if run is twins[0] else frozenset("a"))
        assert step == ReadReferences(run.run_id)
    resolved = steps.send(frozenset("a"))
    assert isinstance(resolved, Resolve)
    assert resolved.state is IntentState.AMBIGUOUS
    assert resolved.reason == "these runs have exactly its references: run-7, run-8"


@pytest.mark.slow
@pytest.mark.skipif(not is_long(), reason="`make test-slow` tries all examples")
def test_enough_rounds_were_run() -> None:
    if "whole jobs" not in COUNTED:
        pytest.skip("the test of whole jobs was not run with this one")
    assert COUNTED["whole jobs"] >= ROUNDS
