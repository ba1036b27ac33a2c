"""Ten faults at once, told together, with nothing sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from aignostics_async import InputArtifact, InvalidSubmission, Item, Slide
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

GOOD = {
    "checksum_base64_crc32c": "4waSgw==",
    "width": 10,
    "height": 10,
    "width_mpp": 0.5,
    "height_mpp": 0.5,
}


def item(reference: str, name: str = "slide", url: str = "https://h/a.tiff", **metadata: object) -> Item:
    return Item(reference, artifacts=[InputArtifact(name, url, {**GOOD, **metadata})])


async def test_ten_faults_at_once(emulator: Emulator) -> None:
    items = [
        item("twice"),
        item("twice"),
        item("   "),
        item("wrong name", name="scan"),
        Item("nothing"),
        item("hex", checksum_base64_crc32c="752f9554"),
        item("long", url="https://h/" + "x" * 3000),
        item("scheme", url="file:///etc/passwd"),
        item("small", width=0),
        item("text", height="tall"),
        item("extra", colour="red"),
        item("coarse", width_mpp=352.8),
    ]
    async with emulator.client() as client:
        version = await client.applications.version("he-tme:v1.0.0")
        emulator.set_faults()
        with pytest.raises(InvalidSubmission) as caught:
            await client.runs.create(version, items)
    faults = caught.value.faults
    assert {fault.reference for fault in faults} == {each.reference for each in items}
    assert len(faults) >= 12
    assert str(caught.value).count("\n  - ") == len(faults)
    assert emulator.requests() == []


async def test_slides_are_read_before_anything_is_uploaded(
    emulator: Emulator, slide: Slide, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.svs").write_bytes(b"II*\0")
    items = [
        Item("good", slide=slide),
        Item("trap", slide=Slide(shared / "slides/boxes.tiff")),
        Item("broken", slide=Slide(tmp_path / "broken.svs")),
        Item("gone", slide=Slide(tmp_path / "gone.svs")),
        Item("wrong input", slide={"scan": slide}),
        Item("good", slide=slide),
    ]
    async with emulator.client() as client:
        version = await client.applications.version("he-tme:v1.0.0")
        emulator.set_faults()
        with pytest.raises(InvalidSubmission) as caught:
            await client.runs.submit(version, items, store=emulator.store_url)
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 6, told
    for words in (
        "352.8 µm",
        "its directory of pictures can't be read (the file ends within it)",
        "no such file",
        "no such input",
        "used 2 times",
        "is missing",
    ):
        assert sum(words in fault for fault in told) == 1, (words, told)
    assert {each["method"] for each in emulator.requests()} <= {"GET"}, "no more than whether it is up"


async def test_too_many_items(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(InvalidSubmission, match="there are 501 items; a run takes 500 at most"):
            await client.runs.create("he-tme:v1.0.0", [item(str(number)) for number in range(501)])
