"""A job whose deadline passes: nothing more is sent, nothing that may have been sent is forgotten."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import define, evolve
from running_jobs import RATE, SETTINGS, JobHarness, on_first

from aignostics_async import JobStopped, NotInContract
from aignostics_async.bulk import EventType, JobStatus
from aignostics_async.bulk.stages import _submitting
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.one_contract("1.8")

DEADLINE = datetime.now(UTC) + timedelta(days=300)


@define
class Calendar:
    """The date on this machine."""

    days: int = 0

    def time(self) -> float:
        return time.time() + self.days * 86_400

    def pass_deadline(self, _job: object) -> None:
        self.days = 301


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    calendar = Calendar()
    monkeypatch.setattr(_submitting, "time", SimpleNamespace(time=calendar.time))
    monkeypatch.setattr(_submitting, "_AT_ONCE", 1)
    return calendar


@pytest.fixture
async def harness(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    slide = write_slide(tmp_path / "tiny.tif", width=300, height=260)
    async with emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide)


async def test_what_the_deadline_leaves_waits_for_a_person(harness: JobHarness, calendar: Calendar) -> None:
    await harness.make("a", "b", chunk_size=1, deadline=DEADLINE)
    with pytest.raises(JobStopped, match="the deadline of its runs"):
        await harness.run(on_first(EventType.RUN_CREATED, calendar.pass_deadline))
    assert harness.posts() == 1
    assert sorted(harness.states().values()) == ["ASSIGNED", "DONE"], "what exists was brought home"
    with pytest.raises(JobStopped, match="resume it with a later deadline"):
        await harness.run()
    assert harness.posts() == 1, "it says so again, and sends nothing"
    async with harness.opened() as job:
        summary = await job.run(harness.client, deadline=DEADLINE + timedelta(days=100))
    assert summary.status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")
    deadlines = [run.deadline async for run in harness.client.runs.list(sort="triggered_at")]
    assert deadlines == [DEADLINE, DEADLINE + timedelta(days=100)]


async def test_a_request_in_doubt_is_settled_after_the_deadline_too(
    harness: JobHarness, calendar: Calendar
) -> None:
    await harness.make("a", deadline=DEADLINE)
    harness.emulator.set_faults({"operation": "create_run", "times": 1, "drop": "after"})
    summary = await harness.run(on_first(EventType.RUN_UNKNOWN, calendar.pass_deadline))
    assert summary.status is JobStatus.DONE, "nothing is left that a deadline could keep back"
    harness.assert_each_has_one_run("a")


async def test_a_request_that_created_nothing_is_not_repeated_after_the_deadline(
    harness: JobHarness, calendar: Calendar
) -> None:
    await harness.make("a", deadline=DEADLINE)
    harness.emulator.set_faults({"operation": "create_run", "times": 1, "drop": "before"})
    with pytest.raises(JobStopped, match="the deadline of its runs"):
        await harness.run(on_first(EventType.RUN_UNKNOWN, calendar.pass_deadline))
    assert harness.posts() == 1


async def test_a_time_that_the_contract_lacks_is_refused_before_it_is_kept(harness: JobHarness) -> None:
    """Kept in the plan, it would stop the job at its first request, and at that of every later run."""
    async with harness.emulator.client(SETTINGS, contract="1.0") as client:
        older = evolve(harness, client=client)
        await older.make("a")
        async with older.opened() as job:
            with pytest.raises(NotInContract, match="a due date or deadline"):
                await job.run(client, due_date=DEADLINE)
            with pytest.raises(NotInContract, match="a due date or deadline"):
                await job.run(client, deadline=DEADLINE)
            assert (await job.run(client)).status is JobStatus.DONE
