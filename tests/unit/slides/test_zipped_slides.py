"""A zip of a DICOM series is taken with care: what it says of sizes, names and files is not trusted."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from slide_files import read_slide, write_dicom

from aignostics_async import Slide, SlideError, find_slides


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


def test_an_archive_with_a_nameless_entry_is_no_traceback(tmp_path: Path, series: Path) -> None:
    path = pack(series, tmp_path / "a.zip")
    content = path.read_bytes()
    at = content.rfind(b"PK\1\2")
    path.write_bytes(content[: at + 28] + b"\0\0" + content[at + 30 :])
    found = find_slides(tmp_path)
    assert len(found) + len(found.left_out) == 1
