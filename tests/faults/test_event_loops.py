"""A client is open between enter and exit, in one event loop."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import uuid
import weakref
from functools import partial

import pytest
from attrs import evolve
from hostile_server import until

from aignostics_async import Client, Limits, Retries, Timeouts, UsageError
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.transfer._threads import WorkerThreads


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


async def test_closing_under_a_request_leaves_no_connection(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/v1/applications", "delay_s": 0.3})
    client = emulator.client()

    async def ask() -> int:
        return len([application async for application in client.applications.list()])

    async with client:
        asked = [asyncio.create_task(ask()) for _ in range(4)]
        await asyncio.wait(asked, timeout=0.1)
        pool = client._session.bridge.api._connections
    assert await asyncio.gather(*asked) == [2] * 4, "what was under way comes to its end"
    assert pool._idle == []


async def test_no_more_requests_are_in_flight_than_the_limit() -> None:
    """Counted by the server, which answers nobody before all that may come have come."""
    waiting, most = 0, 0
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting, most
        served.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.05)  # a server that takes its time
        waiting -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = evolve(IMPATIENT, limits=Limits(api_requests=3))
    async with server:
        root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(root, "token", settings=settings) as client:

            async def ask() -> int:
                return len([application async for application in client.applications.list()])

            assert await asyncio.gather(*(ask() for _ in range(12))) == [0] * 12
        await asyncio.gather(*filter(None, served))
    assert most == 3


def test_a_call_that_outlives_its_loop_is_not_kept() -> None:
    threads, released = WorkerThreads("test"), threading.Event()

    async def begin() -> weakref.ref[object]:
        return weakref.ref(threads.start(partial(released.wait, 20)))

    call = asyncio.run(begin())
    assert call() is not None, "it is at work"
    released.set()
    asyncio.run(until(lambda: call() is None))
    asyncio.run(threads.close(20))
