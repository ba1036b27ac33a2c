"""Tests of the service against an emulator of the platform: `pytest examples/service`.

Needs pytest-asyncio and httpx. `pytest.ini` loads `aignostics_async.testing`, which has the fixtures
`aignostics_*`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from attrs import frozen
from fastapi import FastAPI
from feed import Event
from service import create_app

from aignostics_async import Settings
from aignostics_async.testing import Emulator

pytestmark = pytest.mark.asyncio

RUNNING = {"items": ["a"], "steps": [(0, None, "RUNNING"), (0, "a", "SUCCEEDED")]}
"""A run without slides, of which the one item has succeeded."""


@frozen
class Running:
    """A running service, and a client of it."""

    app: FastAPI
    http: httpx.AsyncClient
    has_failed: asyncio.Event

    async def submit(self, *names: str) -> str:
        """Submit slides and return the id of the submission."""
        answer = await self.http.post("/submissions", json={"names": names})
        assert answer.status_code == 202
        ident: str = answer.json()["submission"]
        return ident

    async def wait_for(self, **wanted: Any) -> Event:
        """Return the first event of the feed with these values."""
        async with asyncio.timeout(60):
            async for message in self.app.state.feed.stream(0):
                data = message.partition("data: ")[2]
                event: Event = json.loads(data) if data else {}
                if wanted.items() <= event.items():
                    return event
        raise AssertionError(f"the feed ended without {wanted}")


Start = Callable[[], AbstractAsyncContextManager[Running]]


@pytest.fixture
def slides(aignostics_slide: Path, tmp_path: Path) -> Path:
    """Give a folder with a readable and an unreadable slide."""
    folder = tmp_path / "slides"
    folder.mkdir()
    shutil.copy(aignostics_slide, folder / "good.tiff")
    (folder / "broken.tiff").write_bytes(b"no slide")
    return folder


@pytest.fixture
def start(
    aignostics_emulator: Emulator, aignostics_environment: dict[str, str], slides: Path, tmp_path: Path
) -> Start:
    """Give what starts the service on the test's data."""

    @asynccontextmanager
    async def started() -> AsyncIterator[Running]:
        has_failed = asyncio.Event()
        app = create_app(
            slides,
            store=aignostics_emulator.store_url,
            data=tmp_path / "data",
            settings=Settings(poll_interval=0.05),
            version="he-tme:v1.1.0",
            on_failure=has_failed.set,
        )
        assert aignostics_environment  # the service reads it
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://service") as http,
        ):
            yield Running(app, http, has_failed)

    return started


@pytest_asyncio.fixture
async def service(start: Start) -> AsyncIterator[Running]:
    """Give a running service."""
    async with start() as running:
        yield running


async def test_slides_that_can_t_be_read_say_why(service: Running, tmp_path: Path) -> None:
    listed = (await service.http.get("/slides")).json()
    problems = {each["name"]: each["problem"] for each in listed}
    assert problems["good.tiff"] == ""
    assert problems["broken.tiff"]
    assert str(tmp_path) not in problems["broken.tiff"]


async def test_a_submission_becomes_a_run_with_pictures(service: Running) -> None:
    ident = await service.submit("good.tiff")
    created = await service.wait_for(group=ident, status="CREATED")
    await service.wait_for(kind="run", group=created["run_id"], status="COMPLETED")
    picture = await service.wait_for(kind="picture", group=created["run_id"], subject="good.tiff")
    shown = await service.http.get(picture["url"])
    assert shown.headers["content-type"] == "image/png"


async def test_a_submission_that_fails_says_why_without_paths(service: Running, tmp_path: Path) -> None:
    failed = await service.wait_for(group=await service.submit("broken.tiff"), status="FAILED")
    assert "broken.tiff" in failed["detail"]
    assert str(tmp_path) not in failed["detail"]
    refused = await service.http.post("/submissions", json={"names": ["../secret"]})
    assert refused.status_code == 422


async def test_a_used_up_quota_is_told(service: Running, aignostics_emulator: Emulator) -> None:
    aignostics_emulator.set_faults({"operation": "create_run", "answer": "quota_exceeded"})
    failed = await service.wait_for(group=await service.submit("good.tiff"), status="FAILED")
    assert "402" in failed["detail"]


async def test_an_ended_login_ends_the_service(service: Running, aignostics_emulator: Emulator) -> None:
    assert (await service.http.get("/health")).status_code == 200
    aignostics_emulator.set_faults({"path": "/api/.*", "answer": "jwt_expired"})
    async with asyncio.timeout(60):
        await service.has_failed.wait()
    health = await service.http.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "failing")
    assert "401" in health.json()["reason"]


async def test_an_outage_passes(service: Running, aignostics_emulator: Emulator) -> None:
    (run_id,) = aignostics_emulator.script(RUNNING)
    await service.wait_for(kind="item", group=run_id, status="SUCCEEDED")
    aignostics_emulator.set_faults({"path": "/api/.*", "status": 503, "times": 3})
    aignostics_emulator.move({"run": run_id, "status": "COMPLETED"})
    await service.wait_for(kind="run", group=run_id, status="COMPLETED")
    assert not service.has_failed.is_set()


async def test_a_restart_continues_where_it_was(start: Start, aignostics_emulator: Emulator) -> None:
    (run_id,) = aignostics_emulator.script(RUNNING)
    async with start() as running:
        before = await running.wait_for(kind="item", group=run_id, subject="a")
    async with start() as running:
        assert before in (await running.http.get("/state")).json()
        aignostics_emulator.move({"run": run_id, "status": "COMPLETED"})
        later = await running.wait_for(kind="run", group=run_id, status="COMPLETED")
    assert later["id"] > before["id"]
