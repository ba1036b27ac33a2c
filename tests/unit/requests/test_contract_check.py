"""What a deployment's own document says of what the façade reads and sends."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here
from pytest_httpx import HTTPXMock

from aignostics_async import ConfigurationError, ContractDrift, InvalidResponse, NotFound, check_contract
from aignostics_async.contracts._drift import compare
from aignostics_async.emulator.process import Emulator

ROOT = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def document(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "contracts/1.8/openapi.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def inventory(root: Path) -> dict[str, Any]:
    path = root / "src/aignostics_async/contracts/inventory.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def drifts(inventory: dict[str, Any], document: dict[str, Any], change: str, line: str = "1.8") -> list[str]:
    """Return what is told of a contract after a change, which is a statement about `paths` and `schemas`."""
    new = copy.deepcopy(document)
    known = {"paths": new["paths"], "schemas": new["components"]["schemas"]}

    def parameter(path: str, name: str) -> dict[str, Any]:
        given = new["paths"][path]["get"]["parameters"]
        found: dict[str, Any] = next(each for each in given if each["name"] == name)
        return found

    base = {"$ref": "#/components/schemas/Base"}
    places = {
        "RUNS": "/v1/runs",
        "ITEMS": "/v1/runs/{run_id}/items",
        "BASE": base["$ref"],
        "ANY_JSON": {"anyOf": [{"type": "string"}, {"type": "array", "items": base}]},
        "NEW": {"in": "query", "name": "new", "schema": base},
    }
    exec(change, {**known, **places, "parameter": parameter})
    return [str(each) for each in compare(inventory[line], new)]


def test_the_contracts_themselves_do_not_differ(
    root: Path, inventory: dict[str, Any], document: dict[str, Any]
) -> None:
    assert compare(inventory["1.8"], document) == []
    assert compare(inventory["1.0"], json.loads((root / "openapi.json").read_text(encoding="utf-8"))) == []


RUN = "GET /v1/runs/{run_id}"
ITEMS = "GET /v1/runs/{run_id}/items"
CREATE = "POST /v1/runs"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("del paths['/v1/runs/{run_id}']", f"breaking: {RUN}: it is gone"),
        (
            "del schemas['RunReadResponse']['properties']['state']",
            f"breaking: {RUN}: state is gone from answers",
        ),
        (
            "schemas['RunReadResponse']['properties']['submitted_by'] = {'type': 'integer'}",
            f"breaking: {RUN}: submitted_by in answers was string, and is integer",
        ),
        (
            "schemas['RunItemStatistics']['properties'].pop('item_count')",
            f"breaking: {RUN}: statistics.item_count is gone from answers",
        ),
        (
            "schemas['ItemCreationRequest'] |= {'required': ['owner'], 'properties': {'owner': {}}}",
            f"breaking: {CREATE}: items.owner is needed in requests",
        ),
        (
            "paths['/v1/runs']['get']['parameters'][0]['name'] = 'application'",
            "breaking: GET /v1/runs: the parameter application_id is gone",
        ),
        (
            "paths['/v1/runs']['post']['responses'] = {'202': {}}",
            f"breaking: {CREATE}: it succeeds with 202",
        ),
        (
            "schemas['RunReadResponse']['properties']['colour'] = {'type': 'string'}",
            f"additive: {RUN}: colour is new in answers",
        ),
        (
            "schemas['ItemTerminationReason']['enum'][0] = 'GOOD'",
            f"breaking: {ITEMS}: termination_reason in answers is never SUCCEEDED",
        ),
        ("schemas['RunState']['enum'].append('ASLEEP')", f"additive: {RUN}: state in answers may be ASLEEP"),
        (
            "body = paths['/v1/runs']['post']['requestBody']; body['content'] = {'text/csv': {}}",
            f"breaking: {CREATE}: requests were application/json, and are text/csv",
        ),
        (
            "del paths['/v1/runs/{run_id}/artifacts/{artifact_id}/file']['get']['responses']['307']",
            "breaking: GET /v1/runs/{run_id}/artifacts/{artifact_id}/file: it answers 307 no more",
        ),
        (
            "paths['/v1/runs']['post']['security'] = [{'Key': []}]",
            f"breaking: {CREATE}: an access token alone does not open it",
        ),
        (
            "p = paths['/v1/runs/{run_id}/custom-metadata']; p['patch'] = p.pop('put')",
            "breaking: PUT /v1/runs/{run_id}/custom-metadata: it is gone",
        ),
        (
            "paths['/v1/runs']['get']['parameters'][0]['required'] = True",
            "breaking: GET /v1/runs: it needs the parameter application_id",
        ),
        (
            "schemas['RunCreationRequest']['required'].append('scheduling')",
            f"breaking: {CREATE}: scheduling is needed in requests",
        ),
        (
            "parameter(RUNS, 'page_size')['schema']['maximum'] = 50",
            "breaking: GET /v1/runs: maximum of the parameter page_size was 100, and is 50",
        ),
        (
            "parameter(RUNS, 'custom_metadata')['schema']['anyOf'][0]['maxLength'] = 500",
            "breaking: GET /v1/runs: maxLength of the parameter custom_metadata was 1000, and is 500",
        ),
        (
            "parameter(ITEMS, 'item_id__in')['schema']['anyOf'][0]['maxItems'] = 50",
            f"breaking: {ITEMS}: maxItems of the parameter item_id__in was not set, and is 50",
        ),
        (
            "parameter(RUNS, 'external_id')['schema'] = {'type': 'integer'}",
            "breaking: GET /v1/runs: the parameter external_id was null or string, and is integer",
        ),
        (
            "schemas['ItemState']['enum'].remove('PENDING')",
            f"breaking: {ITEMS}: the parameter state is never PENDING",
        ),
        (
            "parameter(RUNS, 'application_version')['schema'] = {'type': 'string', 'enum': ['1.0.0']}",
            "breaking: GET /v1/runs: the parameter application_version is nothing but 1.0.0",
        ),
        (
            "schemas['ItemCreationRequest']['properties']['external_id']['maxLength'] = 64",
            f"breaking: {CREATE}: maxLength of items.external_id in requests was 255, and is 64",
        ),
        ("paths['/v1/news'] = {'get': {'responses': {}}}", "additive: GET /v1/news: it is new"),
        ("paths['/v1/runs']['post']['responses']['451'] = {}", f"additive: {CREATE}: it may answer 451"),
    ],
)
def test_each_difference_is_told_with_its_operation(
    inventory: dict[str, Any], document: dict[str, Any], change: str, told: str
) -> None:
    assert told in drifts(inventory, document, change)


@pytest.mark.parametrize(
    "change",
    [
        "paths['/v1/runs/{id}'] = paths.pop('/v1/runs/{run_id}')",
        "schemas['RunReadResponse']['description'] = 'Another text'",
        "schemas['GrantReadResponse']['properties'].clear()",
        "schemas['RunReadResponse']['properties'].pop('output')",
        "parameter(RUNS, 'page_size')['schema'] |= {'maximum': 200, 'minimum': 1}",
        "parameter(RUNS, 'external_id')['schema'] = {'type': 'string'}",
        "schemas['RunReadResponse']['properties']['submitted_by']['maxLength'] = 5",
        "schemas['Base'] = schemas['RunState']; schemas['RunState'] = {'allOf': [{'$ref': BASE}]}",
        "schemas |= {'Base': schemas['RunReadResponse'], 'RunReadResponse': {'allOf': [{'$ref': BASE}, {}]}}",
        "schemas['RunReadResponse']['properties']['output'] = ANY_JSON; schemas['Base'] = ANY_JSON",
        "schemas['Base'] = {'items': {'$ref': BASE}}; paths[RUNS]['get']['parameters'].append(NEW)",
    ],
)
def test_what_the_facade_does_not_use_is_no_difference(
    inventory: dict[str, Any], document: dict[str, Any], change: str
) -> None:
    assert drifts(inventory, document, change) == []


@pytest.mark.parametrize(
    ("servers", "is_told"),
    [
        ([{"url": "/api/v2"}], True),
        ([{"url": "https://platform.example.com"}], True),
        ([{"url": "https://platform.example.com/gateway/api/"}], False),
        ([{"url": "/other"}, {"url": "/api"}], False),
        ([], False),
    ],
)
def test_another_place_of_all_operations_breaks(
    inventory: dict[str, Any], document: dict[str, Any], servers: list[dict[str, str]], is_told: bool
) -> None:
    found = compare(inventory["1.8"], {**document, "servers": servers})
    assert len(found) == is_told * len(inventory["1.8"]["operations"])
    assert all(each.severity == "breaking" and each.detail.endswith("not /api") for each in found)


def test_the_other_contract_breaks(inventory: dict[str, Any], document: dict[str, Any]) -> None:
    told = compare(inventory["1.0"], document)
    assert told[0].severity == "breaking"
    assert any(each.operation.endswith("/results") for each in told)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"paths": {"/v1/runs": {"get": {}}}},
        {"paths": 1},
        {"paths": {}, "servers": [{"url": "https://["}]},
    ],
)
async def test_what_is_no_document_is_refused(httpx_mock: HTTPXMock, body: Any) -> None:
    httpx_mock.add_response(json=body)
    with pytest.raises(InvalidResponse, match="OpenAPI document"):
        await check_contract(ROOT, contract="1.8")


async def test_no_token_is_sent_and_failures_are_those_of_requests(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, json={"detail": "Not Found"})
    with pytest.raises(NotFound):
        await check_contract(ROOT, contract="1.8")
    (request,) = httpx_mock.get_requests()
    assert request.url == f"{ROOT}/api/v1/openapi.json"
    assert "authorization" not in request.headers
    with pytest.raises(ConfigurationError):
        await check_contract("http://example.com")
    with pytest.raises(ConfigurationError, match="settings takes"):
        await check_contract(ROOT, settings={})  # type: ignore[arg-type]


def test_a_difference_is_a_line_of_text() -> None:
    assert str(ContractDrift("breaking", CREATE, "it is gone")) == f"breaking: {CREATE}: it is gone"


@pytest.mark.process
def test_the_inventory_is_that_of_the_code(root: Path) -> None:
    command = [sys.executable, str(root / "scripts/inventory.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_command_ends_with_how_bad_it_is(emulator: Emulator) -> None:
    for contract, root in emulator.api_roots.items():
        same = run_here(["contract", "check", root, "--contract", contract], {})
        assert (same.returncode, same.stdout) == (0, "nothing differs\n")
    other = run_here(["contract", "check", emulator.api_roots["1.8"], "--contract", "1.0", "--json"], {})
    assert other.returncode == 3
    assert {each["severity"] for each in json.loads(other.stdout)} == {"breaking", "additive"}
