"""A zip of a DICOM series is taken with care: what it says of sizes, names and files is not trusted."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from slide_files import read_slide, write_dicom

from aignostics_async import Slide, SlideError, find_slides
from aignostics_async.slides._read import read_slide_here
from aignostics_async.slides.formats._zipped import read_zipped

UNPACKED = [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
SMALL, WIDE, MANY = {"side": 1024, "frames": 1}, {"side": 1024, "frames": 3}, {"side": 512, "frames": 12}
RGB = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
GREY = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}
DEEP = {**GREY, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}


def pack(folder: Path, path: Path, *, prefix: str = "", compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    write_dicom(folder)
    return folder


def write_raw(folder: Path, *, side: int, frames: int, behind: int, **fields: Any) -> None:
    """Write a slide of one level that is not compressed, and `behind` bytes of padding after its pixels."""
    (path,) = write_dicom(folder, levels=1)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.Rows = dataset.Columns = dataset.TotalPixelMatrixRows = side
    dataset.NumberOfFrames, dataset.TotalPixelMatrixColumns = frames, side * frames
    for name, value in fields.items():
        setattr(dataset, name, value)
    count = side * side * frames * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
    dataset.PixelData = np.random.default_rng(1).integers(90, 220, count, dtype=np.uint8).tobytes()
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OW", False
    dataset.DataSetTrailingPadding = bytes(behind)
    dataset.save_as(path, implicit_vr=False, little_endian=True)


async def refused(path: Path, words: str) -> None:
    with pytest.raises(SlideError, match=words):
        await read_slide(Slide(path))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
async def test_a_whole_series_is_read_and_decoded(tmp_path: Path, series: Path, compression: int) -> None:
    path = pack(series, tmp_path / "a.zip", prefix="DICOM/", compression=compression)
    (slide,) = find_slides(tmp_path)
    assert (await read_slide(slide, decode=True)).width == 512
    assert path.exists()


@pytest.mark.parametrize("prefix", ["../", "C:\\", "a/../../"])
async def test_a_path_that_leads_out_is_refused(tmp_path: Path, series: Path, prefix: str) -> None:
    await refused(pack(series, tmp_path / "a.zip", prefix=prefix), "leads out of it")


async def test_a_bomb_is_refused_unread(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2.dcm", bytes(50_000_000))
    await refused(path, "would unpack to 50,.* bytes, which no slide does")


async def test_an_encrypted_one_is_said_to_be_so(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = content.find(magic)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(magic, at + 4)
    path.write_bytes(content)
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match="its archive is encrypted"):
        await read_slide(slide)


async def test_links_and_equal_names_are_refused(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    link = zipfile.ZipInfo("2.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    await refused(path, r"holds a link \(2\.dcm\)")
    path = pack(series, tmp_path / "b.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(series / "0.dcm", "0.DCM")
    await refused(path, "two files of the same name")
    path = pack(series, tmp_path / "c.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(series / "0.dcm", "again.dcm")
    await refused(path, "again.dcm in its archive is the same instance of its series as 0.dcm")


async def test_a_series_without_its_base_is_refused(tmp_path: Path, series: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(series, folder)
    (folder / "0.dcm").unlink()
    await refused(pack(folder, tmp_path / "a.zip"), "full resolution is missing")


async def test_damage_within_is_found_by_decoding(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    at = content.find(b"\xff\xd8\xff", len(content) // 2)
    content[at + 300 : at + 340] = bytes(40)
    path.write_bytes(content)
    await read_slide(Slide(path))
    with pytest.raises(SlideError, match="its archive can't be unpacked"):
        await read_slide(Slide(path), decode=True)


def check_checksum(path: Path) -> None:
    """Read an archive of one slide, then find that its checksum is another one in both of its headers."""
    read_zipped(path)
    with zipfile.ZipFile(path) as archive:
        (entry,) = archive.infolist()
    content, checksum = path.read_bytes(), entry.CRC.to_bytes(4, "little")
    assert content.count(checksum) == 2
    path.write_bytes(content.replace(checksum, (entry.CRC ^ 1).to_bytes(4, "little")))
    with pytest.raises(SlideError, match="Bad CRC-32"):
        read_zipped(path)


@pytest.mark.parametrize("compression", UNPACKED)
def test_a_wrong_checksum_is_found(tmp_path: Path, compression: int) -> None:
    write_dicom(tmp_path / "in", levels=1)
    check_checksum(pack(tmp_path / "in", tmp_path / "a.zip", compression=compression))


@pytest.mark.sampled(test=16, fast=6)
@pytest.mark.parametrize("organization", ["TILED_FULL", "TILED_SPARSE"])
@pytest.mark.parametrize("is_planar", [0, 1])
@pytest.mark.parametrize("pixels", [RGB, GREY, DEEP])
@pytest.mark.parametrize("shape", [SMALL, WIDE, MANY])
@pytest.mark.parametrize("behind", [0, 100_000])
def test_a_wrong_checksum_is_found_whatever_of_raw_pixels_is_read(
    tmp_path: Path,
    shape: dict[str, int],
    pixels: dict[str, Any],
    behind: int,
    organization: str,
    is_planar: int,
) -> None:
    fields = {**pixels, "DimensionOrganizationType": organization, "PlanarConfiguration": is_planar}
    write_raw(tmp_path / "in", behind=behind, **shape, **fields)
    check_checksum(pack(tmp_path / "in", tmp_path / "a.zip", compression=zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("compression", UNPACKED)
def test_damage_of_any_compression_is_no_traceback(tmp_path: Path, series: Path, compression: int) -> None:
    path = pack(series, tmp_path / "a.zip", compression=compression)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(each ^ 0x55 for each in content[60:90])
    path.write_bytes(content)
    found = find_slides(tmp_path)
    assert len(found) + len(found.left_out) == 1
    with pytest.raises(SlideError, match=r"can't be read \((?!None)"):
        read_slide_here(Slide(path))


def test_an_archive_with_a_nameless_entry_is_no_traceback(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    content = path.read_bytes()
    at = content.rfind(b"PK\1\2")
    path.write_bytes(content[: at + 28] + b"\0\0" + content[at + 30 :])
    found = find_slides(tmp_path)
    assert len(found) + len(found.left_out) == 1
