"""Cancelled waits: one request stays under way, and the next wait continues with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar

import pytest
from attrs import evolve
from watching import all_of, finish, plain, script

from aignostics_async import Change, Hooks, RequestEvent, ResponseEvent, Watcher
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts

SLOW = {"method": "GET", "path": "/api/.*", "delay_s": 0.2}
HANGING = {"operation": "list_results", "delay_s": 10}
TRACE: ContextVar[str] = ContextVar("trace", default="none")


async def with_timeout(watcher: Watcher, seconds: float) -> Change:
    async with asyncio.timeout(seconds):
        return await anext(watcher)


def with_wait_for(watcher: Watcher, seconds: float) -> Awaitable[Change]:
    return asyncio.wait_for(anext(watcher), seconds)


@pytest.mark.parametrize("wait", [with_timeout, with_wait_for])
async def test_waits_that_are_shorter_than_a_response_get_on(
    emulator: Emulator, wait: Callable[[Watcher, float], Awaitable[Change]]
) -> None:
    run_ids = [script(emulator, "a", "b") for _ in range(2)]
    for run_id in run_ids:
        emulator.move(*finish(run_id, "a", "b", status="COMPLETED"))
    emulator.set_faults(SLOW)
    changes: list[Change] = []
    responses: list[ResponseEvent] = []
    async with emulator.client(evolve(IMPATIENT, hooks=Hooks(on_response=responses.append))) as client:
        watcher = client.watch(run_ids)
        for _ in range(3000):
            try:
                changes.append(await wait(watcher, 0.01))
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert [plain(change)[2] for change in changes].count("COMPLETED") == len(run_ids)
    assert len(changes) == 3 * len(run_ids)
    # Beside each one that was answered, a wait may have begun and cancelled the others that watching sends at
    # once.
    assert len(emulator.requests()) <= 4 * (len(responses) + 1)


async def test_a_cancelled_wait_leaves_at_most_one_request(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(6)]
    emulator.set_faults(HANGING)
    sent = asyncio.Semaphore(0)

    def on_request(event: RequestEvent) -> None:
        if event.operation == "list results":
            sent.release()

    settings = evolve(IMPATIENT, hooks=Hooks(on_request=on_request))
    async with emulator.client(settings) as client:
        before = asyncio.all_tasks()
        watcher = client.watch(run_ids)
        waiting = asyncio.create_task(until_cancelled(watcher))
        for _ in range(3):  # as many as watching sends at once
            await sent.acquire()
        assert len(asyncio.all_tasks() - before) >= 4
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await few_tasks(before, 1)
    await few_tasks(before, 0)


async def until_cancelled(watcher: Watcher) -> None:
    async for _ in watcher:
        pass


async def few_tasks(before: set[asyncio.Task[object]], number: int) -> None:
    """Wait until at most this number of tasks is left; a cancelled task takes some rounds of the loop."""
    for _ in range(1000):
        if len(asyncio.all_tasks() - before) <= number:
            return
        await asyncio.sleep(0)
    raise AssertionError(asyncio.all_tasks() - before)


async def test_closing_the_last_watcher_cancels_the_request_under_way(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.set_faults({"operation": "get_run", "delay_s": 10})
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        watcher, other = client.run(run_id).watch(), client.run(run_id).watch()
        with suppress(TimeoutError):
            await asyncio.wait_for(anext(watcher), 0.05)
        assert asyncio.all_tasks() > before
        await watcher.aclose()
        assert asyncio.all_tasks() > before, "another watcher may go on with it"
        await other.aclose()
        assert asyncio.all_tasks() == before
        for closed in (watcher, other):
            await closed.aclose()
            assert await all_of(closed) == []


async def test_closing_a_watcher_ends_a_wait_in_another_task(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.set_faults({"operation": "get_run", "delay_s": 10})
    async with emulator.client() as client:
        watchers = [client.run(run_id).watch() for _ in range(2)]  # one leads, one follows
        tasks = [asyncio.create_task(all_of(watcher)) for watcher in watchers]
        await asyncio.sleep(0)  # to where they wait
        assert all(watcher._subscription.is_waiting for watcher in watchers)
        for watcher, task in zip(watchers, tasks, strict=True):
            await watcher.aclose()
            assert await task == []


async def test_shared_requests_run_in_no_caller_s_context(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.move(*finish(run_id, "a", status="COMPLETED"))
    traces: set[str] = set()
    settings = evolve(IMPATIENT, hooks=Hooks(on_request=lambda _event: traces.add(TRACE.get())))
    async with emulator.client(settings) as client:
        token = TRACE.set("of one caller")
        try:
            await all_of(client.run(run_id).watch())
            assert traces == {"none"}
            await client.run(run_id).details()
            assert traces == {"none", "of one caller"}, "a caller's own request keeps its context"
        finally:
            TRACE.reset(token)
