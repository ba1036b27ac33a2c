"""What must never be true of a job's database or of a decision, whatever happens in whatever order."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from rounds import is_long, rounds

from aignostics_async import APIStatusError, JobRefused, JobStateError
from aignostics_async.bulk._identity import check_identity
from aignostics_async.bulk.database import (
    _commands,
    _job_commands,
    _ownership_queries,
    _retries,
    _run_commands,
)
from aignostics_async.bulk.database._database import Database, connect_to_read
from aignostics_async.bulk.database._run_commands import ExpectedOutput, ObservedRun, OutputFile
from aignostics_async.bulk.database._schema import MIGRATIONS
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState, ItemState
from aignostics_async.bulk.database._writer import Execute
from aignostics_async.bulk.reconciliation._matching import (
    ReferenceMatch,
    compare,
    match_runs,
)
from aignostics_async.bulk.reconciliation._platform import classify
from aignostics_async.bulk.reconciliation._quiescence import (
    Moment,
    QuiescenceDetector,
    ReconciliationTimeouts,
)
from aignostics_async.bulk.report._summary import read_summary
from aignostics_async.downloads._outcomes import FileStatus
from aignostics_async.errors import status_error_class

COUNTED: Counter[str] = Counter()
ITEMS = 6
NAMES = "abcdef"
TIMEOUTS = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=600)

items = st.sets(st.integers(1, ITEMS), min_size=1, max_size=3)
numbers = st.integers(1, 8)
runs = st.integers(0, 5).map(lambda number: str(uuid.UUID(int=number)))


@pytest.fixture(scope="module", autouse=True)
def _tell_rounds() -> Iterator[None]:
    """Print how many rounds were run, counted as they ran."""
    yield
    told = ", ".join(f"{count:,} of {what}" for what, count in COUNTED.items())
    print(f"\ninvariants: {COUNTED.total():,} rounds: {told}")


class AnyOrder(RuleBasedStateMachine):
    """Commands in any order, also such as no job gives: what is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")
        for migration in MIGRATIONS:
            self.connection.executescript(migration)
        self.sealed: dict[int, frozenset[int]] = {}
        self.claimed: dict[int, str] = {}
        self.attempts: dict[int, str] = {}

    def teardown(self) -> None:
        self.connection.close()

    def write(self, command: Callable[..., Any]) -> Any:
        """Carry out a command as the writer does: whole or not at all."""
        COUNTED["commands"] += 1
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            given = command(self.connection.execute)
        except (JobStateError, sqlite3.IntegrityError):
            self.connection.rollback()
            return None
        self.connection.execute("COMMIT")
        return given

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    @initialize()
    def make(self) -> None:
        plan = json.dumps({"api_root": "https://a", "application_version": "v", "store": "s3://b"})
        self.write(_job_commands.create_job("job", plan, 0.0))
        new = [_commands.NewItem(reference=name, path=name, shuffle_key=0, overrides={}) for name in NAMES]
        self.write(_commands.add_items(new))
        self.write(_commands.move_items(range(1, ITEMS + 1), ItemState.READY))

    @rule(chosen=items)
    def upload(self, chosen: set[int]) -> None:
        names = ", ".join(map(str, chosen))
        if not self.rows(f"SELECT 1 FROM items WHERE number IN ({names}) AND state <> 'READY'"):
            self.write(_commands.move_items(chosen, ItemState.SENDING, key="key"))
            self.write(_commands.move_items(chosen, ItemState.STORED, uri="uri"))

    @rule(chosen=items, tag=st.sampled_from(["", "~mark"]))
    def seal(self, chosen: set[int], tag: str) -> None:
        intent = self.write(_commands.seal(sorted(chosen), tag=tag))
        if intent is not None:
            self.sealed[intent] = frozenset(chosen)

    @rule(intent=numbers, date=st.none() | st.floats(0, 1e9))
    def begin(self, intent: int, date: float | None) -> None:
        self.write(_commands.begin(intent, date))

    @rule(intent=numbers, outcome=st.sampled_from(AttemptOutcome), run_id=runs)
    def conclude(self, intent: int, outcome: AttemptOutcome, run_id: str) -> None:
        follows = {
            AttemptOutcome.CREATED: IntentState.CREATED,
            AttemptOutcome.REFUSED: IntentState.DISSOLVED,
            AttemptOutcome.UNKNOWN: IntentState.UNKNOWN,
        }
        state = follows.get(outcome, IntentState.SEALED)
        claimed = run_id if state is IntentState.CREATED else None
        self.write(_commands.conclude(intent, outcome, state, claimed, "because"))

    @rule(intent=numbers, state=st.sampled_from(["SEALED", "AMBIGUOUS", "CREATED"]), run_id=runs)
    def resolve(self, intent: int, state: str, run_id: str) -> None:
        claimed = run_id if state == "CREATED" else None
        self.write(_commands.resolve(intent, IntentState(state), claimed))

    @rule(found=st.lists(runs, max_size=3))
    def list_runs(self, found: list[str]) -> None:
        self.write(_run_commands.record_runs([ObservedRun(run_id, 0.0, "RUNNING", "v") for run_id in found]))

    @rule(run_id=runs, chosen=items)
    def adopt(self, run_id: str, chosen: set[int]) -> None:
        ownership = _ownership_queries.ownership()(self.connection.execute)
        if run_id in ownership.runs or ownership.placed & chosen:
            return  # a sweep takes neither
        intent = self.write(
            _run_commands.adopt(ObservedRun(run_id, 0.0, "RUNNING", "v"), sorted(chosen), tag="", how="found")
        )
        self.sealed[intent] = frozenset(chosen)

    @rule(run_id=runs, intent=numbers)
    def find_second(self, run_id: str, intent: int) -> None:
        if run_id not in _ownership_queries.ownership()(self.connection.execute).runs:
            self.write(_run_commands.find_duplicate(ObservedRun(run_id, 0.0, "RUNNING", "v"), intent, None))

    @rule(run_id=runs, name=st.sampled_from(NAMES), succeeded=st.booleans(), outputs=st.integers(0, 2))
    def result(self, run_id: str, name: str, succeeded: bool, outputs: int) -> None:
        command = _run_commands.take_result(
            run_id,
            name,
            item_id=f"{run_id}-{name}",
            state=ItemState.SUCCEEDED if succeeded else ItemState.FAILED,
            status="SUCCEEDED" if succeeded else "ERROR_USER",
            error=None,
            outputs=[ExpectedOutput(str(number), "areas") for number in range(outputs)],
        )
        self.write(command)

    @rule(run_id=runs, name=st.sampled_from(NAMES), output=st.integers(0, 3))
    def list_output(self, run_id: str, name: str, output: int) -> None:
        self.write(_run_commands.know_outputs(run_id, {name: [ExpectedOutput(str(output), "areas")]}))

    @rule(item=st.integers(1, ITEMS), fetched=st.integers(0, 3))
    def bring(self, item: int, fetched: int) -> None:
        files = [
            OutputFile(
                artifact_id=str(number),
                name="areas",
                status=FileStatus.VERIFIED,
                path="p",
                size=1,
                crc32c=None,
                fault=None,
            )
            for number in range(fetched)
        ]
        if self.rows(f"SELECT item_id FROM items WHERE number = {item}")[0][0] is not None:
            self.write(_run_commands.take_files(item, ItemState.DONE, files))

    @rule(item=st.integers(1, ITEMS), artifact=st.integers(0, 3))
    def miss(self, item: int, artifact: int) -> None:
        known = f"SELECT 1 FROM outputs WHERE item = {item} AND artifact_id = '{artifact}'"
        if self.rows(known):
            self.write(_run_commands.miss_files(item, [str(artifact)]))

    @rule(run_id=runs, lost=st.booleans())
    def end(self, run_id: str, lost: bool) -> None:
        self.write(
            _run_commands.lose_run(run_id, 1.0) if lost else _run_commands.end_run(run_id, "COMPLETED", 1.0)
        )

    @rule(failed=st.booleans())
    def retry(self, failed: bool) -> None:
        self.write(_retries.retry(failed=failed))

    @rule()
    def cancel(self) -> None:
        self.write(_commands.cancel("cancelled", "retry"))

    @rule(item=st.integers(1, ITEMS))
    def quarantine(self, item: int) -> None:
        if self.rows(
            f"SELECT 1 FROM items WHERE number = {item} AND state IN ('READY', 'SENDING', 'SUCCEEDED')"
        ):
            self.write(_commands.quarantine(item, "a fault", None))

    @invariant()
    def every_item_is_accounted_for(self) -> None:
        if self.rows("SELECT 1 FROM job"):
            audit = read_summary(self.connection.execute).audit
            assert audit.is_whole, audit

    @invariant()
    def an_item_may_become_a_run_of_one_intent_only(self) -> None:
        open_ = (
            "SELECT item FROM members JOIN intents ON number = intent "
            "WHERE state IN ('SEALED', 'SENDING', 'UNKNOWN', 'AMBIGUOUS') AND is_live"
        )
        counted = Counter(row[0] for row in self.rows(open_))
        assert set(counted.values()) <= {1}, "I2"
        waiting = {row[0] for row in self.rows("SELECT number FROM items WHERE state = 'ASSIGNED'")}
        assert set(counted) == waiting, "no other item is asked for"

    @invariant()
    def a_request_is_under_way_alone(self) -> None:
        counted = self.rows("SELECT count(*) FROM attempts WHERE outcome IS NULL GROUP BY intent")
        assert {row[0] for row in counted} <= {1}, "I3"
        sending = {row[0] for row in self.rows("SELECT number FROM intents WHERE state = 'SENDING'")}
        under_way = {row[0] for row in self.rows("SELECT intent FROM attempts WHERE outcome IS NULL")}
        assert sending == under_way, "I1"

    @invariant()
    def a_run_is_one_intent_s_for_good(self) -> None:
        own = dict(self.rows("SELECT number, run_id FROM intents WHERE run_id IS NOT NULL"))
        assert len(set(own.values())) == len(own), "I5"
        assert self.claimed.items() <= own.items(), "what was claimed stays claimed"
        self.claimed = own
        marked = self.rows("SELECT 1 FROM seen JOIN intents USING (run_id) WHERE is_duplicate")
        assert not marked, "no intent's own run counts as a second one"

    @invariant()
    def an_intent_keeps_its_items(self) -> None:
        found: dict[int, set[int]] = {}
        for intent, item in self.rows("SELECT intent, item FROM members"):
            found.setdefault(intent, set()).add(item)
        assert {intent: frozenset(members) for intent, members in found.items()} == self.sealed, "I6"

    @invariant()
    def what_a_request_came_to_is_never_rewritten(self) -> None:
        now = {
            number: outcome
            for number, outcome in self.rows("SELECT number, outcome FROM attempts")
            if outcome
        }
        assert self.attempts.items() <= now.items()
        self.attempts = now


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=rounds(100), stateful_step_count=30)


# Decisions


def counted(what: str) -> None:
    COUNTED[what] += 1


@given(
    st.lists(
        st.tuples(st.floats(0, 120), st.booleans(), st.none() | st.floats(-7200, 7200)),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=rounds(800, sample=100))
def test_silence_needs_its_time_and_two_empty_listings(heard: list[tuple[float, bool, float | None]]) -> None:
    """By the clock of this machine and by the Dates, which may be missing, or those of several servers."""
    counted("silences")
    begun = Moment(100.0, 5000.0)
    detector = QuiescenceDetector(TIMEOUTS, begun)
    uptime = 100.0
    quiet: list[Moment] = []
    for seconds, is_empty, ahead in heard:
        uptime += seconds
        now = Moment(uptime, None if ahead is None else uptime + 4900 + ahead)
        is_proven = detector.observe(now, is_empty=is_empty)
        passed = [uptime - 100.0] + ([] if now.server is None else [now.server - 5000.0])
        if min(passed) >= TIMEOUTS.quiescence:
            quiet = [*quiet, now] if is_empty else []
            assert is_proven == (bool(quiet) and now.since(quiet[0]) >= TIMEOUTS.replica_lag)
        else:
            assert not is_proven
        assert 0 < detector.next_wait(now, 15) <= max(15, TIMEOUTS.replica_lag)


@pytest.mark.parametrize(
    ("earlier", "later", "passed"),
    [
        (Moment(10, 5000), Moment(310, 5300), 300),
        (Moment(10, 5000), Moment(310, 12500), 300),  # a server that is two hours ahead
        (Moment(10, 5000), Moment(310, 5000), 0),  # an answer from a cache
        (Moment(10, 5000), Moment(310, -2200), -7200),
        (Moment(10, 5000), Moment(310), 300),
        (Moment(10), Moment(310, 5000), 300),
    ],
)
def test_the_shorter_duration_counts(earlier: Moment, later: Moment, passed: float) -> None:
    assert later.since(earlier) == passed


@pytest.mark.parametrize("is_empty", [True, False])
def test_listings_that_prove_nothing_end_with_a_person(is_empty: bool) -> None:
    """A Date that stands still, as one of a cache, must not hold a job for ever."""
    detector = QuiescenceDetector(TIMEOUTS, Moment(0.0, 5000.0))
    looked = []
    for uptime in range(0, 5000, 15):
        now = Moment(float(uptime), 5000.0)
        assert not detector.observe(now, is_empty=is_empty)
        looked.append(uptime)
        if detector.is_ambiguous(now):
            break
    assert looked[-1] == TIMEOUTS.quiescence + TIMEOUTS.ambiguity


@pytest.mark.parametrize("before", [True, False])
def test_a_machine_that_slept_looks_again_before_a_person_has_to(before: bool) -> None:
    """Nobody has looked meanwhile, so the time says nothing of what the listings would have shown."""
    detector = QuiescenceDetector(TIMEOUTS, Moment(0.0))
    assert not detector.observe(Moment(TIMEOUTS.quiescence), is_empty=before)
    woken = TIMEOUTS.quiescence + 10 * TIMEOUTS.ambiguity
    is_proven = detector.observe(Moment(woken), is_empty=True)
    assert is_proven == before
    assert is_proven or not detector.is_ambiguous(Moment(woken))
    assert detector.observe(Moment(woken + TIMEOUTS.replica_lag), is_empty=True)


def test_replicas_that_contradict_each_other_end_with_a_person() -> None:
    detector = QuiescenceDetector(TIMEOUTS, Moment(0.0))
    for uptime in range(0, 5000, 15):
        now = Moment(float(uptime))
        assert not detector.observe(now, is_empty=uptime % 2 == 0)
        if detector.is_ambiguous(now):
            return
    raise AssertionError("it never ends")


@given(
    st.frozensets(st.sampled_from("abcd"), min_size=1), st.none() | st.frozensets(st.sampled_from("abcde"))
)
@settings(max_examples=rounds(500, sample=100))
def test_a_part_of_the_references_proves_nothing_and_excludes_nothing(
    wanted: frozenset[str], found: frozenset[str] | None
) -> None:
    counted("comparisons")
    fit = compare(wanted, found)
    assert (fit is ReferenceMatch.SAME) == (found == wanted)
    assert (fit is ReferenceMatch.OTHER) == (
        (found is not None and bool(found - wanted)) or fit is ReferenceMatch.OTHER
    )
    if found is None or found < wanted:
        assert fit is ReferenceMatch.POSSIBLE
        assert not match_runs({"run": fit}).is_empty, "it keeps a second request back"


@given(st.integers(300, 1000), st.sampled_from(["api", "gateway", "unknown"]))
@settings(max_examples=rounds(800, sample=200))
def test_an_answer_that_is_not_listed_is_unknown(
    status: int, answered_by: Literal["api", "gateway", "unknown"]
) -> None:
    counted("answers")
    error = status_error_class(status)(status, method="POST", path="/v1/runs", answered_by=answered_by)
    listed = {
        "api": {
            **dict.fromkeys((400, 413, 422), AttemptOutcome.REFUSED),
            401: AttemptOutcome.UNAUTHORIZED,
            429: AttemptOutcome.LATER,
            **dict.fromkeys((402, 403, 404), AttemptOutcome.STOP),
        },
        "gateway": {401: AttemptOutcome.UNAUTHORIZED, 403: AttemptOutcome.STOP},
        "unknown": {},
    }
    assert isinstance(error, APIStatusError)
    assert classify(error).outcome is listed[answered_by].get(status, AttemptOutcome.UNKNOWN)


identities = st.dictionaries(
    st.sampled_from(["api_root", "application_version", "token_user", "token_organization", "user"]),
    st.sampled_from("xy"),
)


@given(st.lists(identities, max_size=5))
@settings(max_examples=rounds(500, sample=100))
def test_an_identity_never_changes(told: list[dict[str, str]]) -> None:
    counted("identities")
    kept: str | None = None
    for now in told:
        known = {} if kept is None else json.loads(kept)
        if any(known.get(name, value) != value for name, value in now.items()):
            with pytest.raises(JobRefused):
                check_identity(kept, now)
        else:
            kept = check_identity(kept, now)
            assert known.items() <= json.loads(kept).items()


@settings(max_examples=rounds(300))
@given(st.lists(st.booleans(), min_size=1, max_size=24), st.integers(1, 8))
def test_nobody_goes_on_before_the_disk_has_it(fates: list[bool], producers: int) -> None:
    """When a command's result is there, another connection reads it; when it was refused, none ever does."""

    def apply(step: int, *, succeeds: bool) -> Callable[[Execute], int]:
        def command(execute: Execute) -> int:
            execute("INSERT INTO samples VALUES (0, ?, 0, 0)", (str(step),))
            if not succeeds:
                raise JobStateError("refused")
            return step

        return command

    async def produce(database: Database, disk: sqlite3.Connection, todo: Iterator[tuple[int, bool]]) -> None:
        for step, succeeds in todo:
            writing = database.write(apply(step, succeeds=succeeds))
            with nullcontext() if succeeds else pytest.raises(JobStateError):
                assert await writing == step
            rows = disk.execute("SELECT count(*) FROM samples WHERE stage = ?", (str(step),)).fetchone()
            assert rows == (int(succeeds),)
            COUNTED["commands that were waited for"] += 1

    async def all_produce(path: Path) -> None:
        with closing(Database(path).open()) as database, closing(connect_to_read(path)) as disk:
            todo = iter(enumerate(fates))
            await asyncio.gather(*(produce(database, disk, todo) for _ in range(producers)))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(all_produce(Path(folder) / "job.sqlite3"))


@pytest.mark.slow
@pytest.mark.skipif(not is_long(), reason="`make test-slow` tries all examples")
def test_enough_rounds_were_run() -> None:
    if len(COUNTED) < 6:
        pytest.skip("not all tests of this file were run with this one")
    assert COUNTED.total() >= 5_000
