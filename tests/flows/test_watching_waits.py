"""Who waits for changes, who does not, and what is left when nobody does."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from attrs import evolve
from support import count
from watching import LIST, RUN_ID, all_of, finish, plain, script, some, until

from aignostics_async import (
    Change,
    UsageError,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts


async def ended(before: set[asyncio.Task[Any]]) -> None:
    """Wait for the end of a request that is under way; the next short wait would have had its answer."""
    async with asyncio.timeout(60):
        while tasks := asyncio.all_tasks() - before:
            await asyncio.wait(tasks)
    assert asyncio.all_tasks() == before


async def test_leaving_leaves_nothing_behind(emulator: Emulator) -> None:
    left, other = script(emulator, "a"), script(emulator, "a")
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        watcher = client.run(left).watch()
        await until(watcher, "a", "PENDING")
        await ended(before)
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0)  # to where it waits
        assert watcher._subscription.is_waiting
        await until(client.run(other).watch(), "a", "PENDING")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await ended(before)
        del watcher, waiting
        gc.collect()
        emulator.set_faults()
        emulator.move(*finish(other, "a", status="COMPLETED"))
        await all_of(client.run(other).watch())
        assert count(emulator, method="GET", path=f"{LIST}/{left}") == 0, "nobody asks for it any more"


async def test_the_lead_passes_on(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(4)]
    async with emulator.client() as client:
        tasks = [asyncio.create_task(all_of(client.run(run_id).watch())) for run_id in run_ids]
        for task, run_id in list(zip(tasks, run_ids, strict=True))[:3]:
            await until(client.run(run_id).watch(), "a", "PENDING")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        emulator.move(*finish(run_ids[3], "a", status="COMPLETED"))
        assert (await tasks[3])[-1] == (None, "RUNNING", "COMPLETED")


async def test_a_cancelled_wait_loses_no_change(emulator: Emulator) -> None:
    run_ids = emulator.script(*({"items": ["a"], "steps": [(0, None, "RUNNING")]} for _ in range(20)))
    emulator.move(*(move for run_id in run_ids for move in finish(run_id, "a", status="COMPLETED")))
    changes: list[Change] = []
    async with emulator.client() as client:
        watcher = client.watch(run_ids)
        for wait in range(10_000):
            try:
                async with asyncio.timeout(wait % 7 / 50):
                    changes.append(await anext(watcher))
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert len(changes) == len({change.id for change in changes}) == 2 * len(run_ids)


async def test_who_is_slow_delays_nobody_and_misses_no_final_state(emulator: Emulator) -> None:
    run_id = script(emulator, "a", "b", status="RECEIVED")
    async with emulator.client() as client:
        slow, quick = client.run(run_id).watch(), client.run(run_id).watch()
        assert plain(await anext(slow)) == (None, None, "RECEIVED")
        emulator.move({"run": run_id, "status": "RUNNING"})
        await some(quick, 4)
        emulator.move(*finish(run_id, "a"))
        assert plain(await anext(quick)) == ("a", "PENDING", "SUCCEEDED")
        emulator.move(*finish(run_id, "b", status="COMPLETED"))
        assert (await all_of(quick))[-1] == (None, "RUNNING", "COMPLETED")
        # States in between are skipped for who was not there; `old` is the last one that was given.
        assert sorted(await all_of(slow), key=str) == [
            ("a", None, "SUCCEEDED"),
            ("b", None, "SUCCEEDED"),
            (None, "RECEIVED", "COMPLETED"),
        ]


async def test_the_end_of_the_client_ends_all_waits(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(3)]
    # Whose interval is long: they do not find out by chance.
    async with emulator.client(evolve(IMPATIENT, poll_interval=30)) as client:
        watchers = [client.run(run_id).watch() for run_id in run_ids]
        tasks = [asyncio.create_task(all_of(watcher)) for watcher in watchers]
        await until(client.run(run_ids[0]).watch(), "a", "PENDING")
        for _ in range(10):  # the lead passes on, to who then waits for thirty seconds
            await asyncio.sleep(0)
    for task in tasks:
        with pytest.raises(UsageError, match="closed"):
            await task
    with pytest.raises(UsageError, match="closed"):
        client.run(run_ids[0]).watch()


async def test_one_task_at_a_time(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client() as client:
        watcher = client.run(run_id).watch()
        await until(watcher, "a", "PENDING")
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0)  # to where it waits
        assert watcher._subscription.is_waiting
        with pytest.raises(UsageError, match="another task"):
            await anext(watcher)
        waiting.cancel()


async def test_before_the_client_is_open(emulator: Emulator) -> None:
    with pytest.raises(UsageError, match="not open"):
        emulator.client().run(RUN_ID).watch()
