"""What is no specification is told apart, each with its own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from contract import document
from contract.openapi_form import NotASpecification

WHOLE = {"openapi": "3.1.0", "info": {"title": "Small", "version": "1"}, "paths": {"/a": {}}}

# Ten lists of ten aliases each, which stand for ten gigabytes.
ALIASES = b"a0: &a0 [x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n  \n", "is empty"),
        (b"\xff\xfe{}", "is not a text file"),
        (b"<html></html>", "is HTML or XML"),
        (b"warning: x\nTraceback (most recent call last):\n", "is the traceback of a Python program"),
        (json.dumps(WHOLE).encode()[:-5], "is cut off"),
        (b'{"openapi": "3.1.0", "info": "abc', "is cut off"),
        (b'{"openapi": 3.1.0, "info": {}}', "is not valid JSON at line 1 column 16"),
        (b"[1, 2]", "contains a list"),
        (b"just words", "contains a str"),
        (b"a: [1", "is neither JSON nor YAML: expected ',' or ']', but got"),
        (b"a: 1\n\tb: 2\n", "found character '\\t' that cannot start any token at line 2 column 1"),
        (b"<<<<<<< HEAD\n{}", "has the conflict markers of git"),
        (b'{"openapi": "3.1.0",\n<<<<<<< HEAD\n', "has the conflict markers of git"),
        (ALIASES, "is longer than 33554432 bytes as JSON"),
        (b'{"swagger": "2.0"}', "is Swagger 2.0"),
        (b'{"openapi": "4.0.0"}', "has no `openapi: 3.x`"),
        (b'{"openapi": "3.1.0", "info": {}}', "lacks `info` or `paths`"),
        (b'{"openapi": "3.1.0", "info": {}, "paths": {}}', "its `paths` are empty"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_specification_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "new.json"
    path.write_bytes(content)
    with pytest.raises(NotASpecification, match=r"new\.json") as caught:
        document.read(path)
    assert message in str(caught.value)


def test_a_field_called_properties_is_no_truth_value(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    fields = {"properties": {"type": "object", "deprecated": True}}
    path.write_bytes(whole(components={"schemas": {"A": {"properties": fields}}}))
    assert document.read(path)["components"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotASpecification, match="can't be read"):
        document.read(tmp_path / "none.json")


@pytest.mark.parametrize("text", [json.dumps(WHOLE), "\ufeff" + json.dumps(WHOLE), "openapi: 3.1.0\n"])
def test_json_and_yaml_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "new.yaml"
    if text.startswith("openapi"):
        text += "info: {title: Small, version: '1'}\npaths: {/a: {}}\n"
    path.write_text(text, encoding="utf-8")
    assert document.read(path) == WHOLE


def test_a_status_is_a_text_in_yaml_too(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    answers = "paths: {/a: {get: {responses: {200: {description: it}}}}}\n"
    path.write_text(f"openapi: 3.1.0\ninfo: {{title: Small, version: '1'}}\n{answers}", encoding="utf-8")
    assert list(document.read(path)["paths"]["/a"]["get"]["responses"]) == ["200"]


def test_words_dates_and_numbers_of_older_yaml_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    head = "openapi: 3.1.0\ninfo: {title: Small, version: '1'}\npaths: {/a: {}}\n"
    old = "x-all: {on: [yes, no, off, 2026-01-01, 010, 1:30, 0x1F, 1_000, =]}\n"
    path.write_text(f"{head}{old}x-json: [true, null, -7, 1.5e3]\n", encoding="utf-8")
    found = document.read(path)
    assert found["x-all"] == {"on": ["yes", "no", "off", "2026-01-01", "010", "1:30", "0x1F", "1_000", "="]}
    assert found["x-json"] == [True, None, -7, 1500.0]


def test_the_committed_form_is_sorted_and_ends_in_a_line(tmp_path: Path) -> None:
    text = document.pretty({"b": {"d": 1, "c": "é"}, "a": []})
    assert text == '{\n  "a": [],\n  "b": {\n    "c": "é",\n    "d": 1\n  }\n}\n'


def whole(**more: object) -> bytes:
    return json.dumps({**WHOLE, **more}).encode()


def with_reference(target: str) -> bytes:
    return whole(components={"schemas": {"A": {"$ref": target}}})


def consisting_of(schema: object) -> bytes:
    return whole(components={"schemas": {"A": schema, "B": {"oneOf": [{"$ref": "#/components/schemas/A"}]}}})


def with_schema(schema: object) -> bytes:
    return whole(components={"schemas": {"A": schema}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            with_reference("#/components/schemas/Nowhere"),
            "refers to '#/components/schemas/Nowhere', which it",
        ),
        (with_reference("common.json#/A"), "refers to another file, 'common.json#/A'"),
        (with_reference("https://elsewhere.example.com/a.json"), "refers to another file"),
        (whole(openapi="3.0.3"), "is OpenAPI 3.0.3, and these tools read 3.1"),
        (whole(openapi="3.2.0"), "is OpenAPI 3.2.0, and these tools read 3.1"),
        (whole(components={"examples": {"a": float("nan")}}), "contains NaN"),
        (b'{"openapi": "3.1.0", "openapi": "3.1.0"}', "has the key 'openapi' twice"),
        (b"openapi: 3.1.0\nopenapi: 3.1.0\n", "has the key 'openapi' twice"),
        (b"openapi: 3.1.0\na: .nan\n", "contains nan"),
        (b"a: " + b"[" * 5_000, "nested too deeply"),
        (b"openapi: 3.1.0\ninfo: {title: a, version: '1'}\npaths: &p {/x: *p}\n", "contains itself"),
        (b"openapi: 3.1.0\n~: 1\n", "has the key None, which is no text"),
        (b"openapi: 3.1.0\na: !!binary aGVsbG8=\n", "has a value that JSON does not have"),
        (b"openapi: 3.1.0\na: !!set {b, c}\n", "has a value that JSON does not have"),
        (b'{"openapi": "3.1.0", "a": 1e999}', "contains 1e999"),
        (b'{"openapi": "3.1.0", "a": %s}' % (b"9" * 5000), "has a value that JSON does not have"),
        (b'{"openapi": "3.1.0", "a": "\\ud800"}', "half of a character"),
        (b"openapi: 3.1\ninfo: {title: a, version: '1'}\npaths: {/a: {}}\n", "write the whole version"),
        (whole(paths={"/a": {"$ref": "#/components/pathItems/A"}}), "refers to the operations of /a"),
        (whole(components={"schemas": {"A": True}}), "a truth value as the schema of A"),
        (whole(components={"schemas": {"A": {"properties": {"b": False}}}}), "as the schema of b"),
        (whole(components={"schemas": {"A": {"anyOf": [{}, True]}}}), "as the schema of anyOf"),
        (with_reference("#/components/schemas/A"), "which refers to itself"),
        (whole(components={"schemas": {"A": {"properties": {"b": {"$ref": 3}}}}}), "has the $ref 3"),
        (
            consisting_of({"allOf": [{"$ref": "#/components/schemas/A"}]}),
            "schema A, which consists of itself",
        ),
        (
            consisting_of({"anyOf": [{"allOf": [{"$ref": "#/components/schemas/B"}]}, {"type": "null"}]}),
            "schema A, which consists of itself",
        ),
        (whole(components=[]), "is not of type"),
        (whole(servers=[{"url": "http://[::1"}]), "has the server 'http://[::1', which is no URL"),
        (whole(paths={"/a": {"servers": [{"url": "http://[::1"}]}}), "which is no URL"),
        (whole(components={"schemas": []}), "is not of type"),
        (whole(paths={"/a": None}), 'null is not of type "object", at paths//a'),
        (whole(paths={"/a": {"get": {"parameters": [{"in": "query"}]}}}), '"name" is a required property'),
        (with_schema({"properties": "b"}), "'b' is not of type 'object', at components/schemas/A/properties"),
        (with_schema({"required": "b"}), "at components/schemas/A/required"),
        (with_schema({"items": {"type": "objekt"}}), "at components/schemas/A/items/type"),
        (with_schema({"minimum": "1"}), "at components/schemas/A/minimum"),
        (
            whole(
                paths={"/a": {"get": {"parameters": [{"in": "query", "name": "b", "schema": {"enum": 1}}]}}}
            ),
            "at paths//a/get/parameters/0/schema/enum",
        ),
    ],
)
def test_a_broken_document_is_refused_with_the_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "new.yaml"
    path.write_bytes(content)
    with pytest.raises(NotASpecification, match=r"new\.yaml") as caught:
        document.read(path)
    assert message in str(caught.value)


def test_a_schema_may_hold_itself_in_a_field(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    own = {"$ref": "#/components/schemas/A"}
    path.write_bytes(
        whole(components={"schemas": {"A": {"properties": {"$ref": own, "a": {"items": {"anyOf": [own]}}}}}})
    )
    assert document.read(path)["components"]


def test_what_is_no_schema_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_bytes(
        whole(
            **{"x-tool": {"schema": {"type": 1}}},
            components={"schemas": {"A": {"example": {"schema": {"type": 1}}, "nullable": True}}},
        )
    )
    assert document.read(path)["components"]


def test_references_inside_and_in_examples_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_bytes(with_reference("#/paths/~1a"))
    assert document.read(path)["components"]
    path.write_bytes(whole(components={"examples": {"a": {"value": {"example": {"$ref": "x.json"}}}}}))
    assert document.read(path)["components"]
