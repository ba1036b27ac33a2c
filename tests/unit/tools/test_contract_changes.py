"""What a change of the contract means for this client, beyond what Redocly says."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract.changes import compare
from contract.severity import Judged, Severity, judge
from contract.usage import Key, uses

from aignostics_async.contracts._drift import is_narrower

RUN = ("components", "schemas", "RunReadResponse", "properties")


@pytest.fixture(scope="module")
def committed(root: Path) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    return contract


@pytest.fixture(scope="module")
def used(root: Path, committed: dict[str, Any]) -> dict[Key, Any]:
    return dict(uses(root, committed))


@pytest.fixture
def judged(committed: dict[str, Any], used: dict[Key, Any]) -> Callable[..., list[Judged]]:
    """Return what becomes of a contract that a function changes."""

    def judged(
        change: Callable[[dict[str, Any]], object], named: frozenset[Key] = frozenset()
    ) -> list[Judged]:
        new = copy.deepcopy(committed)
        change(new)
        return judge(compare(committed, new), [], used, named)

    return judged


def at(contract: dict[str, Any], *steps: str) -> dict[str, Any]:
    for step in steps:
        contract = contract[step]
    return contract


@pytest.mark.long
def test_a_deprecated_field_is_listed_with_the_lines_that_read_it(
    judged: Callable[..., list[Judged]],
) -> None:
    (told,) = judged(lambda new: at(new, *RUN, "triggered_at").update(deprecated=True))
    assert (told.change.kind, told.change.name) == ("deprecated", "RunReadResponse.triggered_at")
    assert told.severity is Severity.DEPRECATED
    assert told.severity.exit_status == 2
    assert "src/aignostics_async/contracts/v1_0/_decoding.py" in {use.file for use in told.uses}


def test_a_moved_tag_breaks_the_imports_of_the_module(judged: Callable[..., list[Judged]]) -> None:
    def move(new: dict[str, Any]) -> None:
        at(new, "paths", "/v1/runs", "get")["tags"] = ["Runs"]

    (told,) = judged(move)
    assert told.severity is Severity.BREAKING
    assert "src/aignostics_async/contracts/v1_0/_requests.py" in {use.file for use in told.uses}
    (told,) = judged(move, frozenset({("tags", "get", "/v1/runs")}))
    assert told.severity is Severity.COSMETIC, "the overlay sets it"


def test_another_path_of_the_server_touches_the_code_that_builds_urls(
    judged: Callable[..., list[Judged]],
) -> None:
    (told,) = judged(lambda new: new.update(servers=[{"url": "/api/v2"}]))
    assert told.severity is Severity.BREAKING
    assert "src/aignostics_async/_http/_api_pool.py" in {use.file for use in told.uses}


def test_a_renamed_field_is_guessed_by_its_type(judged: Callable[..., list[Judged]]) -> None:
    def rename(new: dict[str, Any]) -> None:
        fields = at(new, *RUN)
        fields["zzz"] = fields.pop("triggered_at")

    told = {each.change.name: each.change.detail for each in judged(rename)}
    assert told["RunReadResponse.triggered_at"] == "perhaps now zzz"


def headlines(told: list[Judged]) -> set[tuple[str, str, str]]:
    return {(each.severity.name, each.change.name, each.change.detail) for each in told}


RUNS = ("paths", "/v1/runs", "get")
ONE_RUN = ("paths", "/v1/runs/{application_run_id}", "get", "responses", "200")


def parameter(new: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in at(new, *RUNS)["parameters"] if each["name"] == name)
    return found


def in_header(new: dict[str, Any]) -> None:
    parameter(new, "page")["in"] = "header"


def unexploded(new: dict[str, Any]) -> None:
    parameter(new, "sort")["explode"] = False


def other_type(new: dict[str, Any]) -> None:
    content = at(new, *ONE_RUN, "content")
    content["application/x-ndjson"] = content.pop("application/json")


def redirected(new: dict[str, Any]) -> None:
    at(new, *RUNS, "responses")["307"] = {"description": "elsewhere"}


def other_method(new: dict[str, Any]) -> None:
    path = at(new, "paths", "/v1/runs/{application_run_id}/cancel")
    path["put"] = path.pop("post")


def fewer_parents(new: dict[str, Any]) -> None:
    new["paths"]["/v1/versions/{application_id}/versions"] = new["paths"].pop(
        "/v1/applications/{application_id}/versions"
    )
    new["paths"]["/v1/{application_run_id}/cancel"] = new["paths"].pop("/v1/runs/{application_run_id}/cancel")


def with_key(new: dict[str, Any]) -> None:
    new["components"]["securitySchemes"] = {"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    at(new, *RUNS)["security"] = [{"Key": []}]


def needed(new: dict[str, Any]) -> None:
    parameter(new, "application_id")["required"] = True


def fewer_at_once(new: dict[str, Any]) -> None:
    parameter(new, "page_size")["schema"]["maximum"] = 50


def shorter(new: dict[str, Any]) -> None:
    at(new, "components", "schemas", "ItemCreationRequest", "properties", "reference")["maxLength"] = 64


def fewer_values(new: dict[str, Any]) -> None:
    at(new, "components", "schemas", "ItemStatus")["enum"].remove("PENDING")


def only_values(new: dict[str, Any]) -> None:
    parameter(new, "application_version")["schema"] = {"type": "string", "enum": ["he-tme:v1.0.0"]}


RUN_CANCEL = "POST /v1/runs/{application_run_id}/cancel"
PLAIN = "an access token alone does not open it any more"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (in_header, ("GET /v1/runs ?page", "from query to header")),
        (unexploded, ("GET /v1/runs ?sort", "explode True → False")),
        (
            other_type,
            (
                "GET /v1/runs/{application_run_id} → 200",
                "application/json → application/x-ndjson",
            ),
        ),
        (redirected, ("GET /v1/runs → 307", "")),
        (other_method, (RUN_CANCEL, "perhaps now PUT /v1/runs/{application_run_id}/cancel")),
        (fewer_parents, (RUN_CANCEL, "perhaps now POST /v1/{application_run_id}/cancel")),
        (with_key, ("GET /v1/runs", PLAIN)),
        (needed, ("GET /v1/runs ?application_id", "optional → required")),
        (fewer_at_once, ("GET /v1/runs ?page_size", "maximum 100 → 50")),
        (shorter, ("ItemCreationRequest.reference", "maxLength None → 64")),
        (fewer_values, ("ItemStatus: PENDING", "")),
        (only_values, ("GET /v1/runs ?application_version", "string | null → enum of 1")),
    ],
)
def test_what_no_client_of_the_old_contract_survives_is_named(
    judged: Callable[..., list[Judged]], change: Callable[[dict[str, Any]], None], told: tuple[str, str]
) -> None:
    found = judged(change)
    assert ("BREAKING", *told) in headlines(found)
    (one,) = (each for each in found if (each.change.name, each.change.detail) == told)
    assert one.uses, "the lines to look at"


@pytest.mark.parametrize(
    ("word", "before", "after", "is_told"),
    [
        ("maxLength", None, 5, True),
        ("maxLength", 5, None, False),
        ("maxLength", 5, 6, False),
        ("exclusiveMinimum", 5, 6, True),
        ("minItems", 2, 1, False),
        ("pattern", "a", "b", True),
        ("uniqueItems", None, False, False),
        ("uniqueItems", False, True, True),
        ("multipleOf", 5, 10, True),
        ("multipleOf", 10, 5, False),
        ("default", 5, 10, False),
    ],
)
def test_narrower_limits_of_requests(word: str, before: Any, after: Any, is_told: bool) -> None:
    assert is_narrower(word, before, after) is is_told


def test_a_description_in_other_parts_is_no_change(judged: Callable[..., list[Judged]]) -> None:
    def rearrange(new: dict[str, Any]) -> None:
        response = at(new, *ONE_RUN).copy()
        new["components"]["responses"] = {"Run": response}
        operation = at(new, *ONE_RUN[:3])
        operation["responses"]["200"] = {"$ref": "#/components/responses/Run"}
        schemas = new["components"]["schemas"]
        schemas["Base"] = schemas["RunReadResponse"]
        schemas["RunReadResponse"] = {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "properties": {"cost": {"type": "number"}}},
            ]
        }

    assert headlines(judged(rearrange)) == {
        ("ADDITIVE", "Base", ""),
        ("ADDITIVE", "RunReadResponse.cost", ""),
    }


def shared(contract: dict[str, Any]) -> dict[str, Any]:
    """Return a contract whose parameters and bodies are components, as tools that bundle write it."""
    new = copy.deepcopy(contract)
    components: dict[str, Any] = new["components"]
    components.update(parameters={}, requestBodies={}, responses={})
    for path, item in new["paths"].items():
        for method, operation in list(item.items()):
            name = f"{method}{path}".replace("/", ".").replace("{", "").replace("}", "")
            for number, parameter in enumerate(operation.pop("parameters", ())):
                components["parameters"][f"{name}.{number}"] = parameter
                reference = {"$ref": f"#/components/parameters/{name}.{number}"}
                (item if len(item) == 1 else operation).setdefault("parameters", []).append(reference)
            if "requestBody" in operation:
                components["requestBodies"][name] = operation["requestBody"]
                operation["requestBody"] = {"$ref": f"#/components/requestBodies/{name}"}
    return new


@pytest.mark.long
def test_shared_components_change_nothing(
    root: Path, committed: dict[str, Any], used: dict[Key, Any]
) -> None:
    new = shared(committed)
    assert compare(committed, new) == compare(new, committed) == []
    assert uses(root, new) == used


def test_what_a_shared_body_requires_breaks(committed: dict[str, Any]) -> None:
    base, new = shared(committed), shared(committed)
    item = new["components"]["schemas"]["ItemCreationRequest"]
    item["properties"]["cost_center"] = {"type": "string"}
    item["required"].append("cost_center")
    (told,) = compare(base, new)
    assert (told.name, told.detail) == ("ItemCreationRequest.cost_center", "required in requests")


def test_json_counts_in_whatever_order_media_types_come(committed: dict[str, Any]) -> None:
    new = copy.deepcopy(committed)
    answers = new["paths"]["/v1/applications"]["get"]["responses"]["200"]
    schema = answers["content"]["application/json"]
    answers["content"] = {"text/csv": {"schema": {}}, "application/json; charset=utf-8": schema}
    assert compare(committed, new) == []


@pytest.mark.parametrize("where", [(), ("get",)])
def test_a_server_of_its_own_breaks_an_operation(committed: dict[str, Any], where: tuple[str, ...]) -> None:
    new = copy.deepcopy(committed)
    at(new, "paths", "/v1/applications", *where)["servers"] = [{"url": "https://other.example.com/other"}]
    (told,) = compare(committed, new)
    assert (told.name, told.detail) == ("GET /v1/applications", "servers [] → ['/other']")
