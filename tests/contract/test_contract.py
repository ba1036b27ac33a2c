"""openapi.json against the API reference that it was reconstructed from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

REFERENCE_TYPES = {
    "string": {"type": "string"},
    "string(uuid)": {"type": "string", "format": "uuid"},
    "string(uri)": {"type": "string", "format": "uri"},
    "string(date-time)": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer"},
    "object": {"type": "object"},
}


@pytest.fixture(scope="module")
def contract(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def reference(shared: Path, contract: dict[str, Any]) -> str:
    source = contract["info"].get("x-reconstructed-from")
    if source is None:
        pytest.skip("openapi.json was published, not reconstructed from the reference")
    return (shared / str(source)).read_text(encoding="utf-8")


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the markdown table rows in a text, without heads and rulers."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [
        row for row in rows if row[0] not in ("Name", "Property", "Status") and not row[0].startswith("---")
    ]


def operations(contract: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    }


def operation_sections(reference: str) -> dict[str, str]:
    body = reference.split("## Public\n", 1)[1].split("\n## Schemas\n", 1)[0]
    parts = re.split(r"^### (\w+)$", body, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def schema_sections(reference: str) -> dict[str, str]:
    body = reference.split("\n## Schemas\n", 1)[1]
    parts = re.split(r"^### (\w+)$", body, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_file_is_sorted_and_stable(root: Path, contract: dict[str, Any]) -> None:
    text = (root / "openapi.json").read_text(encoding="utf-8")
    assert text == json.dumps(contract, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_operations_are_those_of_the_reference(contract: dict[str, Any], reference: str) -> None:
    sections = operation_sections(reference)
    assert len(sections) == 8
    assert sections.keys() == operations(contract).keys()
    for name, section in sections.items():
        method, path, operation = operations(contract)[name]
        assert f"`{method.upper()} {path}`" in section
        assert f"*{operation['summary']}*" in section
        assert operation["tags"] == ["Public"]
        assert operation["security"] == [{"OAuth2AuthorizationCodeBearer": []}]


def test_descriptions_are_those_of_the_reference(contract: dict[str, Any], reference: str) -> None:
    assert contract["info"]["description"] in reference.replace("\u00a0", " ")
    for name, section in operation_sections(reference).items():
        description: str = operations(contract)[name][2]["description"]
        # The reference lost the end of this one where a "<" began; docs/contract.md tells of the rest.
        told = (
            description.split("  <-- Input ID", maxsplit=1)[0] if name.startswith("create_") else description
        )
        shown = re.sub(r"^#### Payload$", "### Payload", section, flags=re.MULTILINE)
        assert told in shown, name


def test_parameters_are_those_of_the_reference(contract: dict[str, Any], reference: str) -> None:
    for name, section in operation_sections(reference).items():
        tables = section.split("#### Parameters")
        rows = (
            table_rows(tables[1].split("> Example")[0].split("#### Responses")[0]) if len(tables) > 1 else []
        )
        expected = {row[0]: row[1:] for row in rows if row[1] != "body"}
        parameters = {each["name"]: each for each in operations(contract)[name][2].get("parameters", [])}
        assert parameters.keys() == expected.keys(), name
        for parameter, (place, kind, required, description) in expected.items():
            given = parameters[parameter]
            assert given["in"] == place
            assert str(given["required"]).lower() == required
            assert given.get("description", "none") == description
            if kind == "any":
                assert {"type": "null"} in given["schema"]["anyOf"], (name, parameter)
            else:
                assert REFERENCE_TYPES[kind].items() <= given["schema"].items()


def test_responses_are_those_of_the_reference(contract: dict[str, Any], reference: str) -> None:
    for name, section in operation_sections(reference).items():
        rows = table_rows(section.split("#### Responses")[1].split("#### Response Schema")[0])
        responses = operations(contract)[name][2]["responses"]
        assert {row[0]: row[2] for row in rows} == {
            status: response["description"] for status, response in responses.items()
        }
        for status, _, _, schema in rows:
            content = responses[status].get("content")
            assert (content is None) == (schema == "None"), (name, status)
            if schema.startswith("["):
                target = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert schema.startswith(f"[{target}]")


def test_schemas_are_those_of_the_reference(contract: dict[str, Any], reference: str) -> None:
    sections = schema_sections(reference)
    schemas = contract["components"]["schemas"]
    assert len(sections) == 21
    assert sections.keys() == schemas.keys()
    for name, section in sections.items():
        rows = table_rows(section)
        if "enum" in schemas[name]:
            values = [row[1] for row in rows if row[0] == name and len(row) == 2]
            assert schemas[name]["enum"] == values
            continue
        fields = {row[0]: row[1:] for row in rows if not row[0].startswith("»")}
        assert fields.keys() == schemas[name]["properties"].keys(), name
        required = {field for field, cells in fields.items() if cells[1] == "true"}
        assert set(schemas[name].get("required", [])) == required, name
        for field, (kind, _, _, description) in fields.items():
            check_field(schemas[name]["properties"][field], kind, description, f"{name}.{field}")


def check_field(schema: dict[str, Any], kind: str, description: str, place: str) -> None:
    if "](#schema" in kind:
        target = kind.strip("[]").split("]")[0]
        item = schema.get("items", schema)
        assert item["$ref"].rpartition("/")[2] == target, place
        assert (schema.get("type") == "array") == kind.startswith("[["), place
    elif kind == "[string]":
        assert schema["items"] == {"type": "string"}, place
    elif kind == "[anyOf]":
        assert "anyOf" in schema["items"], place
    elif kind == "any":
        assert {"type": "null"} in schema["anyOf"], place
    else:
        assert REFERENCE_TYPES[kind].items() <= schema.items(), place
    # The reference's tables lost the line breaks.
    told = schema.get("description", "none").replace("\n", "")
    assert told == description.replace("\n", ""), place


def test_examples_server_and_scheme_are_those_of_the_reference(
    contract: dict[str, Any], reference: str
) -> None:
    assert contract["openapi"] == "3.1.0"
    assert contract["info"]["version"] == "1.0.0"
    assert contract["servers"] == [{"url": "/api"}]
    flow = contract["components"]["securitySchemes"]["OAuth2AuthorizationCodeBearer"]["flows"]
    assert f"({flow['authorizationCode']['authorizationUrl']})" in reference
    assert f"({flow['authorizationCode']['tokenUrl']})" in reference
    request = contract["components"]["schemas"]["RunCreationRequest"]["properties"]
    section = schema_sections(reference)["RunCreationRequest"]
    shown = json.loads(section.split("```json\n")[1].split("```")[0])
    assert shown["items"] in request["items"]["examples"]
    assert shown["application_version_id"] in request["application_version_id"]["examples"]
    created = contract["components"]["schemas"]["RunCreationResponse"]["properties"]["application_run_id"]
    assert created["default"] == "Application run id", "the contract is faithful, faults included"


def test_every_mend_has_its_reason(root: Path) -> None:
    text = (root / "scripts/overlay.yaml").read_text(encoding="utf-8")
    blocks = text.split("actions:\n", 1)[1].split("\n\n")
    assert blocks
    for block in blocks:
        assert block.lstrip().startswith("#"), f"a mend without its reason:\n{block}"


def test_what_the_reference_leaves_open_is_told(root: Path) -> None:
    told = (root / "docs/contract.md").read_text(encoding="utf-8")
    for topic in (
        "`sort`, `reference__in`",
        "`item_id__in`",
        "`status__in`",
        "`include`",
        "`page`",
        "`page_size`",
        "`mime_type`",
        "`download_url`",
        "create run",
        "`application_run_id`",
    ):
        assert topic in told, topic
