"""Helpers of the tests: a storage that answers as it is told, runs that exist only as answers, a request."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from attrs import define, field
from leak_detector import DETECTOR, TOKENS

from aignostics_async import IdentityProvider, RefreshToken, checksum_bytes
from aignostics_async.emulator.process import Emulator

METADATA = {
    "checksum_base64_crc32c": "4waSgw==",
    "width": 10,
    "height": 10,
    "width_mpp": 0.5,
    "height_mpp": 0.5,
}


@define
class Answer:
    """What a storage answers: `cut` closes the connection after that number of bytes of the body."""

    body: bytes = field(default=b"", repr=False)
    status: int = 200
    headers: dict[str, str] = field(factory=dict)
    cut: int | None = None


@define
class Storage:
    """A real server on a loopback socket; answers by path, the last one again and again."""

    origin: str
    answers: dict[str, list[Answer]] = field(factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(factory=list)
    bodies: list[bytes] = field(factory=list, repr=False)
    serving: set[asyncio.Task[None]] = field(factory=set)

    def url(self, path: str, *answers: Answer, query: str = "signature=PLANTED") -> str:
        """Return a signed URL for a path and remember what it answers."""
        self.answers[path] = list(answers)
        return f"{self.origin}{path}?{query}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.serving.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *lines = head.splitlines()
            method, target, _ = request.split(" ")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
            self.requests.append((method, target, headers))
            self.bodies.append(await reader.readexactly(int(headers.get("content-length", 0))))
            DETECTOR.search("a request to a storage", f"{head}{self.bodies[-1][:10_000]!r}", TOKENS)
            answers = self.answers[target.partition("?")[0]]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            told = {"Content-Length": str(len(answer.body)), "Connection": "close", **answer.headers}
            fields = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            writer.write(f"HTTP/1.1 {answer.status} Told\r\n{fields}\r\n".encode("latin-1"))
            writer.write(answer.body[: answer.cut])
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def storage() -> AsyncIterator[Storage]:
    """Give a storage on a free port."""
    place = Storage("")
    server = await asyncio.start_server(place.handle, "127.0.0.1", 0)
    async with server:
        place.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield place
        # A loop that closes under an open connection would complain.
        if place.serving:
            await asyncio.wait(place.serving, timeout=10)


def artifact(name: str, url: str | None, body: bytes | None = None, **metadata: Any) -> dict[str, Any]:
    """Return an output artifact as the API gives it, with the checksum of `body` if there is one."""
    if body is not None:
        metadata.setdefault("checksum_base64_crc32c", checksum_bytes(body).wire)
    return {
        "name": name,
        "output_artifact_id": str(uuid.uuid4()),
        "metadata": metadata,
        "download_url": url,
    }


def result(reference: str, *artifacts: dict[str, Any], status: str = "SUCCEEDED") -> dict[str, Any]:
    """Return an item result as the API gives it."""
    return {
        "application_run_id": str(uuid.UUID(int=1)),
        "error": None,
        "item_id": str(uuid.uuid4()),
        "output_artifacts": list(artifacts),
        "reference": reference,
        "status": status,
    }


def details(status: str = "COMPLETED") -> dict[str, Any]:
    """Return a run as the API gives it."""
    return {
        "application_run_id": str(uuid.UUID(int=1)),
        "application_version_id": "he-tme:v1.0.0",
        "organization_id": "org",
        "status": status,
        "triggered_at": "2026-01-01T00:00:00Z",
        "triggered_by": "me",
    }


def run_body(*references: str, **metadata: Any) -> dict[str, Any]:
    """Return a request for a run whose inputs are not there, so that each item ends with an error."""
    return {
        "application_version_id": "he-tme:v1.0.0",
        "items": [
            {
                "reference": reference,
                "input_artifacts": [
                    {
                        "name": "slide",
                        "download_url": "http://127.0.0.1:9/slide.tiff",
                        "metadata": {**METADATA, **metadata},
                    }
                ],
            }
            for reference in references or ("case-no-1",)
        ],
    }


def pretend(emulator: Emulator, *results: dict[str, Any], status: str = "COMPLETED") -> str:
    """Let the emulator answer for a run that does not exist, and return its id."""
    run_id = str(uuid.UUID(int=1))
    path = f"/api/v1/runs/{run_id}"
    emulator.set_faults(
        {"method": "GET", "path": path, "status": 200, "body": details(status)},
        {"method": "GET", "path": f"{path}/results", "status": 200, "body": list(results)},
    )
    return run_id


def count(emulator: Emulator, method: str, path: str) -> int:
    """Return how often the emulator was asked this."""
    return sum(asked["method"] == method and asked["path"] == path for asked in emulator.requests())


def signed_in(emulator: Emulator, refresh_token: str | None = None) -> RefreshToken:
    """Return a source for a refresh token, by default of a new login."""
    provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
    return RefreshToken(refresh_token or emulator.sign_in(), provider=provider)


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
