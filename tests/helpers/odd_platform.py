"""A platform whose clocks, commits, listings and answers are what a test says: a real server on a socket.

It tells the time by the clock of the job that it serves, so that hours cost a test no time.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
from attrs import define, field, frozen

from aignostics_async import Client, Settings, StaticToken
from aignostics_async._core._clock import Clock
from aignostics_async.emulator.process import IMPATIENT
from aignostics_async.models import ApplicationVersion, InputArtifactSpec

EPOCH = 1_800_000_000.0
VERSION = ApplicationVersion(
    application_version_id="he-tme:v1.0.0",
    application_id="he-tme",
    version="1.0.0",
    changelog="",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    input_artifacts=(InputArtifactSpec("slide", "image/tiff", {}),),
    output_artifacts=(),
)


@define
class SimulatedClock(Clock):
    """A clock that moves only when somebody sleeps, or a test says so."""

    now: float = 0.0

    def uptime(self) -> float:
        return self.now

    monotonic = uptime

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.now += seconds


@frozen
class Reply:
    """What POST /v1/runs answers: the bytes of the whole answer, or nothing, and then the connection ends."""

    content: bytes = b""

    @classmethod
    def of(cls, status: int, body: str | bytes = b"", *headers: str) -> Reply:
        data = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(data)}", *headers]
        return cls("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


@frozen
class StoredRun:
    """A run, and when it is committed."""

    run_id: str
    references: Sequence[str]
    committed_at: float


@define
class OddPlatform:
    """What it does; the times are those of `clock`."""

    clock: SimulatedClock
    random: Random = field(factory=Random)
    origin: str = ""
    date: Callable[[float], float | str | None] = lambda now: now
    """The Date of an answer: seconds, a text that is none, or nothing."""
    lag: Callable[[], float] = lambda: 0.0
    """How old the replica is that answers."""
    triggered: Callable[[float], str] = lambda at: datetime.fromtimestamp(EPOCH + at, UTC).isoformat()
    order: Callable[[list[StoredRun]], list[StoredRun]] = lambda runs: runs
    """From newest first to the order of the listing."""
    page_size: int | None = None
    """The entries of a page, whatever is asked for."""
    page: int | None = None
    """The number of the page, whatever is asked for."""
    late: Callable[[], float] = lambda: 0.0
    """How much later than its request a run is committed."""
    on_post: Callable[[int, str], Reply | None] = lambda _number, _run_id: None
    """What a request for a run is answered, by its number from 0 and the id of its run; by default its id."""
    creates: Callable[[int], bool] = lambda _number: True
    runs: list[StoredRun] = field(factory=list)
    posts: int = 0
    serving: set[asyncio.Task[None]] = field(factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.serving.add(task)
        with suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split("\r\n", 1)[0].split(" ")
                length = re.search(r"(?i)\ncontent-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                reply = self.post(json.loads(body)) if method == "POST" else self.get(target)
                writer.write(reply.content)
                await writer.drain()
                if method == "POST":
                    break

    def post(self, body: dict[str, Any]) -> Reply:
        number, self.posts = self.posts, self.posts + 1
        run_id = str(uuid.UUID(int=1000 + number))
        if self.creates(number):
            references = [item["reference"] for item in body["items"]]
            self.runs.append(StoredRun(run_id, references, self.clock.now + self.late()))
        reply = self.on_post(number, run_id)
        return created(run_id) if reply is None else reply

    def get(self, target: str) -> Reply:
        parts = urlsplit(target)
        then = self.clock.now - self.lag()
        listed = sorted(self.runs, key=lambda run: run.committed_at, reverse=True)
        shown = [run for run in listed if run.committed_at <= then]
        if parts.path.endswith("/results"):
            run_id = parts.path.split("/")[-2]
            found: list[dict[str, Any]] = [
                {
                    "item_id": str(uuid.uuid5(uuid.NAMESPACE_URL, run_id + reference)),
                    "application_run_id": run_id,
                    "reference": reference,
                    "status": "PENDING",
                    "error": None,
                    "output_artifacts": [],
                }
                for run in shown
                if run.run_id == run_id
                for reference in run.references
            ]
            if run_id not in {run.run_id for run in shown}:
                return self._answer(404, {"detail": "no such run"})
        else:
            found = [
                {
                    "application_run_id": run.run_id,
                    "application_version_id": VERSION.application_version_id,
                    "organization_id": "org",
                    "user_payload": None,
                    "status": "RUNNING",
                    "triggered_at": self.triggered(run.committed_at),
                    "triggered_by": "me",
                }
                for run in self.order(shown)
            ]
        query = parse_qs(parts.query)
        page = self.page or int(query["page"][0])
        size = self.page_size or int(query["page_size"][0])
        return self._answer(200, found[(page - 1) * size : page * size])

    def _answer(self, status: int, body: object) -> Reply:
        date = self.date(self.clock.now)
        if isinstance(date, float):
            date = format_datetime(datetime.fromtimestamp(EPOCH + date, UTC), usegmt=True)
        headers = ["Content-Type: application/json", *([f"Date: {date}"] if date else [])]
        return Reply.of(status, json.dumps(body), *headers)

    def client(self, settings: Settings = IMPATIENT) -> Client:
        return Client(self.origin, StaticToken("token-of-the-odd-platform"), settings=settings)

    def committed(self, *references: str) -> int:
        """Return how many runs of some references there are, those that are still to come too."""
        return sum(set(run.references) == set(references) for run in self.runs)


def created(run_id: str) -> Reply:
    """Return the answer that names a run."""
    return Reply.of(201, json.dumps({"application_run_id": run_id}), "Content-Type: application/json")


@asynccontextmanager
async def odd_platform(**behaviour: Any) -> AsyncIterator[OddPlatform]:
    """Serve a platform on a free port."""
    platform = OddPlatform(SimulatedClock(), **behaviour)
    server = await asyncio.start_server(platform.serve, "127.0.0.1", 0)
    platform.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield platform
    finally:
        server.close()
        for task in platform.serving:
            task.cancel()
        await asyncio.gather(*platform.serving, return_exceptions=True)
