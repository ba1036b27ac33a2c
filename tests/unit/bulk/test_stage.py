"""A stage of the pipeline, with steps that do as they are told, on a real database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define

from aignostics_async import (
    AignosticsError,
    ConfigurationError,
    ConnectionFailed,
    JobStopped,
    LocalFileChanged,
    SlideError,
    TransferInterrupted,
    UrlRefused,
)
from aignostics_async._core._backoff import Backoff
from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._journal import EventType, JobEvent, Journal
from aignostics_async.bulk.database._queries import ItemRow
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._samples import Sample, Stage as Name
from aignostics_async.bulk.database._states import IntentState, ItemState
from aignostics_async.bulk.reconciliation._matching import CLOCK_SKEW
from aignostics_async.bulk.reconciliation._quiescence import Moment
from aignostics_async.bulk.stages import _failure_policy, _throughput
from aignostics_async.bulk.stages._context import JobContext
from aignostics_async.bulk.stages._signals import StageId
from aignostics_async.bulk.stages._stage import ItemStage
from aignostics_async.bulk.stages._submitting import Submitting
from aignostics_async.bulk.stages._throughput import ThroughputMeter

LOST = ConnectionFailed("no answer", method="GET", path="/", request_sent=True)
CHANGED = LocalFileChanged("it changed", name="a")
Step = Callable[[ItemRow], Awaitable[None]]


@define
class Fed:
    """A stage before, whose end is told."""

    is_done: bool = False


@define
class StageHarness:
    """A job without a platform."""

    database: Database
    context: JobContext
    events: list[JobEvent]

    async def add(self, count: int, state: ItemState = ItemState.FOUND) -> None:
        new = [
            _commands.NewItem(
                reference=f"{state}-{number}", path="p", shuffle_key=number, overrides={}, state=state
            )
            for number in range(count)
        ]
        await self.database.write(_commands.add_items(new))
        self.context.signals.notify()

    async def states(self) -> Counter[str]:
        return Counter(
            {str(state): count for state, count in (await self.database.read(_queries.counts())).items()}
        )

    def stage(self, do: Step, workers: int = 3, **told: Any) -> ItemStage:
        return ItemStage(self.context, StageId.PROBING, [ItemState.FOUND], do, window=lambda: workers, **told)

    async def ready(self, row: ItemRow) -> None:
        """Do the step that works."""
        await self.database.write(_commands.move_item(row.number, ItemState.READY))


@pytest.fixture
async def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StageHarness]:
    monkeypatch.setattr(_failure_policy, "_BACKOFF", Backoff(0.001, 0.002))
    database = Database(tmp_path / "job.sqlite3").open()
    events: list[JobEvent] = []
    journal = Journal(tmp_path / "events.jsonl", events.append)
    nothing = cast("Any", None)
    context = JobContext(
        job_id="job",
        plan=nothing,
        results=tmp_path,
        folders={},
        database=database,
        client=nothing,
        store=nothing,
        journal=journal,
        progress=nothing,
    )
    yield StageHarness(database, context, events)
    journal.close()
    database.close()


def failing(harness: StageHarness, *errors: AignosticsError) -> Step:
    """Return a step that fails so often for each item, and then works."""
    tries: Counter[int] = Counter()

    async def do(row: ItemRow) -> None:
        tries[row.number] += 1
        if tries[row.number] <= len(errors):
            raise errors[tries[row.number] - 1]
        await harness.ready(row)

    return do


async def test_a_stage_does_all_there_is_and_ends(harness: StageHarness) -> None:
    await harness.add(20)
    at_once: list[int] = []

    async def do(row: ItemRow) -> None:
        at_once.append(len(stage.in_flight))
        await asyncio.sleep(0)
        await harness.ready(row)

    stage = harness.stage(do)
    await stage.run()
    assert await harness.states() == {"READY": 20}
    assert max(at_once) == 3
    assert (stage.is_done, stage.in_flight, harness.context.taken) == (True, set(), set())


async def test_a_stage_waits_for_what_comes_from_the_one_before(harness: StageHarness) -> None:
    before, until_done = Fed(), asyncio.Semaphore(0)

    async def do(row: ItemRow) -> None:
        await harness.ready(row)
        until_done.release()

    stage = harness.stage(do, before=before)
    running = asyncio.create_task(stage.run())
    for _ in range(3):
        await harness.add(1)
        await until_done.acquire()
        await harness.database.write(lambda execute: execute("UPDATE items SET reference = reference || 'x'"))
    assert not running.done()
    before.is_done = True
    harness.context.signals.notify()
    await asyncio.wait_for(running, 10)
    assert await harness.states() == {"READY": 3}


async def test_what_was_begun_comes_to_its_end_when_the_job_drains(harness: StageHarness) -> None:
    await harness.add(10)
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def do(row: ItemRow) -> None:
        is_begun.set()
        await may_end.wait()
        await harness.ready(row)

    running = asyncio.create_task(harness.stage(do).run())
    await is_begun.wait()
    harness.context.drain()
    await asyncio.sleep(0)
    assert not running.done()
    may_end.set()
    await asyncio.wait_for(running, 10)
    assert await harness.states() == {"READY": 3, "FOUND": 7}


async def test_a_step_that_waits_to_be_tried_again_ends_when_the_job_drains(
    harness: StageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_failure_policy, "_BACKOFF", Backoff(3600, 3600))
    await harness.add(1)
    has_failed = asyncio.Event()

    async def do(_row: ItemRow) -> None:
        has_failed.set()
        raise LOST

    running = asyncio.create_task(harness.stage(do).run())
    await has_failed.wait()
    harness.context.drain()
    await asyncio.wait_for(running, 10)
    assert await harness.states() == {"FOUND": 1}, "it is tried again when the job is resumed"
    assert not harness.context.stopped


async def test_failures_that_pass_are_tried_again(harness: StageHarness) -> None:
    await harness.add(5)
    await harness.stage(failing(harness, LOST, TransferInterrupted("broke off", name="a"), LOST)).run()
    assert await harness.states() == {"READY": 5}


async def test_a_fault_of_one_slide_sets_it_aside(harness: StageHarness) -> None:
    await harness.add(4)

    async def do(row: ItemRow) -> None:
        if row.number == 2:
            raise SlideError("no slide", path="a")
        await harness.ready(row)

    await harness.stage(do).run()
    assert await harness.states() == {"READY": 3, "SET_ASIDE": 1}
    (event,) = [event for event in harness.events if event.type is EventType.QUARANTINED]
    assert "no slide" in (event.text or "")


async def test_a_file_that_changes_all_the_time_is_set_aside(harness: StageHarness) -> None:
    await harness.add(1, ItemState.READY)
    seen: list[str] = []

    async def do(row: ItemRow) -> None:
        seen.append(row.state)
        if row.state is ItemState.FOUND:
            await harness.ready(row)
            return
        raise CHANGED

    await ItemStage(harness.context, StageId.UPLOADING, [ItemState.READY], do, window=lambda: 1).run()
    assert seen == ["READY", "FOUND", *["READY", "FOUND"] * 2, "READY"]
    assert await harness.states() == {"SET_ASIDE": 1}


async def test_two_stages_never_work_on_one_item(harness: StageHarness) -> None:
    """A file that changed goes back to be read: by who has it, and not by the stage that reads."""
    await harness.add(1, ItemState.READY)
    before, may_go_on, is_back = Fed(), asyncio.Event(), asyncio.Event()

    async def upload(row: ItemRow) -> None:
        if row.state is ItemState.FOUND:
            is_back.set()
            await may_go_on.wait()
            await harness.ready(row)
        elif may_go_on.is_set():
            await harness.database.write(_commands.move_item(row.number, ItemState.SENDING))
        else:
            raise CHANGED

    async def read(_row: ItemRow) -> None:
        raise AssertionError("it is with the other stage")

    reading = asyncio.create_task(harness.stage(read, before=before).run())
    uploading = asyncio.create_task(
        ItemStage(harness.context, StageId.UPLOADING, [ItemState.READY], upload, window=lambda: 2).run()
    )
    await is_back.wait()
    for _ in range(20):
        harness.context.signals.notify()
        await harness.states()
    may_go_on.set()
    before.is_done = True
    harness.context.signals.notify()
    await asyncio.wait_for(asyncio.gather(reading, uploading), 10)
    assert await harness.states() == {"SENDING": 1}


async def test_an_item_that_came_to_its_end_elsewhere_is_left_alone(harness: StageHarness) -> None:
    """Its run was lost while its files were brought."""
    await harness.add(1)
    tried: list[int] = []

    async def do(row: ItemRow) -> None:
        tried.append(row.number)
        await harness.database.write(_commands.quarantine(row.number, "its run is gone", None))
        raise TransferInterrupted("broke off", name="a")

    await harness.stage(do).run()
    assert await harness.database.read(
        lambda execute: execute("SELECT state, fault FROM items").fetchall()
    ) == [("SET_ASIDE", "its run is gone")]
    assert len(tried) == 1
    assert not harness.context.stopped


async def test_what_would_fail_for_all_stops_the_job(harness: StageHarness) -> None:
    await harness.add(9)
    tried: list[int] = []

    async def do(row: ItemRow) -> None:
        tried.append(row.number)
        raise ConfigurationError("there is no such bucket")

    await harness.stage(do, workers=1).run()
    assert len(tried) == 1
    assert "there is no such bucket" in str(harness.context.stopped[0])
    assert isinstance(harness.context.stopped[0].cause, ConfigurationError)
    assert await harness.states() == {"FOUND": 9}, "each goes on from where it was"


async def test_one_after_the_other_stops_the_job(harness: StageHarness) -> None:
    await harness.add(30)
    await harness.stage(failing(harness, *[UrlRefused("no", name="a", status=403)] * 9), workers=1).run()
    assert await harness.states() == {"SET_ASIDE": 5, "FOUND": 25}
    assert "several slides in a row failed" in str(harness.context.stopped[0])


async def test_no_more_is_taken_than_there_is_room_for(harness: StageHarness) -> None:
    await harness.add(10)
    is_begun, may_end = Counter[int](), asyncio.Event()

    async def room() -> int:
        # What is done takes room for good, what is in flight while it is there.
        return 4 - (await harness.states())["READY"]

    async def do(row: ItemRow) -> None:
        is_begun[row.number] += 1
        if len(is_begun) == 4:
            may_end.set()
        harness.context.signals.notify()
        await may_end.wait()
        await harness.ready(row)

    await harness.stage(do, workers=8, room=room).run()
    assert await harness.states() == {"READY": 4, "FOUND": 6}
    assert len(is_begun) == 4


# What the whole job needs


async def test_patience_ends_where_it_would_be_in_vain(harness: StageHarness) -> None:
    errors: list[AignosticsError] = [LOST, LOST, ConfigurationError("no")]

    async def do() -> None:
        raise errors.pop(0)

    with pytest.raises(JobStopped, match="no; then resume it"):
        await harness.context.with_retries(do)
    assert not errors
    assert [event.type for event in harness.events] == [EventType.WAITING] * 2


async def test_patience_gives_what_it_was_for(harness: StageHarness) -> None:
    answers: list[AignosticsError | int] = [LOST, LOST, 7]

    async def do() -> int:
        answer = answers.pop(0)
        if isinstance(answer, AignosticsError):
            raise answer
        return answer

    assert await harness.context.with_retries(do) == 7


# The meter


async def test_the_meter_counts_what_passes_and_falls_back() -> None:
    meter = ThroughputMeter()
    passing = meter.passing(Name.UPLOAD)
    for done in (10, 50, 20, 60):
        passing(done)
    meter.count(Name.UPLOAD, items=1)
    samples = {sample.stage: sample for sample in meter.take()}
    assert samples[Name.UPLOAD] == Sample(Name.UPLOAD, 1, 60)
    passing(0)
    assert {sample.bytes for sample in meter.take()} == {0}, "less than nothing was not moved"
    passing(60)
    other = meter.passing(Name.UPLOAD)
    other(5)
    assert sum(sample.bytes for sample in meter.take()) == 65


async def test_the_meter_is_kept_also_at_the_end(
    harness: StageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_throughput, "_INTERVAL", 3600.0)
    keeping = asyncio.create_task(harness.context.meter.keep(harness.database))
    await asyncio.sleep(0)
    harness.context.meter.count(Name.PROBE, items=3)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    rows = await harness.database.read(lambda execute: execute("SELECT stage, items FROM samples").fetchall())
    assert rows == [("PROBE", 3)]


def submitting(harness: StageHarness, **parts: object) -> Submitting:
    nothing: dict[str, Any] = dict.fromkeys(("platform", "submitter", "uploading", "billing"))
    return Submitting(context=harness.context, **nothing | parts, tag="", since=1e6)


async def test_at_most_sixteen_runs_are_asked_for_at_once(harness: StageHarness) -> None:
    await harness.add(40, ItemState.STORED)
    for number in range(1, 41):
        await harness.database.write(_commands.seal([number]))
    stage = submitting(harness)
    for under_way, expected in ((0, 16), (10, 6), (16, 0)):
        stage._in_flight.update(range(1, under_way + 1))
        taken = await stage._take(IntentState.SEALED)
        assert [row.number for row in taken] == list(range(under_way + 1, under_way + expected + 1))


async def test_runs_from_before_a_chunk_are_listed_as_far_as_clocks_differ(harness: StageHarness) -> None:
    asked: list[float] = []

    class Platform:
        async def moment(self) -> Moment:
            return Moment(0.0, 2e6)

        async def runs(self, since: float) -> list[ObservedRun]:
            asked.append(since)
            return []

    stage = submitting(harness, platform=Platform())
    await stage._record_runs()
    await stage._record_runs()
    assert asked == [1e6 - CLOCK_SKEW, 2e6 - 1200], "the second goes back to the first"
