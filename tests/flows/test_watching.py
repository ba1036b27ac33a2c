"""Watching runs against the emulator: each state once, the final one last, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from support import count, details, pretend, result

from aignostics_async import (
    Change,
    Forbidden,
    Item,
    NotFound,
    Retries,
    RunStatus,
    RunVanished,
    ServerError,
    Slide,
    TooManyRequests,
    UsageError,
    Watcher,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

RUN_ID = str(uuid.UUID(int=1))
RUN = f"/api/v1/runs/{RUN_ID}"
LIST = "/api/v1/runs"

Told = tuple[str | None, str | None, str]


def plain(change: Change) -> Told:
    return change.reference, change.old, change.new


async def all_of(watcher: Watcher) -> list[Told]:
    return [plain(change) async for change in watcher]


async def some(watcher: Watcher, number: int) -> list[Told]:
    """Return so many changes, those of items in the order of their references."""
    told = [plain(await anext(watcher)) for _ in range(number)]
    return sorted(told, key=lambda each: each[0] or "")


async def until(watcher: Watcher, reference: str | None, new: str) -> list[Told]:
    """Return the changes up to a certain one."""
    told = []
    async for change in watcher:
        told.append(plain(change))
        if told[-1][0] == reference and told[-1][2] == new:
            break
    return told


def script(emulator: Emulator, *references: str, status: str = "RUNNING", **more: Any) -> str:
    """Create a run that goes on only by moves."""
    steps = [] if status == "RECEIVED" else [(0, None, status)]
    (run_id,) = emulator.script({"items": references, "steps": steps, **more})
    return run_id


def finish(run_id: str, *references: str, status: str | None = None) -> list[dict[str, str]]:
    """Return the moves that let items succeed, and then the run end."""
    moves = [{"run": run_id, "reference": reference, "status": "SUCCEEDED"} for reference in references]
    return [*moves, *([] if status is None else [{"run": run_id, "status": status}])]


# One run


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


async def test_a_late_result_holds_the_final_state_back(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    emulator.move({"run": run_id, "status": "COMPLETED"})
    # The result comes after the third time that it was looked for.
    late = {"path": f"{LIST}/{run_id}/results", "times": 1, "skip": 2, "then": finish(run_id, "a")}
    emulator.set_faults(late)
    async with emulator.client() as client:
        assert await all_of(client.run(run_id).watch()) == [
            ("a", None, "PENDING"),
            ("a", "PENDING", "SUCCEEDED"),
            (None, None, "COMPLETED"),
        ]
    assert count(emulator, "GET", f"{LIST}/{run_id}/results") == 4


async def test_the_grace_ends_and_the_event_says_so(emulator: Emulator) -> None:
    run_id = script(emulator, "a", status="COMPLETED")
    async with emulator.client(evolve(IMPATIENT, results_grace=0.2)) as client:
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
    emulator.set_faults({"path": ".*/results", "status": 404, "times": 2, "then": finish(run_id, "a")})
    async with emulator.client() as client:
        assert await until(client.run(run_id).watch(), "a", "SUCCEEDED") == [
            (None, None, "RUNNING"),
            ("a", None, "SUCCEEDED"),
        ]


async def test_items_that_finish_while_their_pages_are_read(emulator: Emulator) -> None:
    references = [f"{number:03}" for number in range(250)]
    run_id = script(emulator, *references)
    # Each page of the pending ones is followed by the end of sixty more, until all are done.
    emulator.move(*finish(run_id, *references[:130]))
    emulator.set_faults(
        *(
            {
                "path": ".*/results",
                "query": {"status__in": "PENDING"},
                "times": 1,
                "then": finish(run_id, *part),
            }
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
        emulator.set_faults({"method": "GET", "path": "/api/v1/runs/[^/]*", "status": 404, "times": 3})
        run = await client.runs.submit("test-app:v0.0.2", [Item("a", slide=slide)], store=emulator.store_url)
        assert (await run.details()).run_id == run.id
        emulator.set_faults({"method": "GET", "path": "/api/v1/runs/[^/]*", "status": 404, "times": 3})
        assert (await run.wait()).status == RunStatus.COMPLETED
        emulator.set_faults({"method": "GET", "path": "/api/v1/runs/[^/]*", "status": 404, "times": 1})
        with pytest.raises(NotFound):
            await client.run(run.id).details()


async def test_a_run_that_nobody_knows_is_told_at_once(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(NotFound):
            await anext(client.run(RUN_ID).watch())
        assert len(emulator.requests()) == 1


async def test_a_vanished_run_ends_its_watcher(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client(evolve(IMPATIENT, new_run_grace=0.2)) as client:
        watcher = client.run(run_id).watch()
        await until(watcher, "a", "PENDING")
        emulator.move({"run": run_id, "delete": True})
        with pytest.raises(RunVanished) as vanished:
            await anext(watcher)
    assert vanished.value.run_id == run_id


# Waiting


async def test_waiting_reads_no_results(emulator: Emulator) -> None:
    run_id = script(emulator, "a", status="COMPLETED")
    async with emulator.client() as client:
        assert (await client.run(run_id).wait()).status == RunStatus.COMPLETED
    assert [asked["path"] for asked in emulator.requests()] == [f"{LIST}/{run_id}"]


async def test_a_deadline_is_asyncio_s_own(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.run(run_id).wait()
        assert asyncio.all_tasks() == before, "nothing is left behind"


# Trouble


async def test_an_outage_is_outlasted_for_as_long_as_the_settings_say(emulator: Emulator) -> None:
    once = evolve(IMPATIENT, retries=evolve(IMPATIENT.retries, attempts=1))
    run_id = pretend(emulator, result("a"))
    well = [
        {"path": RUN, "status": 200, "body": details("COMPLETED")},
        {"path": f"{RUN}/results", "status": 200, "body": [result("a")]},
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
    emulator.set_faults({"path": RUN, "status": 503})
    async with emulator.client(evolve(once, outage_patience=0.2)) as client:
        with pytest.raises(ServerError):
            await anext(client.run(run_id).watch())
    emulator.set_faults({"path": f"{RUN}/results", "status": 503}, {**well[0], "body": details("RUNNING")})
    async with emulator.client(evolve(once, outage_patience=0.2)) as client:
        with pytest.raises(ServerError):
            await until(client.run(run_id).watch(), "a", "SUCCEEDED")
    emulator.set_faults({"path": RUN, "status": 403})
    async with emulator.client(once) as client:
        with pytest.raises(Forbidden):
            await anext(client.run(run_id).watch())
    assert len(emulator.requests()) == 1, "what will not pass is not waited for"


async def test_who_is_asked_to_wait_longer_than_the_patience_gives_up_at_once(emulator: Emulator) -> None:
    emulator.set_faults({"path": RUN, "status": 429, "headers": {"Retry-After": "301"}})
    async with emulator.client(evolve(IMPATIENT, retries=Retries())) as client:
        with pytest.raises(TooManyRequests):
            await anext(client.run(RUN_ID).watch())
    assert len(emulator.requests()) == 1


# Many


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
        emulator.move(*(move for run_id in run_ids for move in finish(run_id, "a", "b", status="COMPLETED")))
        rest = [change async for change in watcher]
    assert len(rest) == 3 * len(run_ids)
    for run_id in run_ids:
        assert [plain(change) for change in rest if change.run_id == run_id][-1][2] == "COMPLETED"
    assert not [asked for asked in emulator.requests() if asked["path"] in {f"{LIST}/{i}" for i in run_ids}]


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


async def test_a_run_that_vanishes_does_not_end_the_others(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a") for _ in range(3)]
    async with emulator.client(evolve(IMPATIENT, new_run_grace=0.2)) as client:
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
        with pytest.raises(UsageError, match="aware"):
            client.watch_all(since=datetime(2026, 1, 1))  # noqa: DTZ001


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


# Going on after a restart


async def test_every_cursor_goes_on_from_its_change(emulator: Emulator) -> None:
    run_ids = [script(emulator, "a", "b") for _ in range(3)]
    async with emulator.client() as client:
        watcher = client.watch(run_ids)
        changes = [await anext(watcher) for _ in range(9)]
        emulator.move(*finish(run_ids[0], "a", "b", status="COMPLETED"), *finish(run_ids[1], "b"))
        changes += [await anext(watcher) for _ in range(4)]
        emulator.move(*finish(run_ids[1], "a", status="COMPLETED"))
        emulator.move(*finish(run_ids[2], "a", "b", status="COMPLETED"))
        changes += [change async for change in watcher]
    final = {(change.run_id, change.reference): change for change in changes}
    for place, change in enumerate(changes):
        async with emulator.client() as client:  # after a restart
            again = [each async for each in client.watch(cursor=change.cursor)]
        # All that had not been worked off, in the last state that it has by now, and nothing else.
        rest = {(each.run_id, each.reference) for each in changes[place:]}
        assert {each.id for each in again} == {final[key].id for key in rest}
        before = {(each.run_id, each.reference): each.new for each in changes[:place]}
        assert all(each.old == before.get((each.run_id, each.reference)) for each in again)


async def test_one_run_goes_on_from_a_cursor(emulator: Emulator) -> None:
    run_id = script(emulator, "a")
    async with emulator.client() as client:
        async for change in client.run(run_id).watch():
            if change.reference == "a":
                break
        emulator.move(*finish(run_id, "a", status="COMPLETED"))
        told = await all_of(client.run(run_id).watch(cursor=change.cursor))
        assert told == [("a", None, "SUCCEEDED"), (None, "RUNNING", "COMPLETED")]
        with pytest.raises(UsageError, match="cursor"):
            client.run(run_id).watch(cursor="yesterday")


async def test_watching_all_goes_on_from_a_cursor(emulator: Emulator) -> None:
    since = datetime.fromtimestamp(emulator.now() - 10_000, UTC)
    he_tme = {"application_version_id": "he-tme:v1.0.0"}
    old = script(emulator, "a", after_s=-9000, **he_tme)
    over = script(emulator, "a", after_s=-8000, **he_tme)
    recent = script(emulator, "a", **he_tme)
    emulator.move(*finish(over, "a", status="COMPLETED"), *finish(recent, "a", status="COMPLETED"))
    ours = {old, over, recent}

    async def collect(watcher: Watcher, last: tuple[str, str]) -> list[Change]:
        changes = []
        async for change in watcher:
            if change.run_id in ours:
                changes.append(change)
                if (change.run_id, change.new) == last:
                    break
        return changes

    async with emulator.client() as client:
        watcher = client.watch_all(application="he-tme", since=since)
        changes = await collect(watcher, (old, "PENDING"))
        while {change.run_id for change in changes if change.new == "COMPLETED"} != {over, recent}:
            changes += [change for change in [await anext(watcher)] if change.run_id in ours]
        emulator.move(*finish(old, "a"))
        changes += await collect(watcher, (old, "SUCCEEDED"))
    emulator.move({"run": old, "status": "COMPLETED"})
    async with emulator.client() as client:
        again = await collect(
            client.watch_all(application="he-tme", cursor=changes[-1].cursor), (old, "COMPLETED")
        )
    assert [plain(change) for change in again if change.run_id == old] == [
        ("a", "PENDING", "SUCCEEDED"),
        (None, "RUNNING", "COMPLETED"),
    ]
    assert not [change for change in again if change.run_id == over], "it was over long before"


# Who waits, who does not, and what is left


async def test_leaving_leaves_nothing_behind(emulator: Emulator) -> None:
    left, other = script(emulator, "a"), script(emulator, "a")
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        watcher = client.run(left).watch()
        await until(watcher, "a", "PENDING")
        assert asyncio.all_tasks() == before
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0)  # to where it waits
        assert watcher.is_waiting
        await until(client.run(other).watch(), "a", "PENDING")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert asyncio.all_tasks() == before
        del watcher, waiting
        gc.collect()
        emulator.set_faults()
        emulator.move(*finish(other, "a", status="COMPLETED"))
        await all_of(client.run(other).watch())
        assert count(emulator, "GET", f"{LIST}/{left}") == 0, "nobody asks for it any more"


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
        assert watcher.is_waiting
        with pytest.raises(UsageError, match="another task"):
            await anext(watcher)
        waiting.cancel()


async def test_before_the_client_is_open(emulator: Emulator) -> None:
    with pytest.raises(UsageError, match="not open"):
        emulator.client().run(RUN_ID).watch()
