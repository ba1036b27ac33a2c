"""Size, resolution and files of slides, real and synthetic."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from slide_files import read_slide, write_mirax

from aignostics_async import (
    NotASlide,
    ResolutionUnknown,
    Slide,
    SlideError,
    TransferError,
    find_slides,
)
from aignostics_async.emulator.synthetic import write_slide
from aignostics_async.slides._packing import one_file, packed


@pytest.mark.parametrize(
    ("name", "width", "height", "mpp", "mime_type"),
    [
        ("tissue_ihc.tiff", 2048, 2048, 0.5, "image/tiff"),
        ("small.svs", 16, 16, 0.499, "application/octet-stream"),
        ("boxes_1.dcm", 16, 16, 0.499, "application/zip"),
    ],
)
async def test_real_slides(
    shared: Path, name: str, width: int, height: int, mpp: float, mime_type: str
) -> None:
    info = await read_slide(Slide(shared / "slides" / name))
    assert (info.width, info.height) == (width, height)
    assert info.mpp_x == pytest.approx(mpp, rel=0.01)
    assert info.mpp_y == pytest.approx(mpp, rel=0.01)
    assert info.mime_type == mime_type


async def test_an_implausible_resolution_is_refused_with_the_remedy(shared: Path) -> None:
    boxes = shared / "slides" / "boxes.tiff"
    with pytest.raises(ResolutionUnknown, match=r"reads as 352.8 µm per pixel, outside 0.05 to 5") as caught:
        await read_slide(Slide(boxes))
    assert "Slide(..., mpp=0.25)" in caught.value.remedy
    assert str(caught.value) == f"{boxes}: {caught.value.problem}; {caught.value.remedy}"
    info = await read_slide(Slide(boxes, mpp=(0.25, 0.26)))
    assert (info.width, info.height, info.mpp_x, info.mpp_y) == (300, 250, 0.25, 0.26)


async def test_a_missing_resolution_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "none.tiff", width=600, height=520, mpp=None)
    with pytest.raises(ResolutionUnknown, match=r"the file has no resolution; give it for this slide"):
        await read_slide(Slide(path))
    assert (await read_slide(Slide(path, mpp=0.5))).mpp_y == 0.5


async def test_the_resolution_of_a_synthetic_slide_is_kept(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "a.tiff", width=600, height=520, mpp=0.25)
    info = await read_slide(Slide(path))
    assert info.mpp_x == pytest.approx(0.25, rel=1e-3)
    assert write_slide(tmp_path / "b.tiff", width=600, height=520, mpp=0.25).read_bytes() == path.read_bytes()


async def test_what_is_no_slide_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="there is no such file"):
        await read_slide(Slide(tmp_path / "none.svs"))
    with pytest.raises(SlideError, match="it is no file"):
        await read_slide(Slide(tmp_path))
    with pytest.raises(SlideError, match="it can't be read"):
        await read_slide(Slide(tmp_path / ("x" * 300 + ".svs")))
    (tmp_path / "text.svs").write_text("no slide")
    with pytest.raises(NotASlide, match="it is text, not a slide"):
        await read_slide(Slide(tmp_path / "text.svs"))


def test_a_folder_gives_its_slides_and_one_per_series(shared: Path) -> None:
    found = find_slides(shared / "slides")
    assert [slide.path.name for slide in found] == [
        "boxes.tiff",
        "boxes_0.dcm",
        "small.svs",
        "tissue_ihc.tiff",
    ]


async def test_a_series_in_capitals_is_whole(shared: Path, tmp_path: Path) -> None:
    for number in range(2):
        content = (shared / f"slides/boxes_{number}.dcm").read_bytes()
        (tmp_path / f"BOXES_{number}.DCM").write_bytes(content)
    (found,) = find_slides(tmp_path)
    assert [path.name for path in (await read_slide(found)).files] == ["BOXES_0.DCM", "BOXES_1.DCM"]


def test_links_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.svs").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "back").symlink_to(tmp_path / "folder")
    names = [
        slide.path.relative_to(tmp_path / "folder").as_posix() for slide in find_slides(tmp_path / "folder")
    ]
    assert names == ["link/a.svs"]


async def test_a_series_is_one_zip_that_is_always_the_same(shared: Path, tmp_path: Path) -> None:
    first = await read_slide(Slide(shared / "slides" / "boxes_0.dcm"))
    second = await read_slide(Slide(shared / "slides" / "boxes_1.dcm"))
    assert [path.name for path in first.files] == ["boxes_0.dcm", "boxes_1.dcm"]
    assert first == second
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one, two = await packed(first, tmp_path / "1"), await packed(second, tmp_path / "2")
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        assert [(entry.filename, entry.compress_type) for entry in archive.infolist()] == [
            ("00000.dcm", zipfile.ZIP_STORED),
            ("00001.dcm", zipfile.ZIP_STORED),
        ]
        for name, path in zip(archive.namelist(), first.files, strict=True):
            assert archive.read(name) == path.read_bytes()


async def test_a_mirax_slide_is_one_zip_with_its_folder(tmp_path: Path) -> None:
    info = await read_slide(Slide(write_mirax(tmp_path / "case.mrxs")))
    assert (info.width, info.height, info.mpp_x, info.mime_type) == (64, 64, 0.25, "application/zip")
    (tmp_path / "1").mkdir()
    path = await packed(info, tmp_path / "1")
    assert path.name == "case.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["case.mrxs", "case/Data0000.dat", "case/Index.dat", "case/Slidedat.ini"]
        archive.extractall(tmp_path / "2")
    assert (await read_slide(Slide(tmp_path / "2" / "case.mrxs"))).width == 64


async def test_a_single_file_is_sent_as_it_is(slide_file: Path, tmp_path: Path) -> None:
    assert await packed(await read_slide(Slide(slide_file)), tmp_path) == slide_file


async def test_a_name_that_no_zip_can_have_is_told(tmp_path: Path) -> None:
    info = await read_slide(Slide(write_mirax(tmp_path / os.fsdecode(b"caf\xe9.mrxs"))))
    with pytest.raises(TransferError, match="no valid Unicode"):
        async with one_file(info):
            pass
