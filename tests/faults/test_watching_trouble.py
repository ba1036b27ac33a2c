"""Watching where answers are late, stale, wrong or missing, and where items and runs move meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from attrs import evolve
from support import NOT_THERE, count, details, pretend, result
from watching import LIST, RUN, RUN_ID, all_of, finish, script, some, until

from aignostics_async import (
    Forbidden,
    Item,
    NotFound,
    Retries,
    RunStatus,
    RunVanished,
    ServerError,
    Slide,
    TooManyRequests,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.watch import _run_scan

pytestmark = pytest.mark.both_contracts


async def test_a_late_result_holds_the_final_state_back(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.move({"run": run_id, "status": "COMPLETED"})
    # The result comes after the third time that it was looked for.
    late = {"operation": "list_results", "times": 1, "skip": 2, "then": finish(run_id, "a")}
    emulator.set_faults(late)
    async with emulator.client() as client:
        assert await all_of(client.run(run_id).watch()) == [
            ("a", None, "PENDING"),
            ("a", "PENDING", "SUCCEEDED"),
            (None, None, "COMPLETED"),
        ]
    assert count(emulator, operation="list_results") == 4


async def test_the_grace_ends_and_the_event_says_so(emulator: Emulator) -> None:
    run_id = script(emulator, "a", status="COMPLETED")
    async with emulator.client(evolve(IMPATIENT, results_timeout=0.2)) as client:
        pending, run = [change async for change in client.run(run_id).watch()]
    assert (pending.new, pending.items_incomplete) == ("PENDING", False)
    assert (run.new, run.items_incomplete) == ("COMPLETED", True)


async def test_a_stale_answer_takes_nothing_back(emulator: Emulator) -> None:
    run_id = script(emulator, "a", "b", after_s=-1000)
    emulator.move(*finish(run_id, "a"))
    async with emulator.client() as client:
        watcher = client.run(run_id).watch()
        told = await some(watcher, 3)
        path = f"{LIST}/{run_id}.*"
        end = {"path": path, "times": 1, "then": finish(run_id, "b", status="COMPLETED")}
        emulator.set_faults({"path": path, "lag_s": 60, "times": 6}, end)
        told += await all_of(watcher)
    assert told == [
        (None, None, "RUNNING"),
        ("a", None, "SUCCEEDED"),
        ("b", None, "PENDING"),
        ("b", "PENDING", "SUCCEEDED"),
        (None, "RUNNING", "COMPLETED"),
    ]


async def test_results_that_are_not_there_yet_are_waited_for(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.set_faults({"operation": "list_results", **NOT_THERE, "times": 2, "then": finish(run_id, "a")})
    async with emulator.client() as client:
        assert await until(client.run(run_id).watch(), "a", "SUCCEEDED") == [
            (None, None, "RUNNING"),
            ("a", None, "SUCCEEDED"),
        ]


async def test_items_that_finish_while_their_pages_are_read(emulator: Emulator, contract: str) -> None:
    references = [f"{number:03}" for number in range(250)]
    run_id = script(emulator, *references)
    # Each page of the pending ones is followed by the end of sixty more, until all are done. Contract 1.8 has
    # no filter for all that are not done.
    query = {"1.0": {"status__in": "PENDING"}, "1.8": {}}[contract]
    emulator.move(*finish(run_id, *references[:130]))
    emulator.set_faults(
        *(
            {"operation": "list_results", "query": query, "times": 1, "then": finish(run_id, *part)}
            for part in (references[130:190], references[190:249])
        )
    )
    async with emulator.client() as client:
        watcher = client.run(run_id).watch()
        told = await until(watcher, "248", "SUCCEEDED")
        emulator.move(*finish(run_id, "249", status="COMPLETED"))
        told += await all_of(watcher)
    assert {each[0] for each in told if each[2] == "SUCCEEDED"} == set(references)
    assert len(told) == len({(reference, new) for reference, _, new in told}), "and none comes twice"
    assert told[-1] == (None, "RUNNING", "COMPLETED")


async def test_a_new_run_may_be_unknown_for_a_moment(emulator: Emulator, slide: Slide) -> None:
    async with emulator.client() as client:
        emulator.set_faults({"operation": "get_run", **NOT_THERE, "times": 3})
        run = await client.runs.submit("test-app:v0.0.2", [Item("a", slide=slide)], store=emulator.store_url)
        assert (await run.details()).run_id == run.id
        emulator.set_faults({"operation": "get_run", **NOT_THERE, "times": 3})
        assert (await run.wait()).status == RunStatus.COMPLETED
        emulator.set_faults({"operation": "get_run", **NOT_THERE, "times": 1})
        with pytest.raises(NotFound):
            await client.run(run.id).details()


async def test_a_run_that_nobody_knows_is_told_at_once(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(NotFound):
            await anext(client.run(RUN_ID).watch())
        assert len(emulator.requests()) == 1


async def test_a_vanished_run_ends_its_watcher(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client(evolve(IMPATIENT, read_after_write_timeout=0.2)) as client:
        watcher = client.run(run_id).watch()
        await until(watcher, "a", "PENDING")
        emulator.move({"run": run_id, "delete": True})
        with pytest.raises(RunVanished) as vanished:
            await anext(watcher)
    assert vanished.value.run_id == run_id


async def test_a_run_that_vanishes_does_not_end_the_others(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(3)]
    async with emulator.client(evolve(IMPATIENT, read_after_write_timeout=0.2)) as client:
        watcher = client.watch(run_ids)
        for _ in range(6):
            await anext(watcher)
        emulator.move({"run": run_ids[1], "delete": True})
        emulator.move(*finish(run_ids[0], "a", status="COMPLETED"))
        told = [(await anext(watcher)).run_id for _ in range(2)]
        emulator.move(*finish(run_ids[2], "a", status="COMPLETED"))
        with pytest.raises(ExceptionGroup) as ended:
            async for change in watcher:
                told.append(change.run_id)
    assert told == [run_ids[0]] * 2 + [run_ids[2]] * 2
    (vanished,) = ended.value.exceptions
    assert isinstance(vanished, RunVanished)
    assert vanished.run_id == run_ids[1]


async def test_a_run_is_missed_for_a_while_before_it_counts_as_vanished(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client() as client:
        watcher = client.run(run_id).watch()
        assert await some(watcher, 2) == [(None, None, "RUNNING"), ("a", None, "PENDING")]
        # Six answers of a replica that has not heard of it, then the end.
        path = f"{LIST}/{run_id}.*"
        end = {"path": path, "times": 1, "then": finish(run_id, "a", status="COMPLETED")}
        emulator.set_faults({"path": path, "lag_s": 10_000, "times": 6}, end)
        assert await some(watcher, 2) == [(None, "RUNNING", "COMPLETED"), ("a", "PENDING", "SUCCEEDED")]


async def test_an_outage_is_outlasted_for_as_long_as_the_settings_say(emulator: Emulator) -> None:
    once = evolve(IMPATIENT, retries=evolve(IMPATIENT.retries, attempts=1))
    run_id = pretend(emulator, result("a"))
    well = [
        {"operation": "get_run", "status": 200, "body": details("COMPLETED")},
        {"operation": "list_results", "status": 200, "body": [result("a")]},
    ]
    outage = [
        {"path": f"{RUN}.*", "status": 503, "times": 3},
        {"path": f"{RUN}.*", "drop": "before", "times": 3},
    ]
    emulator.set_faults(*outage, *well)
    async with emulator.client(once) as client:
        assert await all_of(client.run(run_id).watch()) == [
            ("a", None, "SUCCEEDED"),
            (None, None, "COMPLETED"),
        ]
    emulator.set_faults({"operation": "get_run", "status": 503})
    async with emulator.client(evolve(once, outage_timeout=0.2)) as client:
        with pytest.raises(ServerError):
            await anext(client.run(run_id).watch())
    emulator.set_faults({"operation": "list_results", "status": 503}, {**well[0], "body": details("RUNNING")})
    async with emulator.client(evolve(once, outage_timeout=0.2)) as client:
        with pytest.raises(ServerError):
            await until(client.run(run_id).watch(), "a", "SUCCEEDED")
    emulator.set_faults({"operation": "get_run", "status": 403})
    async with emulator.client(once) as client:
        with pytest.raises(Forbidden):
            await anext(client.run(run_id).watch())
    assert len(emulator.requests()) == 1, "what will not pass is not waited for"


@pytest.mark.parametrize("operation", ["get_run", "list_runs", "list_results"])
async def test_who_is_asked_to_wait_longer_than_the_patience_gives_up_alone(
    emulator: Emulator, operation: str
) -> None:
    """At once, and no other watcher of the client waits for it."""
    limited = {"operation": operation, "status": 429, "headers": {"Retry-After": "86400"}}
    run_ids = [script(emulator, "a") for _ in range(3)]
    async with emulator.client(evolve(IMPATIENT, retries=Retries())) as client:
        for _ in range(2):
            emulator.set_faults(limited)
            watcher = client.watch(run_ids) if operation == "list_runs" else client.run(run_ids[0]).watch()
            with pytest.raises(TooManyRequests):
                await asyncio.wait_for(all_of(watcher), 20)
            assert [each["operation"] for each in emulator.requests()].count(operation) == 1
        emulator.set_faults()
        assert await some(client.run(run_ids[1]).watch(), 1) == [(None, None, "RUNNING")]


# Lists that end, slide, and are not read to their end


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of runs take several pages."""
    monkeypatch.setattr(_run_scan, "MAX_PAGE_SIZE", 5)


@pytest.mark.usefixtures("small_pages")
async def test_a_list_may_end_with_a_404(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(7)]
    emulator.set_faults({"operation": "list_runs", "query": {"page": "2"}, **NOT_THERE, "times": 1})
    async with emulator.client() as client:
        told = await some(client.watch(run_ids), 14)
    assert told[:7] == [(None, None, "RUNNING")] * 7


async def test_the_list_of_somebody_without_runs_may_be_a_404(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "list_runs", **NOT_THERE})
    async with emulator.client() as client:
        watcher = client.watch_all(since=datetime.fromtimestamp(emulator.now(), UTC))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watcher), 0.3)
        emulator.set_faults()
        run_id = script(emulator, "a")
        assert (await anext(watcher)).run_id == run_id


@pytest.mark.usefixtures("small_pages")
async def test_who_is_away_while_others_watch_misses_no_run(emulator: Emulator) -> None:
    """What others have listed meanwhile did not go down to where he was."""
    he_tme = {"application_version_id": "he-tme:v1.0.0"}
    since = datetime.fromtimestamp(emulator.now() - 10_000, UTC)
    old = [script(emulator, "a", after_s=-9000 + number, **he_tme) for number in range(8)]
    new = [script(emulator, "a", **he_tme) for _ in range(6)]
    async with emulator.client() as client:
        away = client.watch_all(application="he-tme", since=since)
        await asyncio.sleep(2 * IMPATIENT.poll_interval)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(all_of(client.watch(new[3:])), 0.5)
        missing = {*old, *new}
        async with asyncio.timeout(10):
            while missing:
                missing.discard((await anext(away)).run_id)


@pytest.mark.usefixtures("small_pages")
async def test_a_run_that_slides_between_the_first_pages_is_seen(emulator: Emulator) -> None:
    """Nobody knows its id, and later lists need not go down to it."""
    run_ids = [script(emulator, "a", after_s=-9000 + number) for number in range(9)]
    newest = script(emulator, "a")
    gone = [{"run": newest, "delete": True}]
    emulator.set_faults({"operation": "list_runs", "query": {"page": "1"}, "times": 1, "then": gone})
    missing = set(run_ids)
    async with emulator.client() as client, asyncio.timeout(10):
        watcher = client.watch_all()
        while missing:
            missing.discard((await anext(watcher)).run_id)
