"""Throughput and tail latency of API calls: the client, its transport alone, and other libraries.

Each contestant requests the details of one run, an answer of 250 bytes, from a minimal server in another
process, with 1, 16 and 64 calls in flight. The contestants alternate, and the figures are medians of the
rounds. "transport" is what the client uses, without the client: eight httpx clients of one connection each,
one call at a time on each. The overhead over it is also shown in processor time, which other load on the
machine affects less.

"on aiohttp" is the client over httpx-aiohttp. It is not offered: it is not much faster, instrumentation of
httpx does not see it, and it reports a connection that breaks after the request was sent like one that was
never made, so a run might be created twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import anyio
import httpx
from aignostics_api import AuthenticatedClient
from aignostics_api.api.public import get_run
from attrs import frozen
from httpx_aiohttp import AiohttpTransport

from aignostics_async import Client, Settings
from aignostics_async._http import _api_pool, _client
from aignostics_async._version import user_agent
from benchmarks.figures import Estimate, Results, parser_of, recording

RUN_ID = "6f0ddf64-6a2b-4dd6-9b3c-1d9c9d3c2f10"
ANSWER = json.dumps(
    {
        "application_run_id": RUN_ID,
        "application_version_id": "he-tme:v1.1.0",
        "organization_id": "organization",
        "status": "RUNNING",
        "triggered_at": "2026-01-01T00:00:00.000000Z",
        "triggered_by": "auth0|000000000000000000000000",
        "user_payload": None,
    }
).encode()
TOKEN = "benchmark"
# Those that the façade sends, of the same length.
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": user_agent(""),
    "Authorization": f"Bearer {TOKEN}",
}
PATH = f"/api/v1/runs/{RUN_ID}"
Call = Callable[[], Awaitable[object]]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=500, help="of each side in each round")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "benchmarks.api", "--serve"]
    with (
        recording("api", arguments.json) as results,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            root = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            asyncio.run(compare(results, root, arguments.rounds, arguments.calls))
        finally:
            server.terminate()


class Bare(asyncio.Protocol):
    """A minimal HTTP server: one answer for each end of a request's head."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = transport
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        """Answer the complete requests."""
        *whole, self.rest = (self.rest + data).split(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
        self.transport.write((head.encode() + ANSWER) * len(whole))  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def compare(results: Results, root: str, rounds: int, calls: int) -> None:
    async with AsyncExitStack() as stack:
        sides = {
            name: await stack.enter_async_context(open_side(root))
            for name, open_side in {
                "transport": transport,
                "façade": facade,
                "on aiohttp": facade_on_aiohttp,
                "httpx": raw_httpx,
                "generated": generated,
                "aiohttp": raw_aiohttp,
            }.items()
        }
        for flight in (1, 16, 64):
            await show(results, sides, flight, rounds, calls)


async def show(results: Results, sides: dict[str, Call], flight: int, rounds: int, calls: int) -> None:
    measured: dict[str, list[Round]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            measured[name].append(await one_round(call, flight, calls))
    results.row(f"{flight} in flight, {rounds} rounds of {calls} calls")
    for name, several in measured.items():
        rate = statistics.median(each.rate for each in several)
        slow = statistics.median(each.slow for each in several)
        cpu = statistics.median(each.cpu for each in several)
        pairs = zip(several, measured["httpx"], strict=True)
        beside = Estimate.of([each.rate / other.rate for each, other in pairs])
        print(
            f"  {name:11}{rate:8,.0f} a second, p99 {slow * 1000:7.1f} ms, CPU {cpu * 1e6:6,.0f} us, "
            f"{beside.median:5.2f} x httpx"
        )
        results.add(f"calls a second / httpx, {name}", beside)
    both = list(zip(measured["façade"], measured["transport"], strict=True))
    wall = Estimate.of([other.rate / each.rate for each, other in both])
    cpu_ratio = Estimate.of([each.cpu / other.cpu for each, other in both])
    print(
        f"  the façade takes {wall.median - 1:+.1%} of time and {cpu_ratio.median - 1:+.1%} of processor "
        "time over its transport"
    )
    results.add("time / transport", wall)
    results.add("CPU / transport", cpu_ratio)
    results.add("CPU of a call", Estimate.of([each.cpu * 1e6 for each in measured["façade"]]), "us")


@frozen
class Round:
    """Calls per second, the 99th percentile of latency, and processor time per call."""

    rate: float
    slow: float
    cpu: float


async def one_round(call: Call, flight: int, calls: int) -> Round:
    times: list[float] = []

    async def work() -> None:
        for _ in range(calls // flight):
            begin = time.perf_counter()
            await call()
            times.append(time.perf_counter() - begin)

    begin, before = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(flight)))
    taken, worked = time.perf_counter() - begin, time.process_time() - before
    return Round(len(times) / taken, statistics.quantiles(times, n=100)[98], worked / len(times))


@asynccontextmanager
async def facade(root: str) -> AsyncIterator[Call]:
    async with Client(root, TOKEN, settings=Settings(trust_env=False), contract="1.0") as client:
        yield lambda: client.runs.get(RUN_ID)


@asynccontextmanager
async def facade_on_aiohttp(root: str) -> AsyncIterator[Call]:
    one = httpx.Limits(max_connections=1)

    def client_of_one_connection(
        settings: Settings,
        context: ssl.SSLContext,
        url: str,
    ) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=AiohttpTransport(verify=context, limits=one))

    vars(_api_pool)["open_client"] = client_of_one_connection
    async with Client(root, TOKEN, settings=Settings(trust_env=False), contract="1.0") as client:
        # All connections are made while it is in place.
        await asyncio.gather(*(client.runs.get(RUN_ID) for _ in range(8)))
        vars(_api_pool)["open_client"] = _client.open_client
        yield lambda: client.runs.get(RUN_ID)


@asynccontextmanager
async def transport(root: str) -> AsyncIterator[Call]:
    async with AsyncExitStack() as stack:
        one = httpx.Limits(max_connections=1)
        idle = [
            await stack.enter_async_context(httpx.AsyncClient(limits=one, trust_env=False)) for _ in range(8)
        ]
        limiter = anyio.CapacityLimiter(8)

        async def call() -> httpx.Response:
            async with limiter:
                client = idle.pop()
                try:
                    return await client.send(httpx.Request("GET", root + PATH, headers=HEADERS))
                finally:
                    idle.append(client)

        yield call


@asynccontextmanager
async def raw_httpx(root: str) -> AsyncIterator[Call]:
    async with httpx.AsyncClient(base_url=root, headers=HEADERS, trust_env=False) as client:

        async def call() -> object:
            return (await client.get(PATH)).json()

        yield call


@asynccontextmanager
async def generated(root: str) -> AsyncIterator[Call]:
    async with AuthenticatedClient(base_url=f"{root}/api", token=TOKEN) as client:
        yield lambda: get_run.asyncio(RUN_ID, client=client)


@asynccontextmanager
async def raw_aiohttp(root: str) -> AsyncIterator[Call]:
    async with aiohttp.ClientSession(root, headers=HEADERS) as session:

        async def call() -> object:
            async with session.get(PATH) as response:
                return await response.json()

        yield call


if __name__ == "__main__":
    main()
