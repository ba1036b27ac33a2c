"""Who takes part: each moves files in the way that its users would, in a process of its own.

Run as a program it is such a process: it reads one JSON order per line, and answers what the work took. So no
start of a process is in the figures, and nobody's memory is another one's.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import crc32c

from aignostics_async._core._crc32c import Crc32c, checksum_segments

MIB = 1024 * 1024
Order = dict[str, Any]
"""`urls` and `paths` in pairs, `crc32c` of each, `pem`; for uploads `source`."""


class Ours:
    """The engine of this package, as `run.download` and the stores use it."""

    def __init__(self, pem: str, limits: dict[str, int]) -> None:
        from aignostics_async import Limits, Settings
        from aignostics_async._core._lifetime import Lifetime
        from aignostics_async.transfer._engine import Engine

        from .servers import trusting

        context = trusting(Path(pem))
        settings = Settings(ssl_context=context, limits=Limits(**limits))
        lifetime = Lifetime()
        lifetime.begin()
        self.stack = AsyncExitStack()
        self.engine = Engine(settings, lifetime).open(self.stack, context)

    async def carry_out(self, order: Order) -> None:
        if "parts" in order:
            await self.put_in_parts(order)
        elif "source" in order:
            await self.put(order)
        else:
            await self.get(order)

    async def get(self, order: Order) -> None:
        from aignostics_async._core._secret import SecretText
        from aignostics_async.transfer._download import fetch_file

        async def one(url: str, path: str, promise: str) -> None:
            async def ask() -> str:
                return url

            fetched = await fetch_file(
                self.engine, ask, Path(path), name="file", expected=promise, listed=SecretText(url)
            )
            assert fetched.verified

        files = zip(order["urls"], order["paths"], order["crc32c"], strict=True)
        await asyncio.gather(*(one(*file) for file in files))

    async def put_in_parts(self, order: Order) -> None:
        from aignostics_async.transfer._multipart_upload import send_file

        sent = await send_file(self.engine, Sink(order["urls"][0]), Path(order["source"]), name="file")
        assert sent.crc32c == order["crc32c"][0]

    async def put(self, order: Order) -> None:
        from aignostics_async.transfer._upload import put_file

        sent = await put_file(self.engine, order["urls"][0], Path(order["source"]), name="file")
        assert sent.crc32c == order["crc32c"][0]


class Sink:
    """A store that takes everything."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def signer(self) -> None:
        """Need no key."""

    async def another_signer(self, *_refused: Any) -> None:
        """Have no other one."""

    def whole(self, _signer: None, _digest: Any) -> Any:
        from aignostics_async.transfer._multipart_upload import SignedRequest

        return SignedRequest(self.url, {})

    def part(self, signer: None, _upload: str, _number: int, digest: Any) -> Any:
        return self.whole(signer, digest)

    async def begin(self) -> str:
        return "upload"

    async def complete(self, *_told: Any) -> Any:
        return {}

    async def abort(self, _upload: str) -> None:
        return None


async def ours(order: Order) -> None:
    """Verified, whole or not at all."""
    limits = order.get("limits", {})
    key = json.dumps(limits)
    if key not in _kept:
        _kept[key] = Ours(order["pem"], limits)
    await _kept[key].carry_out(order)


_kept: dict[str, Any] = {}


async def official(order: Order) -> None:
    """A loop in the official SDK's style: requests, 8 MiB pieces, google_crc32c; one file after another."""
    import requests

    session = _kept.setdefault("requests", requests.Session())
    session.trust_env, session.verify = False, order["pem"]
    for url, path, promise in zip(order["urls"], order["paths"], order["crc32c"], strict=True):
        checksum = _google_checksum()
        with session.get(url, stream=True, timeout=60) as response, Path(path).open("wb") as file:
            response.raise_for_status()
            for piece in response.iter_content(8 * MIB):
                file.write(piece)
                checksum.update(piece)
        assert _wire(checksum.digest()) == promise


async def requests_put(order: Order) -> None:
    """Requests with a pass for the checksum in 1 MiB pieces before it."""
    import requests

    checksum = _google_checksum()
    with Path(order["source"]).open("rb") as file:
        while piece := file.read(MIB):
            checksum.update(piece)
        file.seek(0)
        requests.put(order["urls"][0], data=file, timeout=60).raise_for_status()
    assert _wire(checksum.digest()) == order["crc32c"][0]


async def with_aiohttp(order: Order) -> None:
    """Aiohttp with a large buffer and 1 MiB pieces, checksum and write in the loop."""
    import aiohttp

    from .servers import trusting

    context = trusting(Path(order["pem"]))
    async with aiohttp.ClientSession(read_bufsize=MIB) as session:
        for url, path, promise in zip(order["urls"], order["paths"], order["crc32c"], strict=True):
            value = 0
            async with session.get(url, ssl=context) as response:
                with Path(path).open("wb") as file:
                    async for piece in response.content.iter_any():
                        value = crc32c.crc32c(piece, value)
                        file.write(piece)
            assert _wire(value.to_bytes(4, "big")) == promise


async def with_obstore(order: Order) -> None:
    """Obstore's HTTP store, streamed in pieces of 1 MiB at least."""
    from obstore.store import HTTPStore

    options: Any = {"allow_http": True, "allow_invalid_certificates": True}
    for url, path, promise in zip(order["urls"], order["paths"], order["crc32c"], strict=True):
        root, _, name = url.rpartition("/")
        store = HTTPStore.from_url(root, client_options=options)
        value = 0
        got = await store.get_async(name)
        with Path(path).open("wb") as file:
            async for piece in got.stream(min_chunk_size=MIB):
                value = crc32c.crc32c(piece, value)
                file.write(piece)
        assert _wire(value.to_bytes(4, "big")) == promise


async def with_httpx(order: Order) -> None:
    """Plain httpx: the body through its asynchronous iterator."""
    import httpx

    from .servers import trusting

    async with httpx.AsyncClient(verify=trusting(Path(order["pem"])), trust_env=False) as client:
        for url, path, promise in zip(order["urls"], order["paths"], order["crc32c"], strict=True):
            value = 0
            async with client.stream("GET", url) as response:
                with Path(path).open("wb") as file:
                    async for piece in response.aiter_raw():
                        value = crc32c.crc32c(piece, value)
                        file.write(piece)
            assert _wire(value.to_bytes(4, "big")) == promise


CONTESTANTS: dict[str, Callable[[Order], Awaitable[None]]] = {
    "ours": ours,
    "official style": official,
    "aiohttp": with_aiohttp,
    "obstore": with_obstore,
    "httpx": with_httpx,
    "requests + crc": requests_put,
}


def limit(order: Order) -> dict[str, float]:
    """Run limit.c over as many connections as ours may use, and check what it read."""
    url = urlsplit(order["urls"][0])
    command = [_compiled("limit"), str(url.port), url.path, order["paths"][0]]
    command += [str(order["size"]), str(order["limits"]["transfers"])]
    seconds, cpu, *ranges = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    whole = checksum_segments(Crc32c(int(value), int(length)) for length, value in pairs)
    assert whole.wire == order["crc32c"][0]
    return {"seconds": float(seconds), "cpu": float(cpu)}


@cache
def _compiled(name: str) -> str:
    """Compile a program beside this file, and return where it is."""
    target = Path(tempfile.mkdtemp(prefix="transfers-")) / name
    machine = ["-msse4.2"] if platform.machine() == "x86_64" else ["-march=armv8-a+crc"]
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(["gcc", "-O3", *machine, "-pthread", "-o", target, source], check=True)
    return str(target)


def aria2c_many(order: Order) -> dict[str, float]:
    """Run aria2c with one connection for each file, sixteen files at once; its start counts, some 20 ms."""
    lines = [
        f"{url}\n dir={path.parent}\n out={path.name}\n"
        for url, path in zip(order["urls"], map(Path, order["paths"]), strict=True)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.writelines(lines)
        listed.flush()
        command = [
            *("aria2c", "-q", "-x1", "-j16", "--file-allocation=none", "--no-conf"),
            *("--enable-http-keep-alive=true", "-i", listed.name),
        ]
        return _timed_program(command, None)


def curl(order: Order) -> dict[str, float]:
    """Run curl, several files at once if there are several; its own clock, which begins after its start."""
    pairs = [
        part for url, path in zip(order["urls"], order["paths"], strict=True) for part in ("-o", path, url)
    ]
    count = len(order["urls"])
    many = ["-Z", "--parallel-max", "16", "--parallel-immediate"] if count > 1 else []
    command = ["curl", "-sS", "--fail", "--cacert", order["pem"], *many, "-w", "%{time_total}\n", *pairs]
    # The clock is of each file, so it is of no use where not all of them begin at once.
    return _timed_program(command, None if count > 16 else lambda words: max(map(float, words.split())))


def aria2c(order: Order) -> dict[str, float]:
    """Run aria2c with one connection; it has no clock of its own, so its start counts, some 20 ms."""
    folder, name = os.path.split(order["paths"][0])
    command = [
        *("aria2c", "-q", "-x1", "--allow-overwrite=true", "--file-allocation=none", "--no-conf"),
        *("--ca-certificate", order["pem"], "-d", folder, "-o", name, order["urls"][0]),
    ]
    return _timed_program(command, None)


def _timed_program(command: list[str], clock: Callable[[str], float] | None) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": clock(done.stdout) if clock else took, "cpu": cpu}


def _google_checksum() -> Any:
    import google_crc32c

    return google_crc32c.Checksum()  # type: ignore[no-untyped-call]


def _wire(digest: bytes) -> str:
    import base64

    return base64.b64encode(digest).decode()


async def _lag(stop: asyncio.Event) -> list[float]:
    """Return by how much a loop with nothing to do wakes up too late, again and again."""
    late: list[float] = []
    while not stop.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - began - 0.005)
    return late


async def idle(order: Order) -> None:
    """Do nothing for a while: the control of the loop's lag."""
    await asyncio.sleep(order["seconds"])


async def _work() -> None:
    name = sys.argv[1]
    work = {**CONTESTANTS, "idle": idle}[name]
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        stop = asyncio.Event()
        probe = asyncio.create_task(_lag(stop)) if order.get("lag") else None
        began, cpu, loop_cpu = time.perf_counter(), os.times(), time.thread_time()
        await work(order)
        after = os.times()
        answer: dict[str, Any] = {
            "seconds": time.perf_counter() - began,
            "cpu": after.user + after.system - cpu.user - cpu.system,
            "kernel": after.system - cpu.system,
            "loop": time.thread_time() - loop_cpu,
            "memory": _high_water(),
        }
        stop.set()
        if probe is not None:
            answer["lag"] = await probe
        print(json.dumps(answer), flush=True)


def _high_water() -> int:
    """Return the most memory that this process ever had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    asyncio.run(_work())
