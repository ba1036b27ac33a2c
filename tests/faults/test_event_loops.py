"""A client is open between enter and exit, in one event loop."""

from __future__ import annotations

import asyncio
import random
import time
import uuid

import pytest
from attrs import evolve

from aignostics_async import Retries, Timeouts, UsageError
from aignostics_async.emulator.process import IMPATIENT, Emulator


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


async def test_a_client_survives_the_deadlines_of_its_users(emulator: Emulator) -> None:
    """40 tasks run into deadlines for a second; afterwards every request still gets a connection.

    With one httpx client behind them all, none does (httpcore issue 1093).
    """
    settings = evolve(IMPATIENT, timeouts=Timeouts(pool=2), retries=Retries(attempts=1))
    async with emulator.client(settings) as client:

        async def ask() -> int:
            return len([application async for application in client.applications.list()])

        async def churn() -> int:
            cut = 0
            end = time.monotonic() + 1
            while time.monotonic() < end:
                try:
                    async with asyncio.timeout(random.random() * 0.02):
                        await ask()
                except TimeoutError:
                    cut += 1
            return cut

        cut = await asyncio.gather(*(churn() for _ in range(40)))
        assert sum(cut) > 100
        assert await asyncio.gather(*(ask() for _ in range(20))) == [2] * 20
