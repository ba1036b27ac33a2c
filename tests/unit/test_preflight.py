"""Every fault of a run request, before it is sent."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from aignostics_async import ApplicationVersion, InputArtifact, InputArtifactSpec, Item
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
URL = "https://storage.example.com/slide?signature=CANARY"


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
    bad = item(url="ftp://host/slide?signature=CANARY" + "x" * 2100)
    assert len(faults(bad)) == 2
    assert not any("CANARY" in fault for fault in faults(bad))


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
