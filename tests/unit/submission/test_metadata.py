"""What is known of a slide, under the names that a schema asks for."""

from __future__ import annotations

from pathlib import Path

from aignostics_async import SlideInfo
from aignostics_async.submission._metadata import slide_metadata

SLIDE = SlideInfo(300, 200, 0.25, 0.26, "image/tiff", (Path("a.tiff"),))


def asked(*names: str, **rest: object) -> dict[str, object]:
    schema = {"properties": {name: {} for name in names}, **rest}
    return slide_metadata(schema, SLIDE, "4waSgw==")


def test_only_what_is_asked_for_is_given() -> None:
    assert asked() == {}
    assert asked("width", "colour") == {"width": 300}


def test_the_names_of_the_contract_s_example() -> None:
    assert asked("checksum_base64_crc32c", "width", "height", "width_mpp", "height_mpp") == {
        "checksum_base64_crc32c": "4waSgw==",
        "width": 300,
        "height": 200,
        "width_mpp": 0.25,
        "height_mpp": 0.26,
    }


def test_the_names_of_other_releases() -> None:
    assert asked("checksum_crc32c", "width_px", "height_px", "resolution_mpp", "media-type") == {
        "checksum_crc32c": "4waSgw==",
        "width_px": 300,
        "height_px": 200,
        "resolution_mpp": 0.25,
        "media-type": "image/tiff",
    }


def test_names_are_found_behind_references_and_in_combinations() -> None:
    schema = {
        "$ref": "#/$defs/slide~1part",
        "$defs": {"slide/part": {"allOf": [{"properties": {"width": {}}}, {"$ref": "#/$defs/more"}]},
                  "more": {"properties": {"mpp": {}}}},
    }  # fmt: skip
    assert slide_metadata(schema, SLIDE, "") == {"width": 300, "mpp": 0.25}


def test_a_schema_that_refers_to_itself_ends() -> None:
    assert slide_metadata({"$ref": "#"}, SLIDE, "") == {}
    assert slide_metadata({"$ref": "#/a", "a": {"$ref": "#/a"}}, SLIDE, "") == {}
    assert slide_metadata({"$ref": "#/nowhere"}, SLIDE, "") == {}
