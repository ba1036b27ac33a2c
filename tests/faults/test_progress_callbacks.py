"""Whatever ends a transfer early, its thread stops, closes its own descriptor and touches nothing else."""

from __future__ import annotations

import asyncio
import functools
import threading
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from bystanders import bystanders
from hostile_server import Hostile, engine_of, files_in, hostile, until
from support import artifact, pretend, result

from aignostics_async import (
    Client,
    Item,
    Slide,
    TransferError,
    Transfers,
    UsageError,
    checksum_bytes,
)
from aignostics_async._core._crc32c import Crc32c
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.transfer import _engine
from aignostics_async.transfer._download import fetch_file
from aignostics_async.transfer._engine import Engine
from aignostics_async.transfer._limits import BandwidthLimiter
from aignostics_async.transfer._multipart_upload import SentPart, SignedRequest, send_file
from aignostics_async.transfer._upload import put_file
from aignostics_async.transfer.files import _file_io, _partial_file

MIB = 1024 * 1024
BODY = array("I", range(3 * MIB)).tobytes()  # 12 MiB
CRC = checksum_bytes(BODY).wire
SLOW = evolve(IMPATIENT, transfers=Transfers(bandwidth=4 * MIB, part_size=5 * MIB))

Progress = Callable[..., Any]
Call = Callable[[Engine, Hostile, Path, Progress], Awaitable[object]]


# The calls that take a progress callback


async def download(engine: Engine, place: Hostile, folder: Path, progress: Progress) -> object:
    return await fetch_file(
        engine, place.ask_url, folder / "out" / "file", name="file", expected=CRC, progress=progress
    )


async def put(engine: Engine, place: Hostile, folder: Path, progress: Progress) -> object:
    return await put_file(engine, place.url, folder / "source", name="source", progress=progress)


async def send_parts(engine: Engine, place: Hostile, folder: Path, progress: Progress) -> object:
    return await send_file(engine, Bucket(place), folder / "source", name="source", progress=progress)


@define
class Bucket:
    """A target whose objects go nowhere."""

    place: Hostile
    aborted: list[str] = field(factory=list)

    async def signer(self) -> None:
        """Need no key."""

    async def another_signer(self, signer: None) -> None:
        """Have no other one."""

    def whole(self, signer: None, digest: Crc32c) -> SignedRequest:
        return SignedRequest(self.place.url, {})

    def part(self, signer: None, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        return SignedRequest(f"{self.place.url}&part={number}", {})

    async def begin(self) -> str:
        return "upload"

    async def complete(
        self, upload: str, parts: Sequence[SentPart], whole: Crc32c, part_size: int
    ) -> Mapping[str, str]:
        assert all(isinstance(part, SentPart) for part in parts)
        return {"etag": "etag"}

    async def abort(self, upload: str) -> None:
        self.aborted.append(upload)


CALLS = [download, put, send_parts]


@pytest.mark.parametrize("call", CALLS)
async def test_pieces_are_no_longer_than_a_turn_of_the_bandwidth(
    call: Call, place: Hostile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the connections that wait for theirs are silent for so long that a storage hangs up."""
    pieces: list[int] = []

    def take(_limit: BandwidthLimiter, count: int, _now: float) -> float:
        pieces.append(count)
        return 0.0

    monkeypatch.setattr(BandwidthLimiter, "take", take)
    settings = evolve(SLOW, transfers=evolve(SLOW.transfers, bandwidth=800_000))
    async with engine_of(settings) as engine:
        await call(engine, place, folder, lambda *_: None)
    assert sum(pieces) == len(BODY)
    assert max(pieces) <= 100_000


@pytest.fixture
def place() -> Iterator[Hostile]:
    with hostile(BODY) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "source").write_bytes(BODY)
    return tmp_path


@define
class FrozenDisk:
    """A disk whose next read or write takes until it is thawed, as one on a network does."""

    reached: threading.Event = field(factory=threading.Event)
    thawed: threading.Event = field(factory=threading.Event)
    late: list[str] = field(factory=list)

    def freeze(self, patch: pytest.MonkeyPatch) -> None:
        for module in (_file_io, _partial_file):
            for name in ("read_at", "write_at"):
                patch.setattr(module, name, self._frozen(getattr(_file_io, name)))

    def _frozen(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def frozen(descriptor: int, view: memoryview, position: int) -> Any:
            self.reached.set()
            assert self.thawed.wait(30)
            return work(descriptor, view, position)

        return frozen


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def at_rest(engine: Engine) -> bool:
    return not engine._threads._calls and not engine._tokens


def raising(error: BaseException, *, after: int = 0) -> Progress:
    """Return a callback that raises once more than `after` bytes are there."""

    def progress(done: int, _total: int | None = None) -> None:
        if done >= after:
            raise error

    return progress


ERRORS = [
    ValueError("enough"),
    BrokenPipeError(32, "the reader has gone"),
    TransferError("of the caller's own", name="a"),
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError("by the callback"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_what_a_callback_raises_ends_the_call(
    place: Hostile, folder: Path, call: Call, error: BaseException
) -> None:
    """The exception itself is raised, at once, and no byte moves after it."""
    before = open_files()
    async with engine_of(SLOW) as engine:
        with pytest.raises(type(error)) as caught:
            await call(engine, place, folder, raising(error, after=1))
        assert caught.value is error
        assert caught.value.__context__ is None
        assert at_rest(engine)
        with bystanders(folder):
            await until(lambda: open_files() - 41 <= before + len(place.asks))
        assert files_in(folder / "out") == []
        assert not [ask for ask in place.asks if len(ask.body) == len(BODY)]
    async with engine_of() as engine:
        await call(engine, place, folder, lambda *_: None)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("end", ["raise", "interrupt", "cancel", "timeout", "close"])
async def test_a_frozen_disk_holds_up_no_caller(
    place: Hostile, folder: Path, monkeypatch: pytest.MonkeyPatch, call: Call, end: str
) -> None:
    """The caller goes on while its thread hangs; the thread closes its own descriptor when it wakes up."""
    monkeypatch.setattr(_engine, "CANCEL_TIMEOUT", 0.05)
    disk, before = FrozenDisk(), open_files()
    disk.freeze(monkeypatch)
    async with engine_of() as engine:
        await ending(end, disk, engine, lambda progress: call(engine, place, folder, progress))
        assert not disk.thawed.is_set()
        threads = set(engine._threads._calls)
        assert threads, "a thread still hangs"
        with bystanders(folder):
            disk.thawed.set()
            await until(lambda: at_rest(engine))
        assert files_in(folder / "out") == []
    await until(lambda: open_files() <= before)


async def ending(
    end: str, disk: FrozenDisk, engine: Engine, call: Callable[[Progress], Awaitable[object]]
) -> None:
    """Make a call and end it in some way once its thread hangs."""
    if end in ("raise", "interrupt"):
        error = ValueError() if end == "raise" else KeyboardInterrupt()

        def progress(*_: object) -> None:
            if disk.reached.is_set():
                raise error

        with pytest.raises(type(error)):
            await call(progress)
        return
    if end == "timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as deadline:
                watching = asyncio.create_task(when(disk.reached, lambda: deadline.reschedule(0)))
                await call(lambda *_: None)
        await watching
        return
    task = asyncio.ensure_future(call(lambda *_: None))
    await until(disk.reached.is_set)
    if end == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        engine._lifetime.end()
        await engine._close()
        task.cancel()
        with pytest.raises((UsageError, asyncio.CancelledError)):
            await task


async def when(event: threading.Event, then: Callable[[], None]) -> None:
    await until(event.is_set)
    then()


async def sleeper(*_: object) -> None:
    """Take an event as no callback may."""


class Asynchronous:
    async def __call__(self, *_: object) -> None:
        """Take an event as no callback may."""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize(
    "progress", [sleeper, functools.partial(sleeper), Asynchronous()], ids=["function", "partial", "object"]
)
async def test_an_async_callback_is_refused_before_anything_is_done(
    place: Hostile, folder: Path, call: Call, progress: Progress
) -> None:
    async with engine_of() as engine:
        with pytest.raises(UsageError, match="must be a plain function"):
            await call(engine, place, folder, progress)
    assert place.asks == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
async def test_a_callback_that_returns_an_awaitable_is_refused(
    place: Hostile, folder: Path, call: Call
) -> None:
    async with engine_of() as engine:
        with pytest.raises(UsageError, match="must be a plain function"):
            await call(engine, place, folder, lambda *_: sleeper())
        assert at_rest(engine)


# The same rule, through the client


Public = Callable[[Client, Emulator, Hostile, Path, Progress], Awaitable[object]]


async def run_download(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    run_id = pretend(emulator, *(result(name, artifact("a", place.url, BODY)) for name in "abc"))
    return await client.run(run_id).download(folder / "out", progress=progress)


async def as_completed(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    run_id = pretend(emulator, *(result(name, artifact("a", place.url, BODY)) for name in "abc"))
    async with client.download_as_completed([run_id], folder / "out", progress=progress) as items:
        return [item async for item in items]


async def leave_as_completed(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    """Take no item before the callback has raised."""
    run_id = pretend(emulator, *(result(name, artifact("a", place.url, BODY)) for name in "abc"))
    async with client.download_as_completed([run_id], folder / "out", progress=progress) as items:
        await until(lambda: items._failure is not None)
    return None


async def store_put(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    emulator.set_faults()
    return await client.store(emulator.store_url).put("key", folder / "source", progress=progress)


async def submit(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    emulator.set_faults()
    slide = Slide(folder / "slide.tiff")
    items = [Item(name, slide=slide) for name in "abc"]
    return await client.runs.submit("he-tme:v1.1.0", items, store=emulator.store_url, progress=progress)


PUBLIC = [run_download, as_completed, leave_as_completed, store_put, submit]


@pytest.fixture
async def client(emulator: Emulator, folder: Path, slide_file: Path) -> AsyncIterator[Client]:
    (folder / "slide.tiff").write_bytes(slide_file.read_bytes())
    async with emulator.client(SLOW) as opened:
        yield opened


@pytest.mark.parametrize("call", PUBLIC, ids=lambda call: call.__name__)
@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", ["first", "later"])
async def test_every_call_that_takes_a_callback_raises_what_it_raises(
    emulator: Emulator,
    client: Client,
    place: Hostile,
    folder: Path,
    call: Public,
    error: BaseException,
    step: str,
) -> None:
    events: list[object] = []

    def progress(event: object) -> None:
        events.append(event)
        if len(events) >= (1 if step == "first" or call is store_put else 4):
            raise error

    with pytest.raises(type(error)) as caught:
        await call(client, emulator, place, folder, progress)
    assert caught.value is error
    assert at_rest(client._session.engine)
    assert [path for path in (folder / "out").rglob("*") if path.is_file()] == []


async def warned(
    client: Client, emulator: Emulator, place: Hostile, folder: Path, progress: Progress
) -> object:
    emulator.set_faults()
    items = [Item("a", slide=Slide(folder / "slide.tiff"))]
    return await client.runs.submit("he-tme:v1.1.0", items, store=emulator.store_url, warn=progress)


@pytest.mark.parametrize(
    "call", [run_download, as_completed, store_put, submit, warned], ids=lambda call: call.__name__
)
async def test_every_call_refuses_async_callbacks(
    emulator: Emulator, client: Client, place: Hostile, folder: Path, call: Public
) -> None:
    with pytest.raises(UsageError, match="must be a plain function"):
        await call(client, emulator, place, folder, sleeper)
    assert place.asks == []
