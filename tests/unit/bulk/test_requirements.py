"""What a version asks of a slide: every lack told before a byte is sent, with the column that mends it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from aignostics_async import (
    ApplicationVersion,
    ConfigurationError,
    IdentifyingKind,
    InputArtifactSpec,
    SlideInfo,
    read_metadata,
)
from aignostics_async.bulk.preflight._findings import FindingKind
from aignostics_async.bulk.preflight._requirements import Requirements
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.emulator.platform._catalogue import find_version
from aignostics_async.submission._metadata_cells import CellReader
from aignostics_async.submission._schema import schema_validator

INFO = SlideInfo(300, 200, 0.25, 0.26, "image/tiff", (Path("a.tiff"),))
SERIES = evolve(INFO, mime_type="application/zip", files=(Path("1.dcm"), Path("2.dcm")))


def version(*inputs: tuple[str, str, dict[str, Any]]) -> ApplicationVersion:
    specs = tuple(InputArtifactSpec(*each) for each in inputs)
    return ApplicationVersion("app:v1.0.0", "app", "1.0.0", "", datetime(2026, 1, 1, tzinfo=UTC), specs, ())


def of_emulator(ident: str, **options: Any) -> Requirements:
    told = find_version(ident)
    assert told is not None
    inputs = [(each.name, each.media_type, each.metadata_schema) for each in told.inputs]
    return Requirements(version(*inputs), **options)


def faults(requirements: Requirements, info: SlideInfo = INFO, /, **cells: str) -> list[str]:
    entry = SlideEntry(
        path="/a.tiff", reference="a", cells={name.replace("__", "."): cell for name, cell in cells.items()}
    )
    return [str(fault) for fault in requirements.faults(entry, info)]


@pytest.mark.parametrize("ident", ["he-tme:v1.0.0", "he-tme:v1.1.0", "test-app:v0.0.1", "test-app:v0.0.2"])
def test_a_good_slide_has_no_faults(ident: str) -> None:
    assert faults(of_emulator(ident)) == []


def test_a_slide_becomes_an_artifact_under_the_version_s_names() -> None:
    entry = SlideEntry(
        path="/a.tiff", reference="a", cells={"staining_method": "H&E", "specimen.tissue": "LUNG"}
    )
    artifact = of_emulator("he-tme:v1.1.0").as_artifact(entry, INFO, url="https://h/a", checksum="4waSgw==")
    assert (artifact.name, artifact.download_url) == ("input_slide", "https://h/a")
    assert artifact.metadata == {
        "checksum_base64_crc32c": "4waSgw==",
        "width_px": 300,
        "height_px": 200,
        "resolution_mpp": 0.25,
        "media_type": "image/tiff",
        "staining_method": "H&E",
        "specimen": {"tissue": "LUNG"},
    }


CELL = "in its column of the manifest or with --metadata, or leave it out"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"staining_method": "PAS"}, f"correct staining_method, {CELL}"),
        ({"specimen__tissue": "MOON"}, f"correct specimen.tissue, {CELL}"),
        (
            {"specimen__disease": "x"},
            "give it: a column specimen.tissue in a manifest, or --metadata specimen.tissue=",
        ),
        ({"specimen": '{"tissue": 3}'}, f"correct specimen, {CELL}"),
        ({"specimen": "LUNG"}, f"correct specimen, {CELL}"),
        ({"colour": "red"}, "remove the column, or the --metadata, that the version does not know"),
        ({"width_px": "0"}, f"correct width_px, {CELL}"),
        (
            {"checksum_base64_crc32c": "752f9554"},
            f"correct checksum_base64_crc32c, {CELL}",
        ),
    ],
)
def test_each_fault_says_what_to_mend(cells: dict[str, str], told: str) -> None:
    found = faults(of_emulator("he-tme:v1.1.0"), INFO, **cells)
    assert any(told in fault for fault in found), found


def test_all_faults_of_a_slide_come_at_once() -> None:
    wide = evolve(INFO, width=400_000, mpp_x=9.0)
    found = faults(
        of_emulator("he-tme:v1.1.0"), wide, colour="red", staining_method="PAS", specimen__disease="x"
    )
    assert len(found) == 5, found
    assert any(
        "400000 is greater than the maximum of 300000; the version does not accept such a slide" in fault
        for fault in found
    )


def test_what_every_slide_lacks_is_told() -> None:
    schema = {"type": "object", "properties": {"site": {"type": "string"}}, "required": ["site"]}
    (told,) = faults(Requirements(version(("slide", "image/tiff", schema))))
    assert told.startswith("/a.tiff: metadata: 'site' is a required property; give it: a column site")


def test_slides_of_several_files_go_where_zips_are_taken() -> None:
    (told,) = faults(of_emulator("he-tme:v1.0.0"), SERIES)
    assert told == (
        "/a.tiff: it is 2 files, and the version asks for image/tiff; convert it to one file, or send it as "
        "one zip with --pack"
    )
    assert faults(of_emulator("he-tme:v1.0.0", pack=True), SERIES) == []
    assert faults(of_emulator("he-tme:v1.1.0"), SERIES) == [], "its schema lists application/zip"
    assert faults(Requirements(version(("slide", "application/zip", {}))), SERIES) == []


def test_what_may_identify_a_person_follows_the_policy_of_its_kind() -> None:
    exposed = evolve(INFO, identifying=(IdentifyingKind.LABEL, IdentifyingKind.PATIENT))
    for policy, refused, warned in (
        ("warn", 0, 2),
        ("refuse", 2, 0),
        ("allow", 0, 0),
        ({"patient": "refuse"}, 1, 1),
    ):
        requirements = of_emulator("he-tme:v1.1.0", identifying=policy)
        entry = SlideEntry(path="/a.tiff", reference="a", cells={})
        assert len(faults(requirements, exposed)) == refused
        assert [each.kind for each in requirements.warnings(entry, exposed)] == [FindingKind.PRIVACY] * warned


@pytest.mark.parametrize(
    ("inputs", "artifact", "told"),
    [
        ([], None, "needs 0 inputs for each item"),
        (
            [("he", "image/tiff", {}), ("ihc", "image/tiff", {})],
            None,
            r"needs 2 inputs for each item \(he, ihc\)",
        ),
        ([("he", "image/tiff", {})], "ihc", "has no input 'ihc'; it has he"),
        ([("he", "image/tiff", {"type": "objekt"})], None, "can't be used"),
    ],
)
def test_a_version_that_a_job_can_t_serve_is_refused(inputs: Any, artifact: str | None, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Requirements(version(*inputs), artifact)


# Cells


def read(schema: dict[str, Any], cells: dict[str, str]) -> dict[str, Any]:
    return CellReader(schema, schema_validator(schema)).read(cells)


def one(kind: dict[str, Any], text: str) -> Any:
    return read({"properties": {"x": kind}}, {"x": text})["x"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ({"type": "string"}, "12", "12"),
        ({"type": "string"}, "true", "true"),
        ({"type": "string"}, "null", "null"),
        ({"type": "integer"}, "12", 12),
        ({"type": "number"}, "0.25", 0.25),
        ({"type": "number"}, "0,25", 0.25),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, "false", False),
        ({"type": ["string", "number"]}, "12", 12),
        ({"enum": ["TRUE", "FALSE"]}, "TRUE", "TRUE"),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({"enum": [1, 2]}, "1", 1),
        ({"type": "array"}, '["a"]', ["a"]),
        ({}, "12", 12),
        ({}, "H&E", "H&E"),
        ({}, "NaN", "NaN"),
        ({"type": "integer"}, "many", "many"),
        ({"$ref": "#/nowhere"}, "12", 12),
        ({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]}, "12", 12),
    ],
)
def test_a_cell_means_what_the_schema_wants(kind: dict[str, Any], text: str, value: Any) -> None:
    found = one(kind, text)
    assert found == value
    assert type(found) is type(value)


def test_a_cell_is_understood_behind_references_and_in_combinations() -> None:
    schema = {
        "allOf": [{"properties": {"case": {"$ref": "#/$defs/text"}}}],
        "properties": {"specimen": {"$ref": "#/$defs/specimen"}},
        "$defs": {
            "text": {"type": "string"},
            "specimen": {
                "type": "object",
                "properties": {"block": {"$ref": "#/$defs/text"}, "depth": {"type": "number"}},
            },
        },
    }
    cells = {"case": "1", "specimen.block": "2", "specimen.depth": "3", "other.x": "4"}
    assert read(schema, cells) == {"case": "1", "specimen": {"block": "2", "depth": 3}, "other": {"x": 4}}


def test_a_dot_may_be_a_part_of_a_name() -> None:
    schema = {"properties": {"a.b": {"type": "string"}}}
    assert read(schema, {"a.b": "1", ".x": "y"}) == {"a.b": "1", ".x": "y"}


def test_a_field_adds_to_the_object_of_a_broader_column() -> None:
    assert read({}, {"a.b": "1", "a": '{"c": 2}'}) == {"a": {"b": 1, "c": 2}}


def test_what_one_slide_adds_to_an_object_is_not_the_next_one_s() -> None:
    reader = CellReader({}, None)
    assert reader.read({"a": '{"c": 2}', "a.b": "1"}) == {"a": {"b": 1, "c": 2}}
    assert reader.read({"a": '{"c": 2}'}) == {"a": {"c": 2}}


def test_texts_become_metadata_for_the_one_input_of_a_version() -> None:
    schema = {"properties": {"block": {"type": "string"}, "depth": {"type": "number"}}}
    texts = {"block": "1", "depth": "0,5", "specimen.disease": "LUNG"}
    told = {"specimen": {"disease": "LUNG"}}
    assert read_metadata(version(("he", "image/tiff", schema)), texts) == {"block": "1", "depth": 0.5, **told}
    two = version(("he", "image/tiff", schema), ("ihc", "image/tiff", schema))
    assert read_metadata(two, {**texts, "depth": "2"}) == {"block": 1, "depth": 2, **told}
    assert read_metadata(version(("he", "image/tiff", {"type": "objekt"})), {"block": "1"}) == {"block": 1}


@given(
    st.one_of(
        st.tuples(st.just({"type": "string"}), st.text()),
        st.tuples(st.just({"type": "integer"}), st.integers(-(2**62), 2**62)),
        st.tuples(st.just({"type": "number"}), st.floats(allow_nan=False, allow_infinity=False)),
        st.tuples(st.just({"type": "boolean"}), st.booleans()),
    )
)
def test_what_is_written_into_a_cell_is_what_it_means(pair: tuple[dict[str, Any], Any]) -> None:
    kind, value = pair
    assert one(kind, value if isinstance(value, str) else json.dumps(value)) == value
