"""Error trackers collect the variables of a traceback's frames: no signed URL and no token may be in them."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aignostics_api
import pytest
from aignostics_api.api.public import create_run
from aignostics_api.models import InputArtifactCreationRequest, ItemCreationRequest, RunCreationRequest
from attrs import evolve
from raw_server import Peer, RawServer, raw_server
from shown_variables import shown as all_shown
from support import METADATA

import aignostics_async
from aignostics_async import (
    S3,
    AignosticsError,
    AwsKey,
    Client,
    InputArtifact,
    Item,
    Presigned,
    Timeouts,
    UsageError,
    put_once,
)
from aignostics_async._internals import transfer_engine
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.transfer._download import fetch_file

RUNS = "/api/v1/runs"
VERSION = "he-tme:v1.0.0"
URL = "https://bucket.example.com/slide.tiff?X-Amz-Signature=PLANTED"
PACKAGES = tuple(str(Path(each.__file__ or "").parent) for each in (aignostics_async, aignostics_api))


def shown(error: BaseException) -> Iterator[str]:
    """Give what an error tracker shows: each variable of our frames, of the error and of those behind it."""
    seen: set[int] = set()
    links = [error]
    while links:
        link = links.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
        for frame, line in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGES):
                for name, value in frame.f_locals.items():
                    yield f"{frame.f_code.co_filename}:{line}: {name} = {value!r}"


def leaks(error: BaseException) -> list[str]:
    variables = list(shown(error))
    assert variables, "the error came through our frames"
    return [each for each in variables if "PLANTED" in each]


async def by_method(client: Client, metadata: dict[str, Any]) -> None:
    await client.runs.create(VERSION, [Item("a", artifacts=[InputArtifact("slide", URL, metadata)])])


async def by_call(client: Client, metadata: dict[str, Any]) -> None:
    artifact = InputArtifactCreationRequest(name="slide", download_url=URL, metadata=metadata)
    item = ItemCreationRequest(reference="a", input_artifacts=[artifact])
    body = RunCreationRequest(application_version_id=VERSION, items=[item])
    await client.call(create_run, body=body)


WAYS = pytest.mark.parametrize("create", [by_method, by_call], ids=["method", "call"])
Create = Callable[[Client, dict[str, Any]], Awaitable[None]]
Transfer = Callable[[Client, RawServer, Path], Coroutine[Any, Any, None]]


@WAYS
@pytest.mark.parametrize("status", [307, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503])
async def test_a_refused_run_shows_no_signed_url(emulator: Emulator, create: Create, status: int) -> None:
    emulator.set_faults({"operation": "create_run", "status": status})
    async with emulator.client() as client:
        with pytest.raises(AignosticsError) as caught:
            await create(client, METADATA)
    assert leaks(caught.value) == []


@WAYS
async def test_a_lost_answer_shows_no_signed_url(emulator: Emulator, create: Create) -> None:
    emulator.set_faults({"operation": "create_run", "drop": "after"})
    async with emulator.client() as client:
        with pytest.raises(AignosticsError) as caught:
            await create(client, METADATA)
    assert leaks(caught.value) == []


@WAYS
async def test_a_deadline_shows_no_signed_url(emulator: Emulator, create: Create) -> None:
    emulator.set_faults({"operation": "create_run", "delay_s": 60})
    async with emulator.client() as client:
        await client.applications.list().to_list()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(None) as deadline:
                asking = asyncio.current_task()
                assert asking is not None
                asyncio.get_running_loop().call_later(0.5, deadline.reschedule, 0)
                await create(client, METADATA)
    assert leaks(caught.value) == []


@pytest.mark.parametrize("how", ["cancelled", "timeout"])
async def test_a_body_that_is_not_taken_shows_no_signed_url(how: str) -> None:
    """Most of it still waits in the HTTP library then."""
    asked = threading.Event()

    def take_nothing(peer: Peer) -> None:
        peer.read_head()
        asked.set()
        peer.over.wait(30)

    settings = evolve(IMPATIENT, timeouts=Timeouts(write=0.3 if how == "timeout" else 60))
    with raw_server(take_nothing) as server:
        async with Client(f"http://127.0.0.1:{server.port}", "token", settings=settings) as client:
            task = asyncio.create_task(by_call(client, {"much": "x" * 20_000_000}))
            assert await asyncio.to_thread(asked.wait, 30)
            if how == "cancelled":
                task.cancel()
            with pytest.raises((AignosticsError, asyncio.CancelledError)) as caught:
                await task
    assert [text for _, text in all_shown(caught.value) if "PLANTED" in text] == []


async def test_a_request_that_cant_be_built_shows_no_signed_url(emulator: Emulator) -> None:
    body: Any = RunCreationRequest(application_version_id=VERSION, items=[URL])  # type: ignore[list-item]
    async with emulator.client() as client:
        with pytest.raises(UsageError, match="can't be built") as caught:
            await client.call(create_run, body=body)
    assert leaks(caught.value) == []


async def test_what_is_no_json_shows_no_signed_url(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match="can't be written as JSON") as caught:
            await by_call(client, {"width": float("nan")})
    assert leaks(caught.value) == []


# Transfers


def refuse(peer: Peer) -> None:
    peer.read_request()
    peer.answer(b"<Code>AccessDenied</Code>", status=403)


def hang_up(peer: Peer) -> None:
    peer.read_request()


def give_other_bytes(peer: Peer) -> None:
    peer.read_request()
    peer.answer(b"other bytes", headers="x-goog-hash: crc32c=AAAAAA==\r\n")


def stall(peer: Peer) -> None:
    peer.read_request()
    peer.stall()


async def download(client: Client, server: RawServer, folder: Path) -> None:
    engine = transfer_engine(client)
    await fetch_file(engine, server.ask_url, folder / "file", name="file", expected="AAAAAA==")


async def download_to_a_folder(client: Client, server: RawServer, folder: Path) -> None:
    (folder / "file").mkdir()
    await fetch_file(transfer_engine(client), server.ask_url, folder / "file", name="file", expected=None)


async def presigned(client: Client, server: RawServer, folder: Path) -> None:
    async def sign(_key: str) -> tuple[str, dict[str, str]]:
        return server.url, {"Authorization": "Bearer PLANTED"}

    (folder / "source").write_bytes(b"bytes")
    store = client.store(Presigned(put_url=sign, get_url=sign, head_url=sign, verify="read-back"))
    await put_once(store, "key", folder / "source")
    await store.put("key", folder / "source")


async def s3(client: Client, server: RawServer, folder: Path) -> None:
    (folder / "source").write_bytes(b"bytes")
    key = AwsKey("name", "secret", "us-east-1", token="PLANTED")
    store = client.store(S3(bucket="b", endpoint=f"http://127.0.0.1:{server.port}", key=key))
    await store.stat("key")
    await store.put("key", folder / "source")


@pytest.mark.parametrize("transfer", [download, download_to_a_folder, presigned, s3])
@pytest.mark.parametrize("trouble", [refuse, hang_up, give_other_bytes, stall])
async def test_a_transfer_that_fails_shows_no_signed_url(
    tmp_path: Path, transfer: Transfer, trouble: Callable[[Peer], None]
) -> None:
    settings = evolve(IMPATIENT, timeouts=Timeouts(read=0.3, write=0.3))
    with raw_server(trouble) as server:
        async with Client("http://127.0.0.1:1", "token", settings=settings) as client:
            with pytest.raises(AignosticsError) as caught:
                await transfer(client, server, tmp_path)
    assert leaks(caught.value) == []


@pytest.mark.parametrize("transfer", [download, presigned, s3])
async def test_a_transfer_that_is_cancelled_shows_no_signed_url(tmp_path: Path, transfer: Transfer) -> None:
    asked = threading.Event()

    def serve(peer: Peer) -> None:
        peer.read_request()
        asked.set()
        peer.stall()

    with raw_server(serve) as server:
        async with Client("http://127.0.0.1:1", "token", settings=IMPATIENT) as client:
            task = asyncio.create_task(transfer(client, server, tmp_path))
            await asyncio.to_thread(asked.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
    assert leaks(caught.value) == []
