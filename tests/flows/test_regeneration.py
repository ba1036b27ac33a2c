"""What specifications have done to their clients before, one small contract each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_platform
from contract import redocly
from small_platform import Outcome, SmallPlatform

BRIDGE = "src/aignostics_async/contracts/_requests.py"
EMULATOR = "src/aignostics_async/emulator/_api.py"
THINGS = "/v1/things"
ONE = "/v1/things/{thing_id}"
RESULTS = "/v1/things/{thing_id}/results"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not redocly.SCRIPT.is_file(), reason="the Node tools are not installed; run `make node-tools`"
    ),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallPlatform:
    folder = tmp_path_factory.mktemp("small")
    platform = small_platform.build(root, folder / "tree", folder / "known")
    assert platform.update(platform.changed()).status == 0
    (folder / "cache").rename(folder / "known")
    return platform


@pytest.fixture
def small(built: SmallPlatform, tmp_path: Path) -> SmallPlatform:
    """Give a tree of its own."""
    shutil.copytree(built.root, tmp_path / "tree")
    return SmallPlatform(tmp_path / "tree", built.cache)


def schemas(contract: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = contract["components"]["schemas"]
    return found


def told(record: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(each["severity"], each["kind"], each["name"]) for each in record["changes"]}


def code(record: dict[str, Any], name: str) -> set[tuple[str, str]]:
    return {
        (use["file"], use["function"])
        for each in record["changes"]
        if each["name"] == name
        for use in each["code"]
    }


def went_well(outcome: Outcome) -> str:
    assert outcome.status == 0, outcome.output + outcome.errors
    assert "1 passed" in outcome.output
    return outcome.output


def stopped(outcome: Outcome) -> str:
    assert outcome.status == 1
    assert "The tree is unchanged." in outcome.errors
    assert "Traceback" not in outcome.errors
    return outcome.errors


def test_1_an_operation_is_added(small: SmallPlatform) -> None:
    new = small.changed()
    new["paths"]["/v1/me"] = {
        "get": {**new["paths"][ONE]["get"], "operationId": "get_me_v1_me_get", "parameters": []}
    }
    record = small.differences(new)
    assert told(record) == {("additive", "added", "GET /v1/me")}
    assert code(record, "GET /v1/me") == set()
    assert "generated:      5 operations, no warning, nothing left out" in went_well(small.update(new))


def test_2_an_optional_field_is_added(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["Thing"]["properties"]["owner"] = {"type": "string"}
    schemas(new)["ThingRequest"]["properties"]["owner"] = {"type": "string"}
    record = small.differences(new)
    assert told(record) == {
        ("additive", "added", "Thing.owner"),
        ("additive", "added", "ThingRequest.owner"),
    }
    went_well(small.update(new))


def test_3_a_field_is_removed_that_the_facade_reads(small: SmallPlatform) -> None:
    new = small.changed()
    del schemas(new)["Thing"]["properties"]["colour"]
    schemas(new)["Thing"]["required"].remove("colour")
    record = small.differences(new)
    assert ("breaking", "removed", "Thing.colour") in told(record)
    assert code(record, "Thing.colour") == {(BRIDGE, "thing"), (EMULATOR, "shown")}
    before = small.files()
    errors = stopped(small.update(new, "--write"))
    assert f"thing in {BRIDGE}" in errors
    assert '"Thing" has no attribute "colour"' in errors
    assert small.files() == before


def test_3b_a_field_is_removed_that_nobody_reads(small: SmallPlatform) -> None:
    new = small.changed()
    del schemas(new)["Thing"]["properties"]["weight"]
    record = small.differences(new)
    assert told(record) == {("breaking", "removed", "Thing.weight")}
    assert code(record, "Thing.weight") == set()
    went_well(small.update(new))


def test_4_an_enum_is_recased(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["ThingState"]["enum"] = ["ready", "done"]
    schemas(new)["ThingStatus"]["enum"] = ["open", "shut"]
    record = small.differences(new)
    # What comes in is read in any case; what goes out is refused in the wrong one.
    assert ("additive", "renamed", "ThingState: READY") in told(record)
    assert code(record, "ThingState: READY") == {(EMULATOR, "shown")}
    assert ("breaking", "renamed", "ThingStatus: OPEN") in told(record)
    assert record["verdict"] == "breaking"
    went_well(small.update(new))


def test_5_an_enum_is_replaced_by_two(small: SmallPlatform) -> None:
    new = small.changed()
    del schemas(new)["ThingState"]
    schemas(new)["Phase"] = {"type": "string", "enum": ["PENDING", "ENDED"]}
    schemas(new)["Reason"] = {"type": "string", "enum": ["GOOD", "BAD"]}
    fields = schemas(new)["Thing"]["properties"]
    del fields["status"]
    fields["phase"] = {"$ref": "#/components/schemas/Phase"}
    fields["reason"] = {"anyOf": [{"$ref": "#/components/schemas/Reason"}, {"type": "null"}]}
    schemas(new)["Thing"]["required"] = ["thing_id", "phase", "colour"]
    record = small.differences(new)
    assert {
        ("breaking", "removed", "ThingState"),
        ("breaking", "removed", "Thing.status"),
        ("additive", "added", "Phase"),
        ("additive", "added", "Reason"),
        ("additive", "added", "Thing.reason"),
    } <= told(record)
    assert code(record, "Thing.status") == {(BRIDGE, "thing"), (EMULATOR, "shown")}
    assert f"thing in {BRIDGE}" in stopped(small.update(new))


def test_6_a_path_and_its_operation_id_are_renamed(small: SmallPlatform) -> None:
    new = small.changed()
    operation = new["paths"].pop(ONE)["get"]
    operation["operationId"] = "thing_v1_things__id__get"
    operation["parameters"][0]["name"] = "id"
    new["paths"]["/v1/things/{id}"] = {"get": operation}
    record = small.differences(new)
    assert ("breaking", "renamed", f"GET {ONE}") in told(record)
    assert code(record, f"GET {ONE}") == {(BRIDGE, "get_thing"), (EMULATOR, "module level")}
    outcome = small.update(new)
    errors = stopped(outcome)
    assert "this action matches nothing any more" in outcome.output
    assert f"get_thing in {BRIDGE}" in errors
    assert "the module get_thing is gone" in errors
    # One mend in the overlay, and the bridge never notices.
    overlay = small.root / "scripts/overlay.yaml"
    overlay.write_text(overlay.read_text().replace('{thing_id}"].get', '{id}"].get'))
    went_well(small.update(new))


def test_6b_an_operation_id_alone_is_renamed(small: SmallPlatform) -> None:
    new = small.changed()
    new["paths"][ONE]["get"]["operationId"] = "details_v1"
    record = small.differences(new)
    assert {severity for severity, _, _ in told(record)} == {"cosmetic"}
    assert record["changes"][0]["why"] == "the overlay names this operation"
    went_well(small.update(new))


def test_7_a_parameter_gets_a_hyphen(small: SmallPlatform) -> None:
    new = small.changed()
    new["paths"][THINGS]["get"]["parameters"][0]["name"] = "page-size"
    test = small.root / "tests/contract/test_bridge.py"
    test.write_text(test.read_text().replace('"page_size": 5', '"page-size": 5'))
    record = small.differences(new)
    assert told(record) == {("breaking", "renamed", "GET /v1/things ?page_size")}
    assert "its Python name stays" in record["changes"][0]["why"]
    assert code(record, "GET /v1/things ?page_size") == {(BRIDGE, "list_things")}
    went_well(small.update(new))


def test_8_a_success_gets_another_status_and_a_body(small: SmallPlatform) -> None:
    new = small.changed()
    new["paths"][RESULTS]["delete"]["responses"] = {
        "200": {"description": "Gone", "content": {"application/json": {"schema": {}}}}
    }
    record = small.differences(new)
    assert told(record) == {
        ("breaking", "removed", f"DELETE {RESULTS} → 204"),
        ("breaking", "added", f"DELETE {RESULTS} → 200"),
    }
    assert code(record, f"DELETE {RESULTS} → 204") == {(BRIDGE, "delete_results")}
    went_well(small.update(new))


def test_9_a_default_does_not_fit_its_type(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["Thing"]["properties"]["thing_id"] = {"type": "string", "format": "uuid", "default": "Id"}
    errors = stopped(small.update(new))
    assert "not valid" in errors
    assert "components/schemas/Thing/properties/thing_id" in errors
    overlay = small.root / "scripts/overlay.yaml"
    mend = "  - target: $.components.schemas.Thing.properties.thing_id.default\n    remove: true\n"
    overlay.write_text(overlay.read_text() + mend)
    went_well(small.update(new))


def test_10_required_and_optional_change_places(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["Thing"]["required"] = ["thing_id", "status", "weight"]
    schemas(new)["ThingRequest"]["required"] = ["size"]
    changes = {(c["severity"], c["name"], c["detail"]) for c in small.differences(new)["changes"]}
    assert changes == {
        ("breaking", "Thing.colour", "required → optional"),
        ("additive", "Thing.weight", "optional → required"),
        ("additive", "ThingRequest.name", "required → optional"),
        ("breaking", "ThingRequest.size", "optional → required"),
    }
    errors = stopped(small.update(new))
    assert f"create_thing in {BRIDGE}" in errors
    assert 'Missing positional argument "size"' in errors or 'Missing named argument "size"' in errors


def test_11_unions_and_tuples(small: SmallPlatform) -> None:
    new = small.changed()
    fields = schemas(new)["Thing"]["properties"]
    fields["weight"] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    fields["place"] = {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "integer"}],
        "minItems": 2,
        "maxItems": 2,
    }
    record = small.differences(new)
    assert told(record) == {("additive", "changed", "Thing.weight"), ("additive", "added", "Thing.place")}
    assert record["changes"][0]["detail"] == "integer → integer | string"
    went_well(small.update(new))


def test_12_operation_ids_without_their_path(small: SmallPlatform) -> None:
    new = small.changed()
    new["paths"]["/v1/things/{thing_id}/documents"] = {
        "get": {**new["paths"][ONE]["get"], "operationId": "list_documents"}
    }
    record = small.differences(new)
    assert told(record) == {("additive", "added", "GET /v1/things/{thing_id}/documents")}
    went_well(small.update(new, "--write"))
    assert (small.root / "generated/aignostics_api/api/public/list_documents.py").is_file()


def test_13_only_the_place_of_the_server_differs(small: SmallPlatform) -> None:
    new = small.changed()
    new["servers"] = [{"url": "https://staging.example.com/api"}]
    new["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    record = small.differences(new)
    assert record["verdict"] == "cosmetic"
    assert {each["subject"] for each in record["changes"]} == {"document"}
    went_well(small.update(new))


# Writing


def test_writing_moves_contract_client_and_changelog_together(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["Thing"]["properties"]["owner"] = {"type": "string"}
    before = small.files()
    went_well(small.update(new))
    assert small.files() == before
    went_well(small.update(new, "--write"))
    assert json.loads((small.root / "openapi.json").read_text()) == new
    assert "owner" in (small.root / "generated/aignostics_api/models/thing.py").read_text()
    entry = (small.root / "CHANGELOG.md").read_text()
    assert entry.index("## Unreleased") < entry.index("Field `Thing.owner` added") < entry.index("## 0.1.0")
    assert small.differences(new)["changes"] == []


def test_a_dead_mend_is_listed_and_must_go_before_writing(small: SmallPlatform) -> None:
    new = small.changed()
    overlay = small.root / "scripts/overlay.yaml"
    dead = '  - target: $.paths["/v0/old"].get.operationId\n    update: old\n'
    overlay.write_text(overlay.read_text() + dead)
    before = small.files()
    assert '$.paths["/v0/old"].get.operationId' in went_well(small.update(new))
    errors = stopped(small.update(new, "--write"))
    assert "delete the actions of scripts/overlay.yaml" in errors
    assert small.files() == before


def test_a_failing_contract_test_stops_it(small: SmallPlatform) -> None:
    test = small.root / "tests/contract/test_bridge.py"
    test.write_text(test.read_text().replace('"page_size": 5', '"page_size": 6'))
    before = small.files()
    errors = stopped(small.update(small.changed(), "--write"))
    assert "the contract tests fail with it" in errors
    assert "test_the_bridge_asks_for_pages" in errors
    assert small.files() == before


def test_what_the_generator_cannot_express_stops_it(small: SmallPlatform) -> None:
    new = small.changed()
    schemas(new)["Thing"]["properties"]["weight"] = {"enum": ["a", 1]}
    assert "openapi-python-client refused the contract" in stopped(small.update(new))


def traceback(_: SmallPlatform) -> str:
    return 'Traceback (most recent call last):\n  File "app.py", line 1, in <module>\nKeyError: 1\n'


def html(_: SmallPlatform) -> str:
    return "<!doctype html><html><title>Sign in</title></html>"


def truncated(small: SmallPlatform) -> str:
    return json.dumps(small.changed())[:900]


def other_json(_: SmallPlatform) -> str:
    return '{"detail": "Not authenticated"}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (traceback, "is the traceback of a Python program"),
        (html, "is HTML or XML, not an OpenAPI document"),
        (truncated, "is cut off"),
        (other_json, "is not an OpenAPI 3 document"),
    ],
)
def test_what_is_no_specification_is_refused(
    small: SmallPlatform, text: Callable[[SmallPlatform], str], message: str
) -> None:
    before = small.files()
    assert message in stopped(small.update(text(small), "--write"))
    assert small.files() == before
