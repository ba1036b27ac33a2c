"""Going on after a restart, from the cursor of a change."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from watching import all_of, finish, plain, script

from aignostics_async import (
    Change,
    UsageError,
    Watcher,
)
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts


@pytest.mark.sampled(test=1)
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


@pytest.mark.sampled(test=1)
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


@pytest.mark.sampled(test=1)
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
        while watcher._subscription.lists_since == since:  # until nothing older was found twice
            with suppress(TimeoutError):
                await asyncio.wait_for(anext(watcher), 0.2)
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
