"""Marks in a simulated world: no run is cancelled that anybody else may have, and none is paid for twice.

Beside the world of `test_exactly_once`: copies of a job's folder that work at the same time, somebody who
copies the metadata of a run into one of their own, metadata that show later than their run, and a server
that ignores the filter. Time is the event loop's own, which jumps to whatever comes next. The decisions, the
sweeps, the claims and the database are the real ones.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

import pytest
from attrs import define, evolve, field
from bulk_jobs import sealed_job
from hypothesis import given, settings, strategies as st
from rounds import is_long

from aignostics_async import PreconditionFailed
from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState
from aignostics_async.bulk.database._writer import Execute
from aignostics_async.bulk.reconciliation import _claims, _ownership
from aignostics_async.bulk.reconciliation._duplicates import Reconciler
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
from aignostics_async.submission._marks import RunMark, new_mark

T = TypeVar("T")

VERSION, JOB, USER = "app:v1.0.0", "job", "me"
TIMEOUTS = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=600, late_commit=2500)
COUNTED: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _tell() -> Iterator[None]:
    """Print what the histories came to, counted as they ran."""
    yield
    print(f"\nmarks: {', '.join(f'{count:,} {what}' for what, count in sorted(COUNTED.items()))}")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: time jumps instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        self.loop.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes when nothing else is to be done."""

    now = 0.0

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class Killed(BaseException):
    """The process was killed."""


@define
class Run:
    """A run as the server has it."""

    run_id: str
    references: frozenset[str]
    at: float
    user: str
    marks: list[tuple[float, dict[str, str] | None]]
    """What its metadata were from which time on."""
    is_foreign: bool = False
    """Whether somebody has created it by hand."""
    is_cancelled: bool = False

    def mark(self, at: float) -> dict[str, str] | None:
        return next((mark for since, mark in reversed(self.marks) if since <= at), None)


@define(kw_only=True)
class World:
    """A server, and all who send requests to it."""

    random: Random
    late: float = 200.0
    mark_late: float = 0.0
    lag: float = 10.0
    crashes: float = 0.0
    filter: str = "honoured"
    slowest: float = 1.0
    """Seconds that a request takes at most."""
    runs: list[Run] = field(factory=list)
    cancelled_by: dict[str, str] = field(factory=dict)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def add(
        self, references: frozenset[str], mark: dict[str, str] | None, *, user: str = USER, at: float = 0.0
    ) -> Run:
        at = max(at, self.now)
        shown = at + (self.random.uniform(0, self.mark_late) if self.chance(0.5) else 0.0)
        run = Run(f"run-{len(self.runs)}", references, at, user, [(shown, mark)])
        self.runs.append(run)
        return run

    def seen(self) -> tuple[float, list[Run]]:
        """Return what a replica shows, and how old it is."""
        at = self.now - (self.random.uniform(0, self.lag) if self.chance(0.5) else 0.0)
        return at, [run for run in reversed(self.runs) if run.at <= at]

    def get(self, run_id: str) -> Run:
        return next(run for run in self.runs if run.run_id == run_id)


class _Details:
    """The details of a run, as a replica shows them."""

    def __init__(self, run: Run, at: float) -> None:
        self.run_id, self.metadata, self.sdk_metadata = run.run_id, None, run.mark(at)
        self.metadata_checksum = (
            None if self.sdk_metadata is None else repr(sorted(self.sdk_metadata.items()))
        )


@define
class _Handle:
    """What `client.run` gives, as far as claims and sweeps use it."""

    process: Process
    run_id: str

    async def details(self) -> _Details:
        await self.process.request()
        at, _ = self.process.world.seen()
        return _Details(self.process.world.get(self.run_id), at)

    def _metadata(self) -> _Handle:
        return self

    async def put(self, before: _Details, _metadata: object, mark: dict[str, str]) -> None:
        await self.process.request()
        run, now = self.process.world.get(self.run_id), self.process.world.now
        if before.metadata_checksum != _Details(run, now).metadata_checksum:
            raise PreconditionFailed(412, method="PUT", path="/")
        run.marks.append((now, mark))
        await self.process.request()

    async def cancel(self) -> bool:
        await self.process.request()
        run = self.process.world.get(self.run_id)
        run.is_cancelled = True
        self.process.world.cancelled_by[self.run_id] = self.process.job.name
        return True


@define
class Job:
    """The database of a copy of the job's folder."""

    name: str
    connection: sqlite3.Connection
    is_copy: bool = False

    @classmethod
    def of(cls, name: str, image: bytes, *, is_copy: bool = False) -> Job:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(image)
        return cls(name, connection, is_copy)

    def claimed(self) -> dict[str, int]:
        return _queries.own_intents()(self.connection.execute)

    def duplicates(self) -> frozenset[str]:
        return _queries.duplicates()(self.connection.execute)

    def references(self, intent: int) -> frozenset[str]:
        return frozenset(row.reference for row in _queries.members(intent)(self.connection.execute))


@define
class Process:
    """A process that works on a job until it is done, or killed; for its sweeps it is the platform, too."""

    world: World
    job: Job
    holder: str
    started: float
    is_dead: bool = False
    has_marks = True

    # The network

    async def request(self) -> None:
        await self.pause(self.world.random.uniform(0.01, self.world.slowest))

    async def pause(self, seconds: float) -> None:
        self.live()
        await asyncio.sleep(seconds)
        self.live()

    def live(self) -> None:
        if self.is_dead or self.world.chance(self.world.crashes):
            self.is_dead = True
            raise Killed

    def run(self, run_id: str) -> _Handle:
        return _Handle(self, run_id)

    async def moment(self, *, fresh: bool = False) -> Moment:
        if fresh:
            await self.request()
        return Moment(self.world.now - self.started, self.world.now)

    def observed(self, run: Run, at: float) -> ObservedRun:
        mark = RunMark.read(run.mark(at))
        return ObservedRun(run.run_id, run.at, "RUNNING", VERSION, mark, run.user, len(run.references))

    async def runs(self, _since: float) -> list[ObservedRun]:
        await self.request()
        at, runs = self.world.seen()
        return [self.observed(run, at) for run in runs]

    async def marked(self, intent: str) -> list[ObservedRun]:
        found = await self.runs(0.0)
        if self.world.filter == "empty":
            return []
        if self.world.filter == "ignored":
            return found
        return [run for run in found if run.mark is not None and run.mark.intent == intent]

    async def references(self, run_id: str) -> frozenset[str] | None:
        await self.request()
        return None if self.world.chance(0.05) else self.world.get(run_id).references

    async def details(self, run_id: str) -> ObservedRun | None:
        await self.request()
        at, _ = self.world.seen()
        return self.observed(self.world.get(run_id), at)

    async def claim(self, run: ObservedRun, holder: str) -> bool:
        if run.mark is None or holder in (run.mark.holder, run.mark.claimed):
            return True
        return await _claims.claim_run(self, run.run_id, holder)  # type: ignore[arg-type]

    async def withdraw(self, run: ObservedRun, holder: str) -> bool:
        assert run.mark is not None
        return await _claims.withdraw_run(self, run.run_id, run.mark.attempt, holder)  # type: ignore[arg-type]

    async def post(self, references: frozenset[str], mark: RunMark) -> AttemptResult:
        await self.request()
        fate = self.world.random.random()
        if fate < 0.15:
            await self.pause(60)
            return AttemptResult(outcome=AttemptOutcome.UNKNOWN, reason="the request was lost")
        delay = self.world.random.uniform(0, self.world.late) if self.world.chance(0.4) else 0.1
        run = self.world.add(references, mark.as_json(), at=self.world.now + delay)
        if fate < 0.5 or delay > 1:
            await self.pause(self.world.random.choice((1, 60)))
            return AttemptResult(outcome=AttemptOutcome.UNKNOWN, reason="the answer was lost")
        await self.request()
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run.run_id)

    # The database

    async def read(self, query: Callable[[Execute], T]) -> T:
        self.live()
        return query(self.job.connection.execute)

    async def write(self, command: Callable[[Execute], T]) -> T:
        """Carry out a command as the writer does: whole or not at all."""
        self.live()
        execute = self.job.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            given = command(execute)
        except BaseException:
            self.job.connection.rollback()
            raise
        execute("COMMIT")
        self.live()
        return given

    # The work

    async def work(self) -> None:
        told: dict[str, Any] = {"database": self, "platform": self, "client": self, "tag": ""}
        reconciler = Reconciler(
            **told, version=VERSION, since=0.0, replica_lag=TIMEOUTS.replica_lag, job=JOB, holder=self.holder
        )
        while (await reconciler.adopt(is_copy=self.job.is_copy)).is_open:
            await self.pause(TIMEOUTS.replica_lag)
        is_done = asyncio.Event()
        sweeping = asyncio.create_task(self.sweep(reconciler, is_done))
        try:
            states = (IntentState.SEALED, IntentState.SENDING, IntentState.UNKNOWN)
            rows = await self.read(_queries.intents_in(*states))
            await together([self.lead(row) for row in rows])
            is_done.set()
            await sweeping
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError, Killed):
                await sweeping

    async def sweep(self, reconciler: Reconciler, is_done: asyncio.Event) -> None:
        left = TIMEOUTS.late_commit
        while left > 0:
            await self.pause(60)
            left -= 60 * is_done.is_set()
            await reconciler.find_duplicates()

    async def lead(self, row: _queries.IntentRow) -> None:
        intent = _Leading(self, row.number, row.uuid)
        steps = reconcile(row.state, TIMEOUTS, 60, unknown=0)
        given: Any = None
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                if end.value is IntentState.SEALED:
                    self.is_dead = True  # the job has stopped, and somebody resumes it
                    raise Killed from None
                return
            given = await intent.act(step)


@define
class _Leading:
    """The steps of one intent."""

    process: Process
    number: int
    uuid: str
    mark: RunMark | None = None

    async def act(self, step: Step) -> Any:  # noqa: C901 - one line for each step
        process, number = self.process, self.number
        match step:
            case Prepare():
                return await process.pause(process.world.random.choice((0, 1, 100)))
            case ReadClock(is_fresh):
                return await process.moment(fresh=is_fresh)
            case Begin(server_date):
                self.mark = new_mark(holder=process.holder, job=JOB, intent=self.uuid)
                told = {"mark": self.mark.attempt, "holder": self.mark.holder}
                return await process.write(_commands.begin(number, server_date, **told))
            case Send():
                assert self.mark is not None
                return await process.post(process.job.references(number), self.mark)
            case Conclude(answer, state, run_id, reason):
                return await process.write(_commands.conclude(number, answer, state, run_id, reason))
            case Resolve(state, run_id, reason):
                return await process.write(_commands.resolve(number, state, run_id, reason))
            case Wait(seconds):
                return await process.pause(seconds)
            case FindMarked():
                return RunListing(await process.moment(), await process.marked(self.uuid), await self.query())
            case ListRuns():
                begun = await process.moment(fresh=True)
                return RunListing(begun, await process.runs(0.0), await self.query())
            case ReadReferences(run_id):
                return await process.references(run_id)
            case Claim(run):
                return await process.claim(run, process.holder)

    async def query(self) -> RunQuery:
        attempts = await self.process.read(_queries.attempts())
        return RunQuery(
            references=self.process.job.references(self.number),
            version=VERSION,
            since=0.0,
            known=await self.process.read(_queries.others_runs(self.number)),
            job=JOB,
            intent=self.uuid,
            holder=self.process.holder,
            attempts=frozenset(each.mark or "" for each in attempts if each.intent == self.number),
            other_attempts=frozenset(each.mark or "" for each in attempts if each.intent != self.number),
            is_marked=True,
            user=USER,
        )


async def together(working: list[Awaitable[None]]) -> None:
    """Do several things at once; when the process is killed in one, the others end, too."""
    tasks = [asyncio.ensure_future(each) for each in working]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        with suppress(BaseException):
            await asyncio.gather(*tasks, return_exceptions=True)


async def live_on(world: World, job: Job) -> None:
    """Let processes work on a job, one after the other, until one of them has come to its end."""
    for number in range(200):
        if number > 20:
            world.crashes = 0.0
        process = Process(world, job, f"{job.name}-{number}", world.now)
        try:
            await process.work()
        except Killed:
            COUNTED["kills"] += 1
            await asyncio.sleep(world.random.choice((0.1, 5, 400, 3000)))
        else:
            return
    raise AssertionError("it never ends")


async def copy_folder(world: World, job: Job, made: list[Job]) -> None:
    """Copy the folder while it is worked on, mostly with a request in doubt, and work on the copy, too."""
    await asyncio.sleep(world.random.uniform(0, 600))
    is_open = "SELECT 1 FROM intents WHERE state IN ('SENDING', 'UNKNOWN')"
    for _ in range(world.random.choice((0, 400, 400))):
        if job.connection.execute(is_open).fetchone():
            break
        await asyncio.sleep(5)
    made.append(Job.of(f"{job.name}-copy", job.connection.serialize(), is_copy=world.chance(0.5)))
    COUNTED["copies at work at once"] += 1
    await live_on(world, made[-1])


async def copy_metadata(world: World) -> None:
    """Create a run by hand, with the metadata of another one, as a script does that runs slides again."""
    await asyncio.sleep(world.random.uniform(0, 1500))
    now = world.now
    shown = [run for run in world.runs if run.at <= now and run.mark(now) is not None]
    if not shown:
        return
    model = world.random.choice(shown)
    references = model.references
    if world.chance(0.3):
        references = frozenset(world.random.sample(sorted(references), 1)) | {"another"}
    user = world.random.choice((USER, "somebody else"))
    copy = world.add(references, model.mark(now), user=user)
    copy.is_foreign = True
    COUNTED[f"runs with copied metadata by {user}"] += 1


async def history(world: World, *, has_copy: bool, copiers: int) -> list[Job]:
    """Play one history to its end, and return the databases."""
    original = Job.of("first", sealed_job())
    jobs = [original]
    others: list[Awaitable[None]] = [copy_metadata(world) for _ in range(copiers)]
    if has_copy:
        others.append(copy_folder(world, original, jobs))
    await asyncio.gather(live_on(world, original), *others)
    return jobs


def play(world: World, **options: Any) -> list[Job]:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(history(world, **options))
    finally:
        loop.close()


def check(world: World, jobs: list[Job]) -> None:
    """Check what must hold at the end of every history."""
    COUNTED["histories"] += 1
    COUNTED["second runs cancelled"] += len(world.cancelled_by)
    claimed = {run_id for job in jobs for run_id in job.claimed()}
    for run in world.runs:
        if run.is_cancelled:
            # I11
            assert run.run_id not in claimed, "nothing is cancelled that another database has taken"
            assert not run.is_foreign, "nothing is cancelled that the job has not sent"
            others = [each for each in world.runs if each.references == run.references]
            assert any(each.run_id in claimed and not each.is_cancelled for each in others), "nothing is lost"
    for job in jobs:
        states = dict(job.connection.execute("SELECT number, state FROM intents"))
        for run_id, intent in job.claimed().items():
            assert world.get(run_id).references == job.references(intent)
            assert states[intent] == "CREATED"
        assert set(states.values()) <= {"CREATED", "AMBIGUOUS", "DISSOLVED"}
        COUNTED["chunks left to a person"] += sum(state == "AMBIGUOUS" for state in states.values())


def check_alone(world: World, job: Job, *, in_bound: bool) -> None:
    """Check what holds where nobody else has the job."""
    own = [run for run in world.runs if not run.is_foreign]
    if in_bound:
        counted = Counter(run.references for run in own)
        assert set(counted.values()) <= {1}, "no run is paid twice"
    elif not any(run.is_foreign for run in world.runs):
        told = job.duplicates() | set(job.claimed())
        ambiguous = {
            reference
            for (number,) in job.connection.execute("SELECT number FROM intents WHERE state = 'AMBIGUOUS'")
            for reference in job.references(number)
        }
        untold = [run for run in own if run.run_id not in told and not run.references & ambiguous]
        assert not untold, "every second run is told of"


HISTORIES = 10_000
"""In `make test-slow`; a hundredth of them otherwise."""


def random_world(random: Random, *, is_late: bool) -> World:
    """Return a world in which commits come within the bound, or long after it."""
    mark_late = random.choice((0.0, 60.0))
    return World(
        random=random,
        late=2000.0 if is_late else 200.0,
        mark_late=10 * mark_late if is_late else mark_late,
        filter=random.choice(("honoured", "ignored", "empty")),
        crashes=random.choice((0.0, 0.002, 0.01)),
        slowest=random.choice((1.0, 30.0)),
    )


def play_and_check(seed: int, *, is_late: bool, has_copy: bool, copiers: int) -> World:
    world = random_world(Random(seed), is_late=is_late)
    jobs = play(world, has_copy=has_copy, copiers=copiers)
    try:
        check(world, jobs)
        if not has_copy:
            check_alone(world, jobs[0], in_bound=not is_late)
    finally:
        for job in jobs:
            job.connection.close()
    return world


@pytest.mark.long
@given(st.integers(0, 2**64), st.booleans(), st.booleans(), st.integers(0, 2))
@settings(max_examples=HISTORIES if is_long() else HISTORIES // 100)
@pytest.mark.timeout(5400)
def test_nothing_is_cancelled_that_another_database_may_claim(
    seed: int, is_late: bool, has_copy: bool, copiers: int
) -> None:
    play_and_check(seed, is_late=is_late, has_copy=has_copy, copiers=copiers)


def test_second_runs_are_cancelled_at_all() -> None:
    """Else the other test would hold a job that cancels nothing."""
    worlds = [play_and_check(seed, is_late=True, has_copy=False, copiers=0) for seed in range(40)]
    assert sum(len(world.cancelled_by) for world in worlds) > 5


async def always(*_: object) -> bool:
    return True


def without(guard: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what takes a fact for granted that a second run is cancelled by."""
    is_cancellable: Any = vars(_ownership.SecondRun)["is_cancellable"].fget
    granted: dict[str, Callable[[_ownership.SecondRun], _ownership.SecondRun]] = {
        "is alone": lambda second: evolve(second, is_alone=True),
        "process": lambda second: evolve(second, holder=second.run.mark.holder if second.run.mark else ""),
        "user": lambda second: evolve(second, is_alone=True, run=evolve(second.run, user=USER)),
    }

    def weaken(patch: pytest.MonkeyPatch) -> None:
        weak = property(lambda second: is_cancellable(granted[guard](second)))
        patch.setattr(_ownership.SecondRun, "is_cancellable", weak)

    return weaken


# That no run is cancelled unannounced is held by tests/faults/test_marks.py: between the look at it and its
# cancellation another process hardly ever comes in a history.
WEAKENED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a run is taken unannounced": lambda patch: patch.setattr(_claims, "claim_run", always),
    "a copied mark counts": without("is alone"),
    "another process's run counts": without("process"),
    "another user's copied mark counts": without("user"),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("guard", WEAKENED)
def test_each_guard_is_needed(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    WEAKENED[guard](monkeypatch)
    for seed in range(4_000):
        random = Random(seed)
        options = {"is_late": random.random() < 0.5, "has_copy": random.random() < 0.5}
        try:
            play_and_check(seed, **options, copiers=random.randint(0, 2))
        except AssertionError as error:
            assert "nothing is cancelled" in str(error)  # noqa: PT017 - which seed it is does not matter
            return
    raise AssertionError("every history holds without it")
