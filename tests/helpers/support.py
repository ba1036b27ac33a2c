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

NOT_THERE: dict[str, Any] = {"status": 404, "body": {"detail": "it is not there"}}
"""The API's own answer for what there is not; a gateway without a route answers with other bodies."""
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


# Answers that fit both contracts: each has the fields of either, and neither minds those of the other.

_ITEM_ENDS = {
    "SUCCEEDED": "SUCCEEDED",
    "ERROR_USER": "USER_ERROR",
    "ERROR_SYSTEM": "SYSTEM_ERROR",
    "CANCELED_USER": "SKIPPED",
    "CANCELED_SYSTEM": "SKIPPED",
}
_RUN_ENDS = {
    "COMPLETED": "ALL_ITEMS_PROCESSED",
    "COMPLETED_WITH_ERROR": "ALL_ITEMS_PROCESSED",
    "CANCELED_USER": "CANCELED_BY_USER",
    "CANCELED_SYSTEM": "CANCELED_BY_SYSTEM",
}


def artifact(name: str, url: str | None, body: bytes | None = None, **metadata: Any) -> dict[str, Any]:
    """Return an output artifact as the API gives it, with the checksum of `body` if there is one."""
    if body is not None:
        metadata.setdefault("checksum_base64_crc32c", checksum_bytes(body).wire)
    return {
        "name": name,
        "output_artifact_id": str(uuid.uuid4()),
        "metadata": metadata,
        "download_url": url,
        **_state("SUCCEEDED", _ITEM_ENDS, "AVAILABLE"),
    }


def result(
    reference: str, *artifacts: dict[str, Any], status: str = "SUCCEEDED", error: str | None = None
) -> dict[str, Any]:
    """Return an item result as the API gives it."""
    return {
        "application_run_id": str(uuid.UUID(int=1)),
        "error": error,
        "error_message": error,
        "item_id": str(uuid.uuid4()),
        "input_artifacts": [],
        "output_artifacts": list(artifacts),
        "reference": reference,
        "external_id": reference,
        "custom_metadata": None,
        "status": status,
        **_state(status, _ITEM_ENDS, "FULL" if artifacts else "NONE"),
    }


def details(status: str = "COMPLETED") -> dict[str, Any]:
    """Return a run as the API gives it; by its counts, two items are in the state of the run."""
    return {
        "application_run_id": str(uuid.UUID(int=1)),
        "run_id": str(uuid.UUID(int=1)),
        "application_version_id": "he-tme:v1.0.0",
        "application_id": "he-tme",
        "version_number": "1.0.0",
        "organization_id": "org",
        "status": status,
        **_state(status, _RUN_ENDS, "FULL" if status == "COMPLETED" else "NONE"),
        "error_code": None,
        "error_message": None,
        "statistics": _statistics(status),
        "custom_metadata": None,
        "triggered_at": "2026-01-01T00:00:00Z",
        "submitted_at": "2026-01-01T00:00:00Z",
        "triggered_by": "me",
        "submitted_by": "me",
    }


def _state(status: str, ends: dict[str, str], output: str) -> dict[str, Any]:
    """Return how contract 1.8 tells a status of 1.0."""
    state = {"RECEIVED": "PENDING", "RUNNING": "PROCESSING"}.get(status, status)
    reason = ends.get(status)
    return {"state": "TERMINATED" if reason else state, "termination_reason": reason, "output": output}


def _statistics(status: str) -> dict[str, int]:
    counts = ("pending", "processing", "user_error", "system_error", "skipped", "succeeded")
    of = {"RECEIVED": "pending", "RUNNING": "processing", "COMPLETED": "succeeded"}
    of |= {"COMPLETED_WITH_ERROR": "user_error"}
    theirs = of.get(status, "skipped")
    return {"item_count": 2, **{f"item_{each}_count": 2 * (each == theirs) for each in counts}}


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
    emulator.set_faults(*rules_of(*results, status=status))
    return str(uuid.UUID(int=1))


def rules_of(*results: dict[str, Any], status: str = "COMPLETED") -> list[dict[str, Any]]:
    """Return the rules by which the emulator answers for a run."""
    return [
        {"operation": "get_run", "status": 200, "body": details(status)},
        {"operation": "list_results", "status": 200, "body": list(results)},
        *(redirect(each) for item in results for each in _outputs(item) if each.get("download_url")),
    ]


def _outputs(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the artifacts of a result that may be broken."""
    return [each for each in item.get("output_artifacts") or () if isinstance(each, dict)]


def redirect(output: dict[str, Any]) -> dict[str, Any]:
    """Return the rule by which contract 1.8 gives an artifact's URL again."""
    place = f".*/artifacts/{output['output_artifact_id']}/file"
    headers = {"location": output["download_url"]}
    return {"operation": "get_artifact_file", "path": place, "status": 307, "headers": headers}


def count(emulator: Emulator, **request: object) -> int:
    """Return how often the emulator was asked this, such as `operation="create_run"`."""
    return sum(request.items() <= asked.items() for asked in emulator.requests())


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
