"""What a slide consists of is decided by content: files of one slide, whatever they are called."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from slide_files import picture, read_slide, write_dicom, write_flavour, write_mirax, write_tiff

from aignostics_async import NotASlide, Slide, SlideError, SlideInfo, find_slides
from aignostics_async.slides._packing import packed
from aignostics_async.slides.files._members import claimed_files
from aignostics_async.slides.formats._detection import identify, identify_head


async def only(folder: Path) -> SlideInfo:
    """Return what the only slide in a folder says."""
    (slide,) = find_slides(folder)
    return await read_slide(slide)


def names(info: SlideInfo) -> list[str]:
    return [path.name for path in info.files]


@pytest.mark.parametrize("name", ["IM{:04}", "{}.dcm", "{}.DICOM", "slide-{}.tif", "{}.bak"])
async def test_a_series_is_one_slide_whatever_its_files_are_called(tmp_path: Path, name: str) -> None:
    paths = write_dicom(tmp_path, levels=3, name=name)
    info = await only(tmp_path)
    assert (info.width, info.mpp_x, info.mime_type) == (512, 0.5, "application/zip")
    assert list(info.files) == paths
    for path in paths:
        assert (await read_slide(Slide(path))).files == info.files, "any file of it stands for the slide"


async def test_a_series_of_which_one_file_lacks_its_suffix_is_whole(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, levels=3)
    paths[1].rename(tmp_path / "1")
    assert names(await only(tmp_path)) == ["0.dcm", "1", "2.dcm"]


async def test_every_member_of_a_zip_ends_as_dicom_does(tmp_path: Path) -> None:
    write_dicom(tmp_path / "in", name="IM{}")
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(await packed(await only(tmp_path / "in"), tmp_path / "out")) as archive:
        assert archive.namelist() == ["00000.dcm", "00001.dcm"]


async def test_a_series_over_two_folders_is_one_slide(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path / "DICOM", levels=3)
    (tmp_path / "DICOM2").mkdir()
    shutil.move(paths[1], tmp_path / "DICOM2" / "0.dcm")
    info = await only(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in info.files] == [
        "DICOM/0.dcm", "DICOM2/0.dcm", "DICOM/2.dcm"
    ]  # fmt: skip
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(await packed(info, tmp_path / "out")) as archive:
        assert archive.namelist() == ["00000.dcm", "00001.dcm", "00002.dcm"]


async def test_two_series_in_a_folder_are_two_slides(tmp_path: Path) -> None:
    write_dicom(tmp_path, name="a{}")
    write_dicom(tmp_path, name="b{}")
    assert [names(await read_slide(slide)) for slide in find_slides(tmp_path)] == [["a0", "a1"], ["b0", "b1"]]


async def test_copies_of_a_file_count_once(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, name="{}.dcm")
    shutil.copy(paths[0], tmp_path / "copy of 0.dcm")
    found = find_slides(tmp_path)
    assert names(await read_slide(found[0])) == ["0.dcm", "1.dcm"]
    ((left, reason),) = [(Path(each.path).name, each.reason) for each in found.left_out]
    assert (left, reason) == ("copy of 0.dcm", "duplicate")
    assert names(await read_slide(Slide(paths[1]))) == ["0.dcm", "1.dcm"]


async def test_one_instance_with_other_bytes_is_refused(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path)
    content = bytearray(paths[0].read_bytes())
    content[-100] ^= 1  # in the pixels of its last tile
    (tmp_path / "other.dcm").write_bytes(content)
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match="is the same instance of its series, with other bytes"):
        await read_slide(slide)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "zeros"])
async def test_a_series_without_its_base_level_is_refused(tmp_path: Path, damage: str) -> None:
    base, level, *_ = write_dicom(tmp_path, levels=3)
    size = base.stat().st_size
    if damage == "missing":
        base.unlink()
    else:
        kept = base.read_bytes()[: {"empty": 0, "cut": size // 2, "zeros": 0}[damage]]
        base.write_bytes(kept + bytes(size if damage == "zeros" else 0))
    (slide,) = find_slides(tmp_path)
    for each in (slide, Slide(level)):
        with pytest.raises(SlideError, match=r"full resolution is missing|0\.dcm, which may be a part of it"):
            await read_slide(each)


async def test_a_damaged_file_among_several_series_is_a_slide_of_its_own(tmp_path: Path) -> None:
    write_dicom(tmp_path, name="a{}.dcm")
    write_dicom(tmp_path, name="b{}.dcm")
    (tmp_path / "c.dcm").touch()
    found = find_slides(tmp_path)
    assert [slide.path.name for slide in found] == ["a0.dcm", "b0.dcm", "c.dcm"]
    assert names(await read_slide(found[0])) == ["a0.dcm", "a1.dcm"]
    with pytest.raises(NotASlide, match=r"it is empty \(0 bytes\); copy it again"):
        await read_slide(found[2])


async def test_a_series_with_too_few_tiles_is_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path, NumberOfFrames=3)
    with pytest.raises(SlideError, match=r"0\.dcm has 3 of 16 tiles"):
        await only(tmp_path)


async def test_labels_stay_at_home_unless_somebody_asks_for_them(tmp_path: Path) -> None:
    write_dicom(tmp_path, flavours=["LABEL", "OVERVIEW", "THUMBNAIL"])
    info = await only(tmp_path)
    assert names(info) == ["0.dcm", "1.dcm", "4.dcm"]
    assert info.identifying == ()
    (slide,) = find_slides(tmp_path)
    everything = await read_slide(Slide(slide.path, files=slide.files, include_label=True))
    assert len(everything.files) == 5
    assert everything.identifying == ("label", "macro")


async def test_what_is_dicom_and_no_slide_is_left_out(tmp_path: Path) -> None:
    (scan, *_) = write_dicom(tmp_path / "ct", levels=1)
    write_flavour(scan, scan, "VOLUME", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    write_dicom(tmp_path / "slide")
    found = find_slides(tmp_path)
    assert [slide.path.parent.name for slide in found] == ["slide"]
    ((path, reason, detail),) = [(each.path, each.reason, each.detail) for each in found.left_out]
    assert (path, reason) == (str(scan), "format")
    assert detail == "it is DICOM, and not a slide (CT Image Storage)"
    with pytest.raises(NotASlide, match="CT Image Storage"):
        await read_slide(Slide(scan))


async def test_a_zip_of_one_series_is_a_slide(tmp_path: Path) -> None:
    write_dicom(tmp_path / "in", name="IM{}", mpp=0.25)
    (tmp_path / "out").mkdir()
    archive = await packed(await only(tmp_path / "in"), tmp_path / "out")
    info = await only(tmp_path / "out")
    assert (info.width, info.mpp_x, info.mime_type) == (512, 0.25, "application/zip")
    assert info.files == (archive,)
    assert await packed(info, tmp_path) == archive
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(SlideError, match="its archive can't be read"):
        await read_slide(Slide(archive))


async def test_a_zip_of_other_things_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "x")
    found = find_slides(tmp_path)
    assert (list(found), found.left_out[0].reason) == ([], "format")
    with pytest.raises(NotASlide, match="no DICOM file"):
        await read_slide(Slide(tmp_path / "a.zip"))


async def test_a_mirax_slide_is_what_its_index_names(tmp_path: Path) -> None:
    path = write_mirax(tmp_path / "case.mrxs")
    for name in ("Thumbs.db", ".DS_Store", "notes.txt"):
        (tmp_path / "case" / name).write_text("x")
    info = await only(tmp_path)
    assert names(info) == ["case.mrxs", "Slidedat.ini", "Index.dat", "Data0000.dat"]
    (tmp_path / "case" / "Data0000.dat").unlink()
    with pytest.raises(SlideError, match=r"Data0000\.dat, which belongs to it, is missing; copy the index"):
        await read_slide(Slide(path))
    shutil.rmtree(tmp_path / "case")
    with pytest.raises(SlideError, match=r"copy case\.mrxs together with the folder case"):
        await read_slide(Slide(path))


VMS = (
    "[Virtual Microscope Specimen]\nNoLayers=1\nImageFile=s.jpg\nImageFile(1,0)=s(1,0).jpg\nMapFile=map.jpg\n"
)


async def test_the_files_that_an_index_names_are_the_slide_s(tmp_path: Path) -> None:
    (tmp_path / "s.vms").write_text(VMS)
    for name in ("s.jpg", "map.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    found = find_slides(tmp_path)
    assert [slide.path.name for slide in found] == ["s.vms"]
    assert found.left_out == ()
    with pytest.raises(SlideError, match=r"s\(1,0\)\.jpg, which belongs to it, is missing"):
        await read_slide(found[0])


async def test_the_channels_of_one_scan_are_not_slides_by_themselves(tmp_path: Path) -> None:
    for name in ("a_FITC.svs", "a_DAPI.svs"):
        write_tiff(tmp_path / name)
    (tmp_path / "a.afi").write_text(
        "<ImageList><Image><Path>a_FITC.svs</Path></Image><Image><Path>a_DAPI.svs</Path></Image></ImageList>"
    )
    (slide,) = find_slides(tmp_path)
    with pytest.raises(NotASlide, match="it lists fluorescence channels"):
        await read_slide(slide)


@pytest.mark.parametrize("name", ["secret.jpg", "a name that no file system looks for" * 9])
async def test_an_index_never_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "s.vms").write_text(f"[Virtual Microscope Specimen]\nImageFile=../{name}\n")
    with pytest.raises(SlideError, match="belongs to it, is outside of its folder"):
        await read_slide(Slide(tmp_path / "in" / "s.vms"))


async def test_a_slide_that_is_not_the_first_picture_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.ome.tiff", first=[(picture(512, 256), "macro")])
    with pytest.raises(
        SlideError, match="its first picture has 512 x 256 pixels, and another one in it 1024"
    ):
        await read_slide(Slide(path))


async def test_pipes_beside_a_series_are_not_waited_for(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path)
    os.mkfifo(tmp_path / "pipe.dcm")
    os.mkfifo(tmp_path / "pipe")
    assert names(await read_slide(Slide(paths[0]))) == ["0.dcm", "1.dcm"]


def test_a_damaged_index_of_channels_takes_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.afi"
    path.write_text("<ImageList><Image><Path>" + " " * 50_000)
    assert claimed_files(path, identify(path)) == ()


GROUP_LENGTH = b"\2\0\0\0UL\4\0\x50\0\0\0"


@pytest.mark.parametrize("before", [GROUP_LENGTH, b""], ids=["group length", "nothing before"])
@pytest.mark.parametrize(("cut", "kind"), [(0, "1.2.840.10008.5.1"), (1, "")])
def test_the_kind_of_a_dicom_file_stands_in_its_first_bytes(before: bytes, cut: int, kind: str) -> None:
    head = bytes(128) + b"DICM" + before + b"\2\0\2\0UI\x12\0" + b"1.2.840.10008.5.1\0"
    assert identify_head(head[: len(head) - cut]).kind == kind
