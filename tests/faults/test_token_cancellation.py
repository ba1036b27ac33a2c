"""Who cancels a call loses nothing: a refresh token that was used up has its successor."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from identity import Fault, Identity, identity

from aignostics_async import (
    Client,
    FileStore,
    MemoryStore,
    RefreshToken,
    TokenKey,
    TokenSet,
)
from aignostics_async.emulator.process import IMPATIENT

Cut = Callable[[asyncio.Event, Callable[[], Coroutine[Any, Any, object]]], Awaitable[None]]


async def natively(when: asyncio.Event, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    async def run() -> None:
        await call()

    task = asyncio.create_task(run())
    await when.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_a_deadline(when: asyncio.Event, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as deadline:

            async def expire() -> None:
                await when.wait()
                deadline.reschedule(0)

            async with asyncio.TaskGroup() as group:
                group.create_task(expire())
                await call()


async def by_a_scope(when: asyncio.Event, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await when.wait()
        group.cancel_scope.cancel()


@asynccontextmanager
async def held_refresh(**state: float) -> AsyncIterator[tuple[Identity, RefreshToken, asyncio.Event]]:
    """Give a source whose first refresh is carried out and answered only when the event is set."""
    async with identity(**state) as place:
        held = asyncio.Event()
        place.faults.append(Fault(held=held))
        yield place, place.source(), held


@pytest.mark.parametrize("callers", [1, 20])
@pytest.mark.parametrize("cut", [natively, by_a_deadline, by_a_scope])
async def test_cancelling_all_who_wait_loses_nothing(cut: Cut, callers: int) -> None:
    async with held_refresh() as (place, source, held):

        async def call() -> None:
            await asyncio.gather(*(source.get_token() for _ in range(callers)))

        await cut(place.asked, call)
        held.set()
        assert (await source.get_token()).text == "small-access-1"
        assert place.counted == {"token": 1}


async def test_cancelling_the_first_does_not_disturb_the_others() -> None:
    async with held_refresh() as (place, source, held):
        first = asyncio.create_task(source.get_token())
        await place.asked.wait()
        others = [asyncio.create_task(source.get_token()) for _ in range(20)]
        first.cancel()
        await asyncio.sleep(0)
        held.set()
        assert {each.text for each in await asyncio.gather(*others)} == {"small-access-1"}
        assert first.cancelled()
        assert place.counted == {"token": 1}


class SlowStore(MemoryStore):
    """Saves when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        # Of threads: what nothing may cut short runs in one of its own.
        self.saving, self.may_save = threading.Event(), threading.Event()

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        self.saving.set()
        self.may_save.wait(30)
        await super().save(key, tokens)


async def test_cancelling_while_tokens_are_saved_loses_nothing() -> None:
    async with identity() as place:
        refresh, store = place.sign_in(), SlowStore()
        source = place.source(refresh, store)
        call = asyncio.create_task(source.get_token())
        await asyncio.to_thread(store.saving.wait, 30)
        call.cancel()
        await asyncio.wait([call])
        store.may_save.set()
        await source.aclose()
        assert (await place.source(refresh, store).get_token()).text == "small-access-1", "it was saved"
        assert place.counted == {"token": 1}


async def test_cancelling_while_waiting_for_the_lock_leaves_it_free(tmp_path: Path) -> None:
    async with identity() as place:
        refresh, store = place.sign_in(), FileStore(tmp_path)
        source = place.source(refresh, store)
        key = source._tokens.key
        async with store.lock(key):
            waiting = asyncio.create_task(source.get_token())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert (await source.get_token()).text == "small-access-1"
        async with store.lock(key):
            pass
        assert place.counted == {"token": 1}


async def test_a_client_that_closes_waits_for_the_refresh() -> None:
    async with held_refresh() as (place, source, held):
        client = Client(place.origin, source, settings=IMPATIENT)
        await client.__aenter__()
        asking = asyncio.create_task(anext(aiter(client.applications.list()), None))
        await place.asked.wait()
        asking.cancel()
        closing = asyncio.create_task(client.__aexit__(None, None, None))
        await asyncio.sleep(0)
        assert not closing.done()
        held.set()
        await closing
        assert (await source.get_token()).text == "small-access-1"
        assert place.counted == {"token": 1}


async def test_closing_can_t_be_cut_short() -> None:
    async with held_refresh() as (place, source, held):
        async with anyio.create_task_group() as group:

            async def use() -> None:
                async with Client(place.origin, source, settings=IMPATIENT) as client:
                    await anext(aiter(client.applications.list()), None)

            group.start_soon(use)
            await place.asked.wait()
            group.cancel_scope.cancel()
            asyncio.get_running_loop().call_soon(held.set)
        assert (await source.get_token()).text == "small-access-1"
        assert place.counted == {"token": 1}


def test_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    """The program ends under a refresh that is carried out, and leaves what it gave in the store."""

    async def interrupted() -> None:
        async with held_refresh() as (place, _, held):
            source = place.source(store=FileStore(tmp_path))
            async with Client(place.origin, source, settings=IMPATIENT) as client:
                asking = asyncio.create_task(anext(aiter(client.applications.list()), None))
                await place.asked.wait()
                asyncio.get_running_loop().call_soon(held.set)
                asking.cancel()
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(interrupted())
    (kept,) = tmp_path.glob("*.json")
    assert "small-access-1" in kept.read_text(encoding="utf-8")


def test_one_source_in_two_loops_one_after_the_other() -> None:
    sources: list[RefreshToken] = []

    async def use() -> str:
        async with identity() as place:
            # The second loop's server is another one; the token is still good, so nobody asks it.
            sources.append(place.source())
            return (await sources[0].get_token()).text

    assert [asyncio.run(use()), asyncio.run(use())] == ["small-access-1"] * 2


def test_one_source_in_two_loops_at_once() -> None:
    """They share its token, and the one renewal of it."""

    async def use() -> None:
        async with identity() as place:
            source = place.source()
            held = asyncio.Event()
            place.faults.append(Fault(held=held))
            texts: list[str] = []

            async def elsewhere() -> None:
                texts.append((await source.get_token()).text)

            threads = [threading.Thread(target=lambda: asyncio.run(elsewhere())) for _ in range(5)]
            for thread in threads:
                thread.start()
            await place.asked.wait()
            waiting = asyncio.create_task(source.get_token())
            await asyncio.sleep(0)
            held.set()
            texts.append((await waiting).text)
            for thread in threads:
                await asyncio.to_thread(thread.join)
            assert texts == ["small-access-1"] * 6
            assert place.counted == {"token": 1}

    asyncio.run(use())


def test_two_loops_in_two_threads_share_a_store(tmp_path: Path) -> None:
    """Each with a source of its own: together they refresh once."""

    async def main() -> None:
        async with identity() as place:
            refresh = place.sign_in()
            texts: list[str] = []

            async def use() -> None:
                source = place.source(refresh, FileStore(tmp_path))
                texts.extend(
                    each.text for each in await asyncio.gather(*(source.get_token() for _ in range(20)))
                )

            threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                await asyncio.to_thread(thread.join)
            assert texts == ["small-access-1"] * 40
            assert place.counted == {"token": 1}

    asyncio.run(main())
