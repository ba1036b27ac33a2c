"""The emulator against the contract, asked by a client that is not ours."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import pytest
import requests
from starlette.exceptions import HTTPException
from starlette.requests import Request
from support import run_body

from aignostics_async.emulator import EmulatorOptions, serve
from aignostics_async.emulator.api._undocumented import BY_ITSELF, UNDOCUMENTED, RefusalHandler
from aignostics_async.emulator.process import Emulator
from aignostics_async.errors import ConfigurationError

Ask = Callable[..., requests.Response]
NO_RUN = UUID(int=1)


@pytest.fixture
def ask(emulator: Emulator) -> Iterator[Ask]:
    """Give a way to ask the emulator, which compares each of its answers with the contract itself."""
    with requests.Session() as session:

        def send(method: str, path: str, **options: Any) -> requests.Response:
            headers = {"Accept": "application/json", "Authorization": f"Bearer {emulator.access_token}"}
            url = f"{emulator.api_root}/api{path}"
            return session.request(method, url, timeout=30, **{"headers": headers, **options})

        yield send


def final(ask: Ask, run_id: str) -> dict[str, Any]:
    for _ in range(600):
        run: dict[str, Any] = ask("GET", f"/v1/runs/{run_id}").json()
        if run["status"] not in ("RECEIVED", "SCHEDULED", "RUNNING"):
            return run
        time.sleep(0.05)  # polling is what a client of the contract can do
    pytest.fail("the run did not end")


def test_the_samples_of_the_reference(ask: Ask) -> None:
    """Send the eight requests of the API reference's own samples, with real ids and a valid body."""
    applications = ask("GET", "/v1/applications")
    assert applications.status_code == 200
    application_id = applications.json()[0]["application_id"]
    assert ask("GET", f"/v1/applications/{application_id}/versions").status_code == 200
    created = ask("POST", "/v1/runs", json=run_body())
    assert created.status_code == 201
    run_id = created.json()["application_run_id"]
    assert ask("GET", "/v1/runs").status_code == 200
    assert ask("GET", f"/v1/runs/{run_id}").status_code == 200
    assert ask("GET", f"/v1/runs/{run_id}/results").status_code == 200
    final(ask, run_id)
    assert ask("DELETE", f"/v1/runs/{run_id}/results").status_code == 204
    second = ask("POST", "/v1/runs", json=run_body(*(f"case-{number}" for number in range(300))))
    cancelled = ask("POST", f"/v1/runs/{second.json()['application_run_id']}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.json() is None


def test_two_applications_with_two_versions_each_whose_schemas_differ(ask: Ask) -> None:
    applications = ask("GET", "/v1/applications").json()
    assert len(applications) == 2
    schemas = set()
    for application in applications:
        versions = ask("GET", f"/v1/applications/{application['application_id']}/versions").json()
        assert len(versions) == 2
        for version in versions:
            (artifact,) = version["input_artifacts"]
            jsonschema.validators.validator_for(artifact["metadata_schema"]).check_schema(
                artifact["metadata_schema"]
            )
            schemas.add(json.dumps(artifact["metadata_schema"], sort_keys=True))
            assert len(version["output_artifacts"]) >= 3
    assert len(schemas) == 4


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("GET", "/v1/applications?page=0", ["query", "page"]),
        ("GET", "/v1/applications?page=x", ["query", "page"]),
        ("GET", "/v1/applications?page_size=4", ["query", "page_size"]),
        ("GET", "/v1/runs?page_size=101", ["query", "page_size"]),
        ("GET", "/v1/applications?sort=colour", ["query", "sort"]),
        ("GET", "/v1/applications/none/versions?sort=colour", ["query", "sort"]),
        ("GET", "/v1/runs?include=a&include=b", ["query", "include"]),
        ("GET", "/v1/runs/no-uuid", ["path", "application_run_id"]),
        ("POST", "/v1/runs/no-uuid/cancel", ["path", "application_run_id"]),
        ("DELETE", "/v1/runs/no-uuid/results", ["path", "application_run_id"]),
        ("GET", f"/v1/runs/{NO_RUN}/results?status__in=GONE", ["query", "status__in", 0]),
        ("GET", f"/v1/runs/{NO_RUN}/results?item_id__in=x", ["query", "item_id__in", 0]),
    ],
)
def test_wrong_parameters_are_told_in_the_contract_s_shape(
    ask: Ask, method: str, path: str, place: list[object]
) -> None:
    answer = ask(method, path)
    assert answer.status_code == 422
    assert place in [entry["loc"] for entry in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"no json", ["body"]),
        (b"[" * 100_000, ["body"]),
        (b'{"application_version_id": "\\ud800", "items": []}', ["body"]),
        (json.dumps({**run_body(), "note": float("nan")}).encode(), ["body"]),
        ({}, ["body"]),
        ({**run_body(), "items": 3}, ["body", "items"]),
        (
            {**run_body(), "items": [{"reference": 3, "input_artifacts": []}]},
            ["body", "items", 0, "reference"],
        ),
        (run_body("a", "a"), ["body", "items", 1, "reference"]),
        (run_body(width=0), ["body", "items", 0, "input_artifacts", 0, "metadata"]),
        (run_body(checksum_base64_crc32c="752f9554"), ["body", "items", 0, "input_artifacts", 0, "metadata"]),
    ],
)
def test_wrong_bodies_are_told_in_the_contract_s_shape(ask: Ask, body: Any, place: list[object]) -> None:
    answer = ask("POST", "/v1/runs", **({"data": body} if isinstance(body, bytes) else {"json": body}))
    assert answer.status_code == 422
    assert place in [entry["loc"] for entry in answer.json()["detail"]]


def test_what_is_not_there_is_404(ask: Ask) -> None:
    nobody = uuid4()
    for method, path in (
        ("GET", f"/v1/runs/{nobody}"),
        ("GET", f"/v1/runs/{nobody}/results"),
        ("DELETE", f"/v1/runs/{nobody}/results"),
        ("POST", f"/v1/runs/{nobody}/cancel"),
    ):
        assert ask(method, path).status_code == 404
    unknown = {**run_body(), "application_version_id": "he-tme:v9.9.9"}
    assert ask("POST", "/v1/runs", json=unknown).status_code == 404


def test_the_wrong_moment_is_409(ask: Ask) -> None:
    run_id = ask("POST", "/v1/runs", json=run_body(*map(str, range(400)))).json()["application_run_id"]
    assert ask("DELETE", f"/v1/runs/{run_id}/results").status_code == 409
    assert ask("POST", f"/v1/runs/{run_id}/cancel").status_code == 202
    assert ask("POST", f"/v1/runs/{run_id}/cancel").status_code == 409
    assert ask("GET", f"/v1/runs/{run_id}").json()["status"] == "CANCELED_USER"


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic eDp5", "Bearer ", "Basic {token}"])
def test_without_a_good_token_it_is_401(ask: Ask, emulator: Emulator, header: str | None) -> None:
    given = {} if header is None else {"Authorization": header.format(token=emulator.access_token)}
    answer = ask("GET", "/v1/applications", headers=given)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Not authenticated"}
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_no_operation_works_without_a_token(ask: Ask, root: Path) -> None:
    paths = json.loads((root / "openapi.json").read_text(encoding="utf-8"))["paths"]
    asked = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    for method, path in asked:
        answer = ask(method, re.sub(r"{\w+}", str(uuid4()), path), headers={})
        assert answer.status_code == 401, (method, path)


def test_what_is_not_served_yet_says_so(ask: Ask, root: Path) -> None:
    """A newer contract may have more; each such operation is told as skipped."""
    paths = json.loads((root / "openapi.json").read_text(encoding="utf-8"))["paths"]
    unserved = []
    for path, methods in paths.items():
        for method in methods:
            answer = ask(method, re.sub(r"{\w+}", str(uuid4()), path))
            if answer.status_code == 501:
                assert "does not serve" in answer.json()["detail"]
                unserved.append(f"{method.upper()} {path}")
    if unserved:
        pytest.skip(f"in the contract, and not served by the emulator yet: {', '.join(unserved)}")


@pytest.mark.parametrize("plus", ["%2B", "+", ""])
def test_sorting_takes_a_plus_encoded_or_not_or_none(ask: Ask, plus: str) -> None:
    names = [
        each["application_id"] for each in ask("GET", f"/v1/applications?sort={plus}application_id").json()
    ]
    assert names == ["he-tme", "test-app"]


def test_sorting_paging_and_filters(ask: Ask) -> None:
    listed = ask("GET", "/v1/applications?sort=-application_id").json()
    names = [each["application_id"] for each in listed]
    assert names == ["test-app", "he-tme"]
    body = run_body(*(f"{number:02d}" for number in range(12)))
    run_id = ask("POST", "/v1/runs", json=body).json()["application_run_id"]
    path = f"/v1/runs/{run_id}/results"

    def references(query: str) -> list[str]:
        return [each["reference"] for each in ask("GET", f"{path}?{query}").json()]

    assert references("page_size=5&page=2&sort=-reference") == ["06", "05", "04", "03", "02"]
    assert references("page_size=5&page=3") == ["10", "11"]
    assert references("page_size=5&page=4") == []
    assert references(f"page_size=60&page={2**60}") == []
    assert references("reference__in=03&reference__in=07&reference__in=none") == ["03", "07"]
    final(ask, run_id)
    assert references("status__in=SUCCEEDED") == []
    assert len(references("status__in=ERROR_USER&status__in=PENDING")) == 12
    item_id = ask("GET", f"{path}?reference__in=05").json()[0]["item_id"]
    assert references(f"item_id__in={item_id}") == ["05"]
    listed = ask("GET", "/v1/runs?application_version=he-tme:v1.0.0&sort=-triggered_at").json()
    assert run_id == listed[0]["application_run_id"]
    others = ask("GET", "/v1/runs?application_id=test-app").json()
    assert run_id not in [run["application_run_id"] for run in others]


def test_the_statuses_outside_the_contracts_are_closed_lists() -> None:
    always = {405, 421, 429, 500, 501, 502, 503, 504}
    assert set(UNDOCUMENTED["1.0"]) == {401, 402, 403, 409, 410, 412} | always
    assert set(UNDOCUMENTED["1.8"]) == {401, 403} | always
    for contract, reasons in UNDOCUMENTED.items():
        assert all(reason.endswith(".") for reason in reasons.values())
        injected = set(reasons) - BY_ITSELF[contract]
        assert all("injected fault" in reasons[status] for status in injected)


def test_the_documentation_lists_those_without_a_fault(root: Path) -> None:
    text = (root / "docs/contract.md").read_text(encoding="utf-8")
    section = text.split("## How the emulator is held to it")[1].split("\n## ")[0]
    rows = {int(row[1]): row[2] for row in re.finditer(r"^\| (\d{3}) \| (both|1\.\d)", section, re.MULTILINE)}
    assert set(rows) == BY_ITSELF["1.0"] | BY_ITSELF["1.8"]
    assert {status for status, where in rows.items() if where == "both"} | {401} == BY_ITSELF["1.8"]


@pytest.mark.parametrize(("contract", "status"), [("1.0", 418), ("1.0", 403), ("1.8", 418), ("1.8", 429)])
async def test_no_other_status_is_answered(contract: str, status: int) -> None:
    with pytest.raises(AssertionError, match=str(status)):
        await RefusalHandler(contract)(Request({"type": "http"}), HTTPException(status))


def test_the_documented_methods_and_paths_only(ask: Ask) -> None:
    for method in ("PATCH", "HEAD"):
        answer = ask(method, "/v1/runs")
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    for path in ("/v1/runs/", "/v1/versions/he-tme:v1.0.0"):
        assert ask("GET", path, allow_redirects=False).status_code == 404


@pytest.mark.process
async def test_a_data_folder_has_one_emulator_at_a_time(tmp_path: Path) -> None:
    """Two of them would share one state, and each would end the other's tokens."""
    with Emulator(tmp_path / "data") as first:
        with pytest.raises(ConfigurationError, match="an emulator is running on"):
            await serve(EmulatorOptions(data=tmp_path / "data"))
        async with first.client() as client:
            assert [run async for run in client.runs.list()] == []
        first.kill()
        first.start()
