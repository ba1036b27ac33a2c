"""A client is open between enter and exit, in one event loop."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from aignostics_async import Client, UsageError
from aignostics_async.emulator.process import Emulator


def test_another_loop_is_refused_by_name(emulator: Emulator) -> None:
    client = emulator.client()

    async def enter() -> None:
        await client.__aenter__()
        assert [application async for application in client.applications.list()]

    async def use() -> None:
        with pytest.raises(UsageError, match="another event loop"):
            await client.runs.get(str(uuid.uuid4()))
        with pytest.raises(UsageError, match="another event loop"):
            [run async for run in client.runs.list()]
        with pytest.raises(UsageError, match="another event loop"):
            await client.store(emulator.store_url).presign_get("signed:a", 60)

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(enter())
        second.run(use())
        first.run(client.__aexit__(None, None, None))


async def test_before_and_after(emulator: Emulator) -> None:
    client = emulator.client()
    with pytest.raises(UsageError, match="is not open"):
        await client.runs.get(str(uuid.uuid4()))
    async with client:
        with pytest.raises(UsageError, match="open already"):
            await client.__aenter__()
    with pytest.raises(UsageError, match="was closed"):
        [run async for run in client.runs.list()]
    with pytest.raises(UsageError, match="was closed"):
        await client.__aenter__()


def test_one_client_per_run_of_asyncio(emulator: Emulator) -> None:
    async def use() -> int:
        async with emulator.client() as client:
            return len([application async for application in client.applications.list()])

    assert [asyncio.run(use()) for _ in range(2)] == [2, 2]


async def test_many_tasks_share_a_client_and_cancelling_some_harms_none(emulator: Emulator) -> None:
    """Cancelled requests give back what they held (httpcore issue 1093 is about those that don't)."""
    emulator.set_faults({"path": "/api/v1/applications", "delay_s": 0.02})
    async with emulator.client() as client:

        async def ask() -> int:
            return len([application async for application in client.applications.list()])

        for _ in range(5):
            tasks = [asyncio.create_task(ask()) for _ in range(40)]
            await asyncio.wait(tasks, timeout=0.05)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        emulator.set_faults()
        async with asyncio.timeout(20):
            assert await asyncio.gather(*(ask() for _ in range(20))) == [2] * 20


async def test_the_base_client_needs_a_place() -> None:
    client = Client("http://127.0.0.1:9", "token")
    assert "token" not in repr(client)
