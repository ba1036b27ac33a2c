"""The judge of the emulator's answers: what does not fit the contract is told, and nothing else is."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from starlette.responses import JSONResponse, PlainTextResponse, Response
from support import artifact, details, result, run_body

from aignostics_async.emulator.api._conformance import Conformance
from aignostics_async.emulator.process import Emulator

RUN = "/api/v1/runs/6f0ddf64-6a2b-4dd6-9b3c-1d9c9d3c2f10"
ARTIFACT = artifact("a", "https://host.example.com/a?b=%20")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file for violations."""
    return tmp_path / "violations.jsonl"


async def violations(
    file: Path, method: str, path: str, answer: Response, contract: str = "1.0"
) -> list[dict[str, Any]]:
    """Return what the judge tells of one answer to one request."""
    transport = httpx.ASGITransport(Conformance(answer, contract, file))
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        got = await client.request(method, path)
    assert (got.status_code, got.content) == (answer.status_code, answer.body), "it changes no answer"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", RUN, JSONResponse(details())),
        ("GET", RUN, JSONResponse({**details(), "triggered_at": "2026-01-01T00:00:00.25+01:00"})),
        (
            "GET",
            f"{RUN}/results",
            JSONResponse([result("case", ARTIFACT), result("case", artifact("b", None))]),
        ),
        ("GET", RUN, JSONResponse({"detail": "the contract gives a 404 no form"}, 404)),
        ("GET", RUN, JSONResponse({"detail": []}, 422)),
        ("GET", RUN, JSONResponse({"detail": "Not authenticated"}, 401)),
        ("POST", f"{RUN}/cancel", JSONResponse(None, 202)),
        ("DELETE", f"{RUN}/results", Response(status_code=204)),
        ("PATCH", RUN, JSONResponse({"detail": "Method Not Allowed"}, 405)),
        ("GET", "/api/v1/nothing", JSONResponse({"detail": "Not Found"}, 404)),
        ("GET", "/storage/objects/a", PlainTextResponse("no concern of the contract", 418)),
    ],
)
async def test_what_fits_is_not_told(file: Path, method: str, path: str, answer: Response) -> None:
    assert await violations(file, method, path, answer) == []


@pytest.mark.parametrize(
    ("method", "path", "answer", "place"),
    [
        ("GET", RUN, JSONResponse({**details(), "status": "GONE"}), "$.status"),
        ("GET", RUN, JSONResponse({**details(), "application_run_id": "run-1"}), "$.application_run_id"),
        ("GET", RUN, JSONResponse({**details(), "application_run_id": "0" * 32}), "$.application_run_id"),
        ("GET", RUN, JSONResponse({**details(), "triggered_at": "2026-01-01"}), "$.triggered_at"),
        ("GET", RUN, JSONResponse({**details(), "triggered_at": "2026-01-01T00:00:00"}), "$.triggered_at"),
        ("GET", RUN, JSONResponse({**details(), "triggered_at": "2026-13-01T00:00:00Z"}), "$.triggered_at"),
        ("GET", RUN, JSONResponse({"detail": "one text"}, 422), "$.detail"),
        ("GET", RUN, PlainTextResponse(json.dumps(details())), "$"),
        ("GET", RUN, Response("{", media_type="application/json"), "$"),
        ("GET", RUN, Response(media_type="application/json"), "$"),
        ("GET", RUN, PlainTextResponse("Internal Server Error", 500), "$"),
        ("GET", RUN, JSONResponse({"detail": "I'm a teapot"}, 418), "$"),
        (
            "GET",
            f"{RUN}/results",
            JSONResponse([result("fits", ARTIFACT), result("case", ARTIFACT, artifact("b", "no address"))]),
            "$[1].output_artifacts[1].download_url",
        ),
        ("POST", f"{RUN}/cancel", JSONResponse(None, 200), "$"),
        ("DELETE", f"{RUN}/results", Response("null", 204), "$"),
        ("PATCH", RUN, JSONResponse(details()), "$"),
        ("GET", "/api/v1/applications", JSONResponse({"detail": "not documented here"}, 404), "$"),
        ("GET", "/api/v1/runs/", Response(status_code=307, headers={"location": "/api/v1/runs"}), "$"),
    ],
)
async def test_what_does_not_fit_is_told(
    file: Path, method: str, path: str, answer: Response, place: str
) -> None:
    (violation,) = await violations(file, method, path, answer)
    assert violation["status"] == answer.status_code
    assert violation["path"] == place


ARTIFACT_FILE = f"{RUN}/artifacts/{RUN.rpartition('/')[2]}/file"


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/api/v1/applications?page-size=5", JSONResponse([])),
        ("GET", "/api/v1/runs", PlainTextResponse("Jwt is missing", 401)),
        ("GET", ARTIFACT_FILE, Response(status_code=307, headers={"location": "https://host.example.com/a"})),
        ("GET", ARTIFACT_FILE, Response(b"bytes", media_type="image/tiff")),
        ("GET", ARTIFACT_FILE, JSONResponse({"detail": "deleted"}, 410)),
        ("POST", "/api/v1/runs", JSONResponse({"detail": "quota"}, 402)),
        ("DELETE", f"{RUN}/artifacts", JSONResponse(None)),
        ("GET", "/api/v1/openapi.json", JSONResponse({"openapi": "3.1.0"})),
    ],
)
async def test_what_fits_the_later_contract_is_not_told(
    file: Path, method: str, path: str, answer: Response
) -> None:
    assert await violations(file, method, path, answer, "1.8") == []


@pytest.mark.parametrize(
    ("method", "path", "answer", "place"),
    [
        ("GET", RUN, JSONResponse({"run_id": details()["run_id"]}), "$"),
        ("GET", f"{RUN}/results", JSONResponse([]), "$"),
        ("GET", "/api/v1/runs", JSONResponse([{"run_id": "none"}]), "$[0]"),
        ("GET", "/api/v1/runs", JSONResponse({"detail": "conflict"}, 409), "$"),
        ("DELETE", f"{RUN}/artifacts", Response(status_code=204), "$"),
        ("POST", f"{RUN}/cancel", Response("{", 202, media_type="application/json"), "$"),
    ],
)
async def test_what_does_not_fit_the_later_contract_is_told(
    file: Path, method: str, path: str, answer: Response, place: str
) -> None:
    found = await violations(file, method, path, answer, "1.8")
    assert {violation["contract"] for violation in found} == {"1.8"}
    assert place in {violation["path"] for violation in found}


async def test_the_operation_is_named_as_the_contract_does(file: Path) -> None:
    (violation,) = await violations(file, "GET", f"{RUN}/results", JSONResponse({}))
    assert violation == {
        "contract": "1.0",
        "operation": "GET /v1/runs/{application_run_id}/results",
        "status": 200,
        "path": "$",
        "message": '{} is not of type "array"',
    }


@pytest.mark.emulator
def test_a_request_that_was_hung_up_on_is_no_violation(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGNOSTICS_EMULATOR_VIOLATIONS", str(file))
    with Emulator(tmp_path / "data") as emulator:
        parts = urlsplit(emulator.api_root)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as caller:
            fields = f"Host: {parts.netloc}\r\nAuthorization: Bearer {emulator.access_token}\r\n"
            head = f"POST /api/v1/runs HTTP/1.1\r\n{fields}Content-Length: 100\r\n\r\n"
            caller.sendall(head.encode() + b"{")
        requests.get(emulator.api_root, timeout=30)  # whose connection is taken after the other one's end
    assert not file.exists()


@pytest.mark.emulator
def test_a_running_emulator_records_its_violations(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Falsify a stored run, because the emulator has no known violation of its own."""
    monkeypatch.setenv("AIGNOSTICS_EMULATOR_VIOLATIONS", str(file))
    data = tmp_path / "data"

    def ask(emulator: Emulator, method: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {emulator.access_token}"}
        url = f"{emulator.api_root}/api/v1/runs"
        return requests.request(method, url, headers=headers, timeout=30, **options)

    with Emulator(data) as emulator:
        assert ask(emulator, "POST", json=run_body()).status_code == 201
        assert ask(emulator, "GET").status_code == 200
        # What a fault injects is no word of the emulator's own.
        emulator.set_faults({"path": "/api/v1/runs", "status": 200, "body": {"no": "list"}})
        assert ask(emulator, "GET").json() == {"no": "list"}
    assert not file.exists()
    with closing(sqlite3.connect(data / "emulator.sqlite3")) as database, database:
        database.execute("UPDATE runs SET submitted_at = 'yesterday'")
    with Emulator(data) as emulator:
        assert ask(emulator, "GET").status_code == 200
        (violation,) = map(json.loads, file.read_text().splitlines())
    assert (violation["operation"], violation["status"]) == ("GET /v1/runs", 200)
    assert violation["path"] == "$[0].triggered_at"
