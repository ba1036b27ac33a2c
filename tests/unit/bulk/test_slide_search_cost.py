"""What a search reads: one open and 4 KiB of a file that is no slide, and no file of a series twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from counted_reads import Reads
from rounds import sizes
from slide_cases import other_kind
from slide_files import write_dicom

from aignostics_async import find_slides
from aignostics_async.bulk import Sources
from aignostics_async.bulk.preflight.sources._walk import Walk

KINDS = {
    "notes.txt": b"x" * 9000,
    "scan.xml": b"<?xml version='1.0'?>" + b" " * 9000,
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(9000),
    "report.pdf": b"%PDF-1.7" + bytes(9000),
    "table.csv": b"a,b\n" * 4000,
    "noise.bin": bytes(range(256)) * 40,
    "old.zvi": bytes(range(256)) * 40,
    "none": b"",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", sizes(400, 100_000))
def test_what_is_no_slide_costs_one_open_and_four_kib(tmp_path: Path, count: int) -> None:
    kinds = list(KINDS.items())
    for number in range(count):
        folder = tmp_path / str(number % 100)
        folder.mkdir(exist_ok=True)
        name, content = kinds[number % len(kinds)]
        (folder / f"{number}{name}").write_bytes(content[:5000] if count > 1000 else content)
    with pytest.MonkeyPatch.context() as patch:
        reads = Reads()
        patch.setattr(Path, "open", reads.counting())
        found = find_slides(tmp_path)
        first = dict(reads.opens)
        listed = list(Walk(Sources(places=[tmp_path])).candidates())
    assert (list(found), listed) == ([], [])
    assert len(found.left_out) == count, "every file is accounted for"
    assert max(first.values()) == 1
    assert reads.opens == first, "a second search reads nothing again"
    assert max(reads.bytes.values()) <= 4096


@pytest.mark.timeout(600)
@pytest.mark.parametrize("series", sizes(4, 400))
def test_a_flat_folder_of_dicom_is_read_once(tmp_path: Path, series: int) -> None:
    tmp_path = tmp_path / "lab" / "flat"  # the folders beside it are looked into
    for number in range(series):
        write_dicom(tmp_path, levels=3, name=f"{number}_{{}}", flavours=["LABEL"] * 2)
    other_kind("1.2.840.10008.5.1.4.1.1.2")(tmp_path)
    ct = tmp_path / "0.dcm"
    with pytest.MonkeyPatch.context() as patch:
        reads = Reads()
        patch.setattr(Path, "open", reads.counting())
        found = find_slides(tmp_path)
    assert len(found) == series
    assert reads.opens[str(ct)] == 1, "its first bytes tell that it is no slide"
    assert max(reads.opens.values()) <= 2, "its first bytes, and its header"
    assert len(reads.opens) == len(list(tmp_path.iterdir()))
