"""Items of many runs, each given as soon as it has succeeded and its files are there."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hostile_server import until

from aignostics_async import (
    Client,
    CompletedItem,
    FileOutcome,
    FileStatus,
    Item,
    Limits,
    Run,
    RunVanished,
    Slide,
    UsageError,
    checksum_file,
)
from aignostics_async.downloads import _completed_items
from aignostics_async.downloads._artifact import DownloadRequest, download_artifact
from aignostics_async.downloads._listing import RunReader
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts

SETTINGS = evolve(IMPATIENT, read_after_write_timeout=0.5)


@pytest.fixture
def standing(emulator: Emulator) -> Emulator:
    """Give an emulator that does an item when its clock is advanced by two seconds."""
    emulator.reset(clock_rate=0, speed=1)
    return emulator


async def submit(emulator: Emulator, slide: Slide, *references: str) -> Run:
    async with emulator.client(SETTINGS) as client:
        items = [Item(reference, slide=slide) for reference in references]
        return await client.runs.submit("he-tme:v1.1.0", items, store=emulator.store_url)


async def advance_to_the_end_of_an_item(emulator: Emulator, run: Run) -> None:
    """Let the clock go on until one more item of a run has succeeded."""
    async with emulator.client(SETTINGS) as client:
        before = [each async for each in client.run(run.id).results(statuses=["SUCCEEDED"])]
        watcher = client.run(run.id).watch()
        while True:
            emulator.set_clock(advance_s=1)
            try:
                change = await asyncio.wait_for(anext(watcher), 0.3)
            except TimeoutError:
                continue
            if change.new == "SUCCEEDED" and change.reference not in {each.reference for each in before}:
                return


async def test_each_item_comes_while_its_run_goes_on(
    standing: Emulator, slide: Slide, tmp_path: Path
) -> None:
    run = await submit(standing, slide, "a", "b", "c/d")
    told: list[CompletedItem] = []
    async with (
        standing.client(SETTINGS) as client,
        client.download_as_completed([run.id], tmp_path / "results") as items,
    ):
        for number in (1, 2):
            await advance_to_the_end_of_an_item(standing, run)
            told.append(await anext(items))
            assert len(told) == number
        assert not (await client.run(run.id).details()).status.is_final
        standing.set_clock(rate=1000)
        told += [done async for done in items]
    assert [done.item.reference for done in told] == ["a", "b", "c/d"]
    for done in told:
        assert len(done.files) == 4
        for file in done.files:
            assert file.status == FileStatus.VERIFIED
            assert file.path.is_relative_to(tmp_path / "results" / run.id)
            assert (await checksum_file(file.path)).wire == file.crc32c


async def test_many_runs_into_a_folder_for_each(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    runs = [await submit(emulator, slide, "a", "b") for _ in range(3)]
    one_at_a_time = evolve(SETTINGS, limits=Limits(transfers=1))
    async with (
        emulator.client(one_at_a_time) as client,
        client.download_as_completed([run.id for run in runs], tmp_path) as items,
    ):
        told = [done async for done in items]
    assert {(done.change.run_id, done.item.reference) for done in told} == {
        (run.id, reference) for run in runs for reference in ("a", "b")
    }
    assert {path.name for path in tmp_path.iterdir()} >= {run.id for run in runs}
    assert all(file.is_verified for done in told for file in done.files)


async def test_the_cursor_of_an_item_misses_none_that_is_still_under_way(
    emulator: Emulator, slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of the first item come last: whoever continues from the second one gets both."""
    run = await submit(emulator, slide, "a", "b")
    is_held = asyncio.Event()

    async def download(reader: RunReader, request: DownloadRequest, **rest: Any) -> FileOutcome:
        if request.item.reference == first.reference:
            await is_held.wait()
        return await download_artifact(reader, request, **rest)

    async with emulator.client(SETTINGS) as client:
        await client.run(run.id).wait()
        changes = [change async for change in client.run(run.id).watch()]
        first = next(change for change in changes if change.new == "SUCCEEDED")
        monkeypatch.setattr(_completed_items, "download_artifact", download)
        async with client.download_as_completed([run.id], tmp_path) as items:
            cursor = (await anext(items)).change.cursor
        is_held.set()
        again = client.watch(cursor=cursor)
        async with client.download_as_completed(again, tmp_path) as items:
            assert {done.item.reference async for done in items} == {"a", "b"}


async def test_leaving_stops_what_is_under_way(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    run = await submit(emulator, slide, "a", "b", "c")
    async with emulator.client(SETTINGS) as client:
        before = asyncio.all_tasks()
        async with client.download_as_completed([run.id], tmp_path) as items:
            async for _ in items:
                break
        await until(lambda: asyncio.all_tasks() == before)
        with pytest.raises(RuntimeError, match="the user's own"):
            async with client.download_as_completed([run.id], tmp_path) as items:
                raise RuntimeError("the user's own")
        await until(lambda: asyncio.all_tasks() == before)
        async with client.download_as_completed([run.id], tmp_path) as items:
            told = [done async for done in items]
    assert len(told) == 3, "what was brought before is there"


async def test_what_watching_raises_is_raised_at_the_end(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    run = await submit(emulator, slide, "a")
    (gone,) = emulator.script({"items": ["a"], "steps": [(0, None, "RUNNING")]})
    read = {"operation": "list_results", "path": f".*/{gone}/.*", "times": 1}
    emulator.set_faults({**read, "then": [{"run": gone, "delete": True}]})
    told = []
    async with (
        emulator.client(SETTINGS) as client,
        client.download_as_completed([run.id, gone], tmp_path) as items,
    ):
        with pytest.raises(ExceptionGroup) as ended:
            async for done in items:
                told.append(done.item.reference)
    assert told == ["a"]
    assert [type(error) for error in ended.value.exceptions] == [RunVanished]


async def test_runs_that_are_over_are_forgotten(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    """A service that watches all runs goes on for weeks."""
    run = await submit(emulator, slide, "a")
    (other,) = emulator.script({"items": ["a"], "steps": [(0, None, "RUNNING")]})
    async with (
        emulator.client(SETTINGS) as client,
        client.download_as_completed([run.id, other], tmp_path) as items,
    ):
        item = weakref.ref((await anext(items)).item)
        async with asyncio.timeout(30):
            while item() is not None:
                await asyncio.sleep(0.01)
                gc.collect()


async def test_it_is_used_in_its_block_and_once(emulator: Emulator, tmp_path: Path) -> None:
    async with emulator.client(SETTINGS) as client:
        items = client.download_as_completed([], tmp_path)
        with pytest.raises(UsageError, match="async with"):
            await anext(items)
        async with items:
            assert [done async for done in items] == []
        with pytest.raises(UsageError, match="async with"):
            await anext(items)
        with pytest.raises(UsageError, match="call download_as_completed again"):
            async with items:
                pass


async def test_it_needs_no_task_that_entered_it(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    """An async generator is closed by another task, which must not be cancelled for it."""
    run = await submit(emulator, slide, "a", "b")

    async def generate(client: Client) -> AsyncGenerator[CompletedItem, None]:
        async with client.download_as_completed([run.id], tmp_path) as items:
            async for done in items:
                yield done

    async with emulator.client(SETTINGS) as client:
        before = asyncio.all_tasks()
        generator = generate(client)
        assert (await asyncio.wait_for(anext(generator), 60)).item.reference in "ab"
        await asyncio.wait_for(generator.aclose(), 60)
        assert len(asyncio.all_tasks() - before) <= 1, "at most one request of watching outlives it"

        stack = AsyncExitStack()
        entering = stack.enter_async_context(client.download_as_completed([run.id], tmp_path))
        items = await asyncio.create_task(entering)
        assert len([done async for done in items]) == 2
        await asyncio.create_task(stack.aclose())


async def test_waits_that_are_too_short_lose_nothing(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    """On Python 3.11 `wait_for` runs `anext` in another task."""
    run = await submit(emulator, slide, "a", "b")
    told: list[str] = []
    async with (
        emulator.client(SETTINGS) as client,
        client.download_as_completed([run.id], tmp_path) as items,
        asyncio.timeout(60),
    ):
        while len(told) < 2:
            with suppress(TimeoutError):
                told.append((await asyncio.wait_for(anext(items), 0.01)).item.reference)
        with pytest.raises(StopAsyncIteration):
            await anext(items)
    assert sorted(told) == ["a", "b"]


async def test_who_iterates_while_the_block_is_left_is_told(emulator: Emulator, tmp_path: Path) -> None:
    (run_id,) = emulator.script({"items": ["a"], "steps": [(0, None, "RUNNING")]})
    async with emulator.client(SETTINGS) as client:
        async with client.download_as_completed([run_id], tmp_path) as items:
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
        with pytest.raises(UsageError, match="inside of its block"):
            await waiting
