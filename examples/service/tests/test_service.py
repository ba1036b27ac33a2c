"""Tests of the service against an emulator of the platform: `pytest examples/service`.

Needs pytest-asyncio and httpx. `pytest.ini` loads `aignostics_async.testing`, which has the fixtures
`aignostics_*`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from attrs import frozen
from fastapi import FastAPI
from service import create_app

from aignostics_async import Settings
from aignostics_async.services import Event
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

    async def submit(self, *names: str, **headers: str) -> str:
        """Submit slides and return the id of the submission."""
        answer = await self.http.post("/submissions", json={"names": names}, headers=headers)
        assert answer.status_code == 202
        ident: str = answer.json()["submission"]
        return ident

    async def wait_for(self, **wanted: Any) -> Event:
        """Return the first event of the feed with these values."""
        async with asyncio.timeout(60):
            async for message in self.app.state.feed.stream():
                data = message.partition("data: ")[2]
                event: Event = json.loads(data) if data else {}
                if wanted.items() <= event.items():
                    return event
        raise AssertionError(f"the feed ended without {wanted}")


Start = Callable[..., AbstractAsyncContextManager[Running]]


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
    async def started(user_header: str | None = None) -> AsyncIterator[Running]:
        has_failed = asyncio.Event()
        app = create_app(
            slides,
            store=aignostics_emulator.store_url,
            data=tmp_path / "data",
            settings=Settings(poll_interval=0.05),
            version="he-tme:v1.1.0",
            user_header=user_header,
            settle=0.2,
            on_failure=lambda _error: has_failed.set(),
        )
        assert aignostics_environment  # the service reads it
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
async def test_a_name_that_is_not_utf_8_is_shown_beside_the_others(service: Running, slides: Path) -> None:
    shutil.copy(slides / "good.tiff", slides / os.fsdecode(b"good.tiff\xff.tiff"))
    shown = {each["name"]: each["problem"] for each in (await service.http.get("/slides")).json()}
    assert shown["good.tiff"] == ""
    assert "rename it" in shown["good.tiff\\udcff.tiff"]


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
    aignostics_emulator.set_faults({"path": ".*/api/.*", "answer": "jwt_expired"})
    async with asyncio.timeout(60):
        await service.has_failed.wait()
    health = await service.http.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "failing")
    assert "401" in health.json()["reason"]


async def test_an_outage_passes(service: Running, aignostics_emulator: Emulator) -> None:
    (run_id,) = aignostics_emulator.script(RUNNING)
    await service.wait_for(kind="item", group=run_id, status="SUCCEEDED")
    aignostics_emulator.set_faults({"path": ".*/api/.*", "status": 503, "times": 3})
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


@pytest.mark.parametrize("path", ["/", "/state", "/slides", "/events", "/pictures/run/a.png"])
async def test_a_name_that_was_made_to_lead_here_shows_nothing(service: Running, path: str) -> None:
    answer = await service.http.get(path, headers={"Host": "evil.example:8000"})
    assert answer.status_code == 400


async def test_a_user_who_is_named_twice_is_nobody(start: Start) -> None:
    """One of the two names may be what a browser has sent, before that of the proxy."""
    async with start(user_header="X-Forwarded-User") as running:
        names = [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "ben")]
        assert (await running.http.get("/state", headers=names)).status_code == 401
        assert (await running.http.get("/state", headers=names[:1])).status_code == 200


async def test_a_proxy_may_name_another_host(start: Start) -> None:
    async with start(user_header="X-Forwarded-User") as running:
        headers = {
            "Host": "127.0.0.1:8000",
            "Origin": "https://slides.example",
            "Sec-Fetch-Site": "same-origin",
        }
        await running.submit("good.tiff", **headers, **{"X-Forwarded-User": "ada"})


async def test_each_user_sees_what_is_his(start: Start) -> None:
    async with start(user_header="X-Forwarded-User") as running:
        assert (await running.http.get("/state")).status_code == 401
        ident = await running.submit("good.tiff", **{"X-Forwarded-User": "ada"})
        created = await running.wait_for(group=ident, status="CREATED")
        await running.wait_for(kind="run", group=created["run_id"], status="COMPLETED")
        picture = await running.wait_for(kind="picture", group=created["run_id"])
        for user, is_his in (("ada", True), ("ben", False)):
            headers = {"X-Forwarded-User": user}
            state = (await running.http.get("/state", headers=headers)).json()
            assert {ident, created["run_id"]} <= {each["group"] for each in state} or not is_his
            assert is_his or {each["group"] for each in state} <= {""}
            shown = await running.http.get(picture["url"], headers=headers)
            assert shown.status_code == (200 if is_his else 404)
        bens = await running.submit("good.tiff", **{"X-Forwarded-User": "ben"})
        his = await running.wait_for(group=bens, status="CREATED")
        # Through a folder of his own, which may not lead out of it.
        path = picture["url"].removeprefix("/pictures/")
        request = running.http.build_request("GET", f"/pictures/{his['run_id']}/x", headers=headers)
        request.url = request.url.copy_with(raw_path=f"/pictures/{his['run_id']}/..%2f{path}".encode())
        assert (await running.http.send(request)).status_code == 404


@pytest.mark.parametrize("path", ["run/a%00.png", f"run/{'a' * 5000}.png"])
async def test_a_name_that_no_file_can_have_is_not_found(service: Running, path: str) -> None:
    assert (await service.http.get(f"/pictures/{path}")).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
    ],
)
async def test_a_page_of_another_site_submits_nothing(service: Running, headers: dict[str, str]) -> None:
    refused = await service.http.post("/submissions", json={"names": ["good.tiff"]}, headers=headers)
    assert refused.status_code == 403
    assert (await service.http.get("/ready")).status_code in (200, 503)


@pytest.mark.parametrize("was_created", [True, False], ids=["after the run", "before the run"])
async def test_a_submission_goes_on_after_a_kill(
    start: Start,
    aignostics_emulator: Emulator,
    tmp_path: Path,
    was_created: bool,  # noqa: FBT001
) -> None:
    """With one run, whenever it was killed: what is on disk is what a submission had when it began."""
    async with start() as running:
        aignostics_emulator.set_faults({"operation": "create_run", "delay_s": 60, "times": 1})
        ident = await running.submit("good.tiff")
        begun = (tmp_path / "data" / "submissions.json").read_bytes()
        if was_created:
            aignostics_emulator.set_faults()
            await running.wait_for(group=ident, status="CREATED")
    (tmp_path / "data" / "submissions.json").write_bytes(begun)
    (tmp_path / "data" / "feed.json").unlink()
    aignostics_emulator.set_faults()
    async with start() as running:
        created = await running.wait_for(group=ident, status="CREATED")
        await running.wait_for(kind="run", group=created["run_id"], status="COMPLETED")
    async with aignostics_emulator.client() as client:
        runs = await client.runs.list().to_list()
    assert [run.run_id for run in runs] == [created["run_id"]]
