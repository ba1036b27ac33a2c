"""Watching runs against the emulator: each state once, the final one last; one run, and many."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from watching import all_of, finish, plain, script, some

from aignostics_async import (
    RunStatus,
)
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts


async def test_a_run_from_its_beginning_to_its_end(emulator: Emulator) -> None:
    run_id = script(emulator, "a", "b", status="RECEIVED")
    async with emulator.client() as client:
        watcher = client.run(run_id).watch()
        assert plain(await anext(watcher)) == (None, None, "RECEIVED")
        emulator.move({"run": run_id, "status": "RUNNING"})
        assert await some(watcher, 3) == [
            (None, "RECEIVED", "RUNNING"),
            ("a", None, "PENDING"),
            ("b", None, "PENDING"),
        ]
        emulator.move(*finish(run_id, "b"))
        assert plain(await anext(watcher)) == ("b", "PENDING", "SUCCEEDED")
        emulator.move(*finish(run_id, "a", status="COMPLETED"))
        assert await all_of(watcher) == [("a", "PENDING", "SUCCEEDED"), (None, "RUNNING", "COMPLETED")]
        assert await all_of(watcher) == [], "it stays at its end"


async def test_waiting_reads_no_results(emulator: Emulator) -> None:
    run_id = script(emulator, "a", status="COMPLETED")
    async with emulator.client() as client:
        assert (await client.run(run_id).wait()).status == RunStatus.COMPLETED
    assert [asked["operation"] for asked in emulator.requests()] == ["get_run"]


async def test_a_deadline_is_asyncio_s_own(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.run(run_id).wait()
        left = asyncio.all_tasks() - before
        assert len(left) <= 1, "one request may still be in flight"
        if left:
            await asyncio.wait(left, timeout=30)
        assert asyncio.all_tasks() == before, "nothing is left behind"


@pytest.mark.sampled(test=1)
async def test_many_runs_as_one_stream(emulator: Emulator) -> None:
    run_ids = emulator.script(*({"items": ["a", "b"], "steps": [(0, None, "RUNNING")]} for _ in range(120)))
    emulator.set_faults()
    async with emulator.client() as client:
        watcher = client.watch(run_ids)
        first = [await anext(watcher) for _ in range(3 * len(run_ids))]
        assert {(change.run_id, *plain(change)) for change in first} == {
            (run_id, *told)
            for run_id in run_ids
            for told in ((None, None, "RUNNING"), ("a", None, "PENDING"), ("b", None, "PENDING"))
        }
        asked = {request["operation"] for request in emulator.requests()}
        assert "get_run" not in asked, "runs are listed"
        emulator.move(*(move for run_id in run_ids for move in finish(run_id, "a", "b", status="COMPLETED")))
        rest = [change async for change in watcher]
    assert len(rest) == 3 * len(run_ids)
    for run_id in run_ids:
        assert [plain(change) for change in rest if change.run_id == run_id][-1][2] == "COMPLETED"


async def test_those_who_wait_for_many_share_their_requests(emulator: Emulator) -> None:
    run_ids = emulator.script(*({"items": ["a"], "steps": [(0, None, "RUNNING")]} for _ in range(50)))
    emulator.set_faults()
    async with emulator.client() as client, asyncio.TaskGroup() as group:
        waiting = [group.create_task(client.run(run_id).wait()) for run_id in run_ids]
        async for _ in client.watch(run_ids[:1]):
            break
        emulator.move(*({"run": run_id, "status": "COMPLETED"} for run_id in run_ids))
        assert {(await task).run_id for task in waiting} == set(run_ids)
    assert len({asked["path"] for asked in emulator.requests()}) <= 3
    assert len(emulator.requests()) < len(run_ids)


async def test_all_runs_of_an_application_also_new_ones(emulator: Emulator) -> None:
    since = datetime.fromtimestamp(emulator.now(), UTC)
    script(emulator, "a", after_s=-1000)
    async with emulator.client() as client:
        first = script(emulator, "a")
        watcher = client.watch_all(application="test-app", since=since)
        assert [(await anext(watcher)).run_id for _ in range(2)] == [first] * 2
        script(emulator, "a", application_version_id="he-tme:v1.1.0")
        second = script(emulator, "a", status="RECEIVED")
        change = await anext(watcher)
        assert (change.run_id, change.new, change.details.status) == (second, "RECEIVED", "RECEIVED")
        emulator.move(*finish(first, "a", status="COMPLETED"))
        assert [plain(await anext(watcher)) for _ in range(2)] == [
            ("a", "PENDING", "SUCCEEDED"),
            (None, "RUNNING", "COMPLETED"),
        ]
        with pytest.raises(TimeoutError):  # what is over is not told again
            await asyncio.wait_for(anext(watcher), 0.5)


async def test_a_run_that_shows_in_the_list_late_is_seen(emulator: Emulator) -> None:
    he_tme = {"application_version_id": "he-tme:v1.0.0"}
    since = datetime.fromtimestamp(emulator.now() - 400, UTC)
    first = script(emulator, "a", **he_tme)
    async with emulator.client() as client:
        watcher = client.watch_all(application="he-tme", since=since)
        while (await anext(watcher)).run_id != first:
            pass
        with pytest.raises(TimeoutError):  # some rounds later
            while True:
                await asyncio.wait_for(anext(watcher), 0.3)
        late = script(emulator, "a", after_s=-300, **he_tme)
        assert (await anext(watcher)).run_id == late
