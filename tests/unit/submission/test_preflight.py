"""Every fault of a run request, before it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aignostics_async import (
    ApplicationVersion,
    InputArtifact,
    InputArtifactSpec,
    InvalidSubmission,
    Item,
    read_metadata,
)
from aignostics_async.emulator.process import Emulator
from aignostics_async.submission._patterns import PatternTooSlow, estimated_steps, is_cheap, matches
from aignostics_async.submission._preflight import find_faults

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "checksum_base64_crc32c": {"type": "string"},
        "width": {"type": "integer", "minimum": 1},
        "specimen": {"$ref": "#/$defs/specimen"},
    },
    "required": ["checksum_base64_crc32c", "width"],
    "additionalProperties": False,
    "$defs": {"specimen": {"type": "object", "properties": {"tissue": {"enum": ["LUNG", "SKIN"]}}}},
}
GOOD = {"checksum_base64_crc32c": "4waSgw==", "width": 10}
URL = "https://storage.example.com/slide?signature=PLANTED"


def version(schema: dict[str, Any] = SCHEMA, *names: str) -> ApplicationVersion:
    specs = tuple(InputArtifactSpec(name, "image/tiff", schema) for name in names or ("slide",))
    return ApplicationVersion("app:v1.0.0", "app", "1.0.0", "", datetime(2026, 1, 1, tzinfo=UTC), specs, ())


def item(reference: str = "a", *, name: str = "slide", url: str = URL, **metadata: Any) -> Item:
    return Item(reference, artifacts=[InputArtifact(name, url, {**GOOD, **metadata})])


def faults(*items: Item, limit: int = 500, of: ApplicationVersion | None = None) -> list[str]:
    return [str(fault) for fault in find_faults(of or version(), items, limit)]


def test_good_items_have_no_faults() -> None:
    assert faults(item("a"), item("b", specimen={"tissue": "LUNG"})) == []


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([], "there are no items"),
        ([item("a"), item("a")], "item 'a': its reference is used 2 times"),
        ([item("  ")], "its reference is empty"),
        ([item("x" * 256)], "its reference has 256 characters, 255 are the limit"),
        ([item("half\udcff")], "its reference is no valid Unicode"),
        ([item(width="half\udcff")], "its metadata is no JSON"),
        ([item(url="https://host/ü")], "its URL is not one of http or https"),
        ([item(str(n)) for n in range(4)], "there are 4 items; a run takes 3 at most"),
        ([Item("a")], "item 'a', artifact 'slide': the version needs it, and it is missing"),
        ([item(name="scan")], "item 'a', artifact 'scan': the version has no such input; it takes 'slide'"),
        ([Item("a", artifacts=[*item().artifacts, *item().artifacts])], "it is given 2 times"),
        ([item(url="https://host/" + "x" * 2083)], "its URL has 2096 characters, 2083 are the limit"),
        ([item(url="s3://bucket/key")], "its URL is not one of http or https"),
        ([item(url="")], "its URL is not one of http or https"),
        ([item(url="https://[broken")], "its URL is not one of http or https"),
        ([item(checksum_base64_crc32c="752f9554")], "looks like a hexadecimal CRC32C"),
        ([item(checksum_base64_crc32c="nope")], "is no CRC32C"),
        ([item(width=0)], "metadata.width: 0 is less than the minimum of 1"),
        ([item(colour="red")], "Additional properties are not allowed ('colour' was unexpected)"),
        ([item(specimen={"tissue": "MOON"})], "metadata.specimen.tissue: 'MOON' is not one of"),
        ([item(width=float("nan"))], "its metadata is no JSON"),
        ([item(width={1, 2})], "its metadata is no JSON"),
    ],
)
def test_each_fault_is_told(items: list[Item], told: str) -> None:
    assert any(told in fault for fault in faults(*items, limit=3)), faults(*items, limit=3)


def test_no_fault_shows_a_url() -> None:
    bad = item(url="ftp://host/slide?signature=PLANTED" + "x" * 2100)
    assert len(faults(bad)) == 2
    assert not any("PLANTED" in fault for fault in faults(bad))


def test_each_input_of_a_version_is_needed() -> None:
    two = version(SCHEMA, "he", "ihc")
    assert faults(item(name="he"), of=two) == [
        "item 'a', artifact 'ihc': the version needs it, and it is missing"
    ]


def test_a_schema_that_is_none_is_told_and_not_raised() -> None:
    assert "the version's schema can't be used" in faults(item(), of=version({"type": "objekt"}))[0]


def test_a_schema_never_leads_to_the_network() -> None:
    asked: list[str] = []

    class Schemas(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    with HTTPServer(("127.0.0.1", 0), Schemas) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        remote = f"http://127.0.0.1:{server.server_port}/schema.json"
        told = faults(item(), of=version({"$ref": remote}))
        server.shutdown()
    assert f"refers to {remote!r}, which it does not hold" in told[0]
    assert asked == []


def test_a_reference_may_have_255_characters() -> None:
    assert faults(item("ü" * 255)) == []


RESOLUTION = {"anyOf": [{"type": "number", "minimum": 0.08, "maximum": 0.55}, {"type": "null"}]}
SPECIMEN = {
    "oneOf": [
        {"type": "null"},
        {"type": "object", "properties": {"tissue": {"anyOf": [{"enum": ["LUNG"]}, {"type": "null"}]}}},
    ]
}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (RESOLUTION, 0.9, "metadata.x: 0.9 is greater than the maximum of 0.55"),
        (RESOLUTION, 0.01, "metadata.x: 0.01 is less than the minimum of 0.08"),
        (SPECIMEN, {"tissue": "MOON"}, "metadata.x.tissue: 'MOON' is not one of ['LUNG']"),
        ({"allOf": [{"anyOf": [RESOLUTION]}]}, 0.9, "metadata.x: 0.9 is greater than the maximum of 0.55"),
    ],
)
def test_the_limit_is_named_where_none_of_several_schemas_fits(
    schema: dict[str, Any], value: object, told: str
) -> None:
    assert faults(item(x=value), of=version({"properties": {"x": schema}})) == [
        f"item 'a', artifact 'slide': {told}"
    ]


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"properties": {"a": schema}}
    return schema


def doubling(depth: int) -> dict[str, Any]:
    """Return a schema that refers twice to one that refers twice to another, and so on."""
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(depth)}
    return {"$ref": "#/$defs/l0", "$defs": {**levels, f"l{depth}": {"type": "object"}}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "#"}, "refers to itself without end"),
        ({"allOf": [{"$ref": "#"}] * 12}, "refers to itself without end"),
        ({"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#"}}}, "refers to itself without end"),
        (nested(3000), "it is nested too deeply"),
        (doubling(60), "it is too complex to be checked"),
        ({"patternProperties": {"^(a+)+$": {}}}, "takes too long to evaluate"),
        ({"properties": {"x": {"pattern": "("}}}, "can't be used"),
    ],
    ids=["itself", "itself twelve times", "itself by another", "nested", "doubling", "names", "no pattern"],
)
def test_a_hostile_schema_is_a_fault(schema: dict[str, Any], told: str) -> None:
    assert told in " ".join(faults(item(x="text"), of=version(schema)))


def fan(refer: Callable[[int], dict[str, Any]], name: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """Return a schema of nine levels, each of which refers to the next one ten times."""
    levels = {f"l{n}": {**name(n), "allOf": [refer(n + 1)] * 10} for n in range(9)}
    return {"$id": "https://x/y", **refer(0), "$defs": {**levels, "l9": {**name(9), "type": "object"}}}


@pytest.mark.long
@pytest.mark.parametrize(
    "schema",
    [
        fan(lambda n: {"$ref": f"#l{n}"}, lambda n: {"$anchor": f"l{n}"}),
        fan(lambda n: {"$ref": f"l{n}"}, lambda n: {"$id": f"l{n}"}),
        fan(lambda n: {"$ref": f"https://x/y#/$defs/l{n}"}, lambda n: {}),
        fan(lambda n: {"$ref": f"#/%24defs/l{n}"}, lambda n: {}),
        fan(lambda n: {"$dynamicRef": f"#l{n}"}, lambda n: {"$dynamicAnchor": f"l{n}"}),
        {**fan(lambda n: {"$ref": f"#l{n}"}, lambda n: {"$anchor": f"l{n}"}), "unevaluatedProperties": False},
        {"properties": {"enum": fan(lambda n: {"$ref": f"#l{n}"}, lambda n: {"$anchor": f"l{n}"})}},
        {"properties": {"x": {"enum": list(range(100_001))}}},
        {"required": [f"p{n}" for n in range(100_001)]},
        {"properties": {f"p{n}": {} for n in range(8_001)}},
        {"const": [[]] * 100_001},
    ],
    ids=["anchor", "id", "address", "escape", "dynamic", "unevaluated", "a property", "enum", "required",
         "properties", "const"],
)  # fmt: skip
def test_a_schema_that_is_too_large_in_whatever_way_is_a_fault(schema: dict[str, Any]) -> None:
    assert "it is too complex to be checked" in " ".join(faults(item(enum={}), of=version(schema)))


def test_a_schema_that_doubles_with_the_depth_of_metadata_is_a_fault() -> None:
    schema = {"properties": {"x": {"allOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]}}}
    metadata: dict[str, Any] = {}
    for _ in range(30):
        metadata = {"x": metadata}
    assert "takes too long to be evaluated" in " ".join(faults(item(**metadata), of=version(schema)))


@pytest.mark.parametrize("schema", [[], None, "text", 7])
def test_a_schema_that_is_no_object_is_a_fault(schema: Any) -> None:
    assert "a schema is an object" in " ".join(faults(item(), of=version(schema)))


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$schema": 5}, "schema can't be used: it is malformed"),
        ({"$schema": []}, "schema can't be used: it is malformed"),
        ({"$ref": "#/minimum", "minimum": 3}, "schema can't be used: it is malformed"),
        ({"$ref": "#/default", "default": None}, "schema can't be used: it is malformed"),
        ({"properties": {"x": {"pattern": "a{99999999999}"}}}, "schema can't be used: it is malformed"),
        ({"$ref": "#/allOf/x", "allOf": [True]}, "schema can't be applied to it"),
        ({"$ref": "#/title", "title": "a text"}, "schema can't be applied to it"),
        ({"properties": {"x": {"multipleOf": float("nan")}}}, "schema can't be applied to it"),
    ],
)
def test_a_schema_that_is_malformed_in_whatever_way_is_a_fault(schema: dict[str, Any], told: str) -> None:
    assert told in " ".join(faults(item(x=1), of=version(schema)))
    read_metadata(version(schema), {"x": "1"})  # raises nothing


@pytest.mark.parametrize("value", [0.29, 0.07, -1.15, 3, 1e308, 10**400])
def test_a_multiple_counts_as_it_is_written(value: float) -> None:
    schema = {"properties": {"x": {"multipleOf": 0.01}}}
    assert faults(item(x=value), of=version(schema)) == []
    assert "is not a multiple of 0.01" in faults(item(x=0.295), of=version(schema))[0]


def test_many_problems_are_told_in_part() -> None:
    schema = {"required": [f"p{n}" for n in range(5_000)]}
    assert len(faults(item(), of=version(schema))) == 100


def test_values_of_a_list_differ_as_json_does() -> None:
    schema = {"properties": {"x": {"uniqueItems": True}}}
    different = [0, False, "0", [0], [False], {"a": 0}, {"a": False}, None, *({"n": n} for n in range(5_000))]
    assert faults(item(x=different), of=version(schema)) == []
    several: list[list[Any]] = [[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [[[]], [[]]]]
    for twice in several:
        assert "non-unique" in faults(item(x=twice), of=version(schema))[0]


def test_a_schema_that_refers_to_itself_for_a_tree_is_used() -> None:
    tree = {"properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}}
    assert faults(item(child={"child": {"name": "x"}}), of=version(tree)) == []
    assert "metadata.child.child.name: 7 is not of type 'string'" in " ".join(
        faults(item(child={"child": {"name": 7}}), of=version(tree))
    )


@pytest.mark.parametrize("where", ["pattern", "patternProperties"])
def test_a_pattern_of_a_page_is_a_fault(where: str) -> None:
    pattern = "|".join(["a" * 50] * 200)
    schema = {"properties": {"x": {where: pattern if where == "pattern" else {pattern: {}}}}}
    assert "too long to be evaluated" in " ".join(faults(item(x="a"), of=version(schema)))


HOSTILE = ["^(a+)+$", "^(a|a)*$", "^(a?){40}a{40}$", "(a*)*b", "^(?:a+){1,40}$", "a*a*a*a*a*a*a*a*b"]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_pattern_is_not_evaluated_here(pattern: str) -> None:
    assert not is_cheap(pattern, 40)


@pytest.mark.parametrize(
    "pattern",
    [r"^[A-Za-z0-9+/]{6}==$", r"^\w+\/\w+[-+.|\w+]+\w+$", r"^(LUNG|SKIN)$", r"^\d{4}-\d{2}$", "", "[(*+]"],
)
def test_a_common_pattern_is_cheap(pattern: str) -> None:
    assert is_cheap(pattern, 20)


@given(st.from_regex(r"[ab?*+|()]{0,8}", fullmatch=True), st.text("ab", max_size=10))
def test_a_pattern_means_the_same_in_a_process(pattern: str, text: str) -> None:
    """Only what is cheap is evaluated in place, and that is right by definition; the estimate never fails."""
    assert estimated_steps(pattern, len(text)) >= 1
    with contextlib.suppress(re.error):
        if is_cheap(pattern, len(text)):
            assert matches(pattern, text) is (re.search(pattern, text) is not None)


@pytest.mark.process
def test_a_costly_pattern_is_evaluated_in_a_process() -> None:
    assert matches("^(a+)+$", "aaaa")
    assert not matches("^(a+)+$", "aaab")
    with pytest.raises(PatternTooSlow):
        matches("^(c+)+$", "c" * 60 + "b")
    assert matches("^(b+)+$", "bbbb"), "in another process"


@pytest.mark.process
async def test_a_pattern_that_takes_forever_holds_nobody(emulator: Emulator) -> None:
    """The loop goes on turning while the pattern is evaluated, and the pattern is a fault in the end."""
    schema = {"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    turning = asyncio.create_task(turn())
    async with emulator.client() as client:
        with pytest.raises(InvalidSubmission, match="takes too long to find out"):
            await client.runs.create(version(schema), [item(x="a" * 60 + "b")])
        assert turns > 20
        with pytest.raises(InvalidSubmission, match="takes too long to find out"):
            await client.runs.create(version(schema), [item(x="a" * 61 + "b")])
    turning.cancel()


DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.process
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"$schema": DRAFT_7, "pattern": "^(d+)+$"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/b"}}},
                                        "b": {"$schema": DRAFT_7, "pattern": "^(d+)+$"}}},
        {"$schema": DRAFT_7, "properties": {"x": {"$ref": "#"}}, "pattern": "^(d+)+$"},
    ],
)  # fmt: skip
def test_a_part_of_another_dialect_is_bounded_too(schema: dict[str, Any]) -> None:
    assert "takes too long to find out" in " ".join(faults(item(x="d" * 60 + "b"), of=version(schema)))
