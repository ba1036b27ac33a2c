"""Files of any size and kind: no more of them is read than a slide can need, and none ends a search."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from slide_files import make_old, read_slide, write_dicom, write_mirax, write_tiff

from aignostics_async import Slide, SlideError, find_slides

_HUGE = 2**40  # no machine has the memory for it, and a sparse file takes no room


def _grow(path: Path, size: int = _HUGE) -> Path:
    os.truncate(path, size)
    return make_old(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.vms", b"[Virtual Microscope Specimen]\nImageFile=a.jpg\n"),
        ("a.vmu", b"[Uncompressed Virtual Microscope Specimen]\nImageFile=a.ngr\n"),
        ("a.afi", b"<ImageList><Image><Path>a.svs</Path></Image></ImageList>"),
    ],
)
async def test_an_index_file_of_any_size_is_a_slide_with_a_fault(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (slide,) = find_slides(_grow(path).parent)
    with pytest.raises(SlideError):
        await read_slide(slide)


@pytest.mark.parametrize("name", ["Slidedat.ini", "Index.dat"])
async def test_a_mirax_index_of_any_size_is_refused(tmp_path: Path, name: str) -> None:
    path = write_mirax(tmp_path / "a.mrxs")
    _grow(tmp_path / "a" / name)
    with pytest.raises(SlideError, match=rf"{name}.* can't be read \(File too large\)") as caught:
        await read_slide(Slide(path))
    assert caught.value.remedy


async def test_a_dicom_element_of_any_size_is_refused(tmp_path: Path) -> None:
    (path,) = write_dicom(tmp_path, levels=1)
    content = path.read_bytes()
    at = content.index(b"\x08\0\x60\0CS")
    path.write_bytes(content[:at] + struct.pack("<HH2sHI", 9, 0x1010, b"OB", 0, 0xF0000000))
    (slide,) = find_slides(_grow(path, 2**33).parent)
    with pytest.raises(SlideError, match="it has an element of 4,026,531,840 bytes"):
        await read_slide(slide)


async def test_directories_of_a_tiff_of_any_number_are_refused(tmp_path: Path) -> None:
    """Each names the same tables, so that a small file would take all memory."""
    tags = [(256, 4, 1, 65536), (257, 4, 1, 65536), (324, 4, 2_000_000, 0), (325, 4, 2_000_000, 0)]
    length = 2 + 12 * len(tags) + 4
    content = b"II*\0\x08\0\0\0"
    for number in range(1, 101):
        entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
        content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", 8 + number * length)
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(SlideError, match="it lists more than a slide can have"):
        await read_slide(Slide(_grow(path, 20_000_000)))


@pytest.mark.parametrize("kind", [2, 7, 11, 12])
def test_a_tag_of_another_type_ends_no_search(tmp_path: Path, kind: int) -> None:
    """A pointer to other directories that is a text or a fraction."""
    value = (0.5,) if kind > 7 else b"abcdefgh"
    write_tiff(tmp_path / "scan", side=256, tags=[(330, kind, len(value), value, True)])
    assert [slide.path.name for slide in find_slides(tmp_path)] == ["scan"]


async def test_a_pipe_beside_a_slide_is_not_opened(tmp_path: Path) -> None:
    text = '<OME><BinaryOnly MetadataFile="b.ome" UUID="urn:uuid:1"/></OME>'
    path = write_tiff(tmp_path / "a.tif", side=256, description=text)
    os.mkfifo(tmp_path / "b.ome")
    with pytest.raises(SlideError, match="it is no file"):
        await read_slide(Slide(path))


@pytest.mark.parametrize("name", ["a.svs ", "b.svs.", "c.svs;1", "d.svs?token=1", "e.svs~", "f.svs_old"])
def test_a_damaged_slide_is_told_whatever_a_program_has_added_to_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    (left,) = find_slides(tmp_path).left_out
    assert left.is_slide


def test_what_can_not_be_read_may_be_a_slide(tmp_path: Path) -> None:
    (tmp_path / "IM0003").symlink_to("gone")
    (tmp_path / "IM0004").symlink_to("IM0004")
    os.mkfifo(tmp_path / "pipe")
    told = {Path(left.path).name: left.is_slide for left in find_slides(tmp_path).left_out}
    assert told == {"IM0003": True, "IM0004": True, "pipe": False}
