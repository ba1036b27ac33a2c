"""Error trackers collect the variables of a traceback's frames: no signed URL and no token may be in them."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aignostics_api
import pytest
from aignostics_api.api.public import create_run
from aignostics_api.models import InputArtifactCreationRequest, ItemCreationRequest, RunCreationRequest
from support import METADATA

import aignostics_async
from aignostics_async import AignosticsError, Client, InputArtifact, Item, UsageError
from aignostics_async.emulator.process import Emulator

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


@WAYS
@pytest.mark.parametrize("status", [307, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503])
async def test_a_refused_run_shows_no_signed_url(emulator: Emulator, create: Create, status: int) -> None:
    emulator.set_faults({"method": "POST", "path": RUNS, "status": status})
    async with emulator.client() as client:
        with pytest.raises(AignosticsError) as caught:
            await create(client, METADATA)
    assert leaks(caught.value) == []


@WAYS
async def test_a_lost_answer_shows_no_signed_url(emulator: Emulator, create: Create) -> None:
    emulator.set_faults({"method": "POST", "path": RUNS, "drop": "after"})
    async with emulator.client() as client:
        with pytest.raises(AignosticsError) as caught:
            await create(client, METADATA)
    assert leaks(caught.value) == []


@WAYS
async def test_a_deadline_shows_no_signed_url(emulator: Emulator, create: Create) -> None:
    emulator.set_faults({"method": "POST", "path": RUNS, "delay_s": 60})
    async with emulator.client() as client:
        await client.applications.list().to_list()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(None) as deadline:
                asking = asyncio.current_task()
                assert asking is not None
                asyncio.get_running_loop().call_later(0.5, deadline.reschedule, 0)
                await create(client, METADATA)
    assert leaks(caught.value) == []


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
