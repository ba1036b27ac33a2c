"""A page of any size is decoded in slices: other tasks get their turns, and may end it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from attrs import define, evolve
from support import artifact, result

from aignostics_async import Client, ItemResult, Page
from aignostics_async.contracts import _decoding
from aignostics_async.contracts.v1_0._requests import Bridge10

RUN_ID = str(uuid.UUID(int=1))


@define
class Wire:
    """Stands where the pool of connections stands."""

    body: bytes

    async def send(self, operation: str, **request: Any) -> httpx.Response:
        return httpx.Response(200, content=self.body)


@define
class Clock:
    """A clock on which every look takes a millisecond."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def body_of(results: int) -> bytes:
    parts = [artifact(f"part {number}", "https://host/a?signature=PLANTED", b"x") for number in range(6)]
    return json.dumps([result(str(number), *parts) for number in range(results)]).encode()


@asynccontextmanager
async def client_of(body: bytes) -> AsyncIterator[Client]:
    async with Client("https://host.example.com", "token") as client:
        connections = client._session.connections
        connections._opened = evolve(connections.opened, bridge=Bridge10(Wire(body)))  # type: ignore[arg-type]
        yield client


async def listed(client: Client) -> list[ItemResult]:
    return [item async for item in client.run(RUN_ID).results()]


async def first_page(client: Client) -> Page[ItemResult]:
    async for page in client.run(RUN_ID).results().pages():
        return page
    raise AssertionError("there is no page")


async def turns_beside(task: asyncio.Task[Any]) -> int:
    turns = 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    return turns


@pytest.mark.parametrize("results", [99, 990])
async def test_other_tasks_get_their_turns(monkeypatch: pytest.MonkeyPatch, results: int) -> None:
    monkeypatch.setattr(_decoding, "clock", Clock())
    async with client_of(body_of(results)) as client:
        task = asyncio.create_task(first_page(client))
        turns = await turns_beside(task)
        assert [item.reference for item in task.result().items] == [str(each) for each in range(results)]
    assert turns > results / 4


async def test_without_need_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decoding, "clock", lambda: 0.0)
    async with client_of(body_of(99)) as client:
        task = asyncio.create_task(listed(client))
        assert await turns_beside(task) < 5
        assert len(task.result()) == 99


async def test_a_page_may_be_ended_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decoding, "clock", Clock())
    async with client_of(body_of(99)) as client:
        for turn in range(1, 20):
            task = asyncio.create_task(listed(client))
            for _ in range(turn):
                await asyncio.sleep(0)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len(await listed(client)) == 99
