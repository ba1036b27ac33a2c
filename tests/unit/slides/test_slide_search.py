"""Every file that a search sees is a slide, or is accounted for with the reason."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from slide_files import read_slide, write_dicom, write_tiff

from aignostics_async import (
    FoundSlides,
    LeftOutReason,
    NotASlide,
    Slide,
    SlideError,
    UsageError,
    find_slides,
)

HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(1, 60))


def found(root: Path) -> list[str]:
    return [slide.path.relative_to(root).as_posix() for slide in find_slides(root)]


def left_out(root: Path, slides: FoundSlides) -> dict[str, str]:
    return {Path(each.path).relative_to(root).as_posix(): str(each.reason) for each in slides.left_out}


def touch(root: Path, *names: str, content: bytes = b"x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def test_content_decides_and_a_suffix_is_a_claim(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write_tiff(tmp_path / "scan")
    write_tiff(tmp_path / "b/SCAN.bak")
    write_dicom(tmp_path / "c", levels=1, name="IM0001")
    touch(tmp_path, "broken.svs", "two.SVS", "x.ndpi", "y.mrxs", "z.scn", "q.qptiff", content=b"")
    assert found(tmp_path) == [
        "b/SCAN.bak", "broken.svs", "c/IM0001", "q.qptiff", "scan", "two.SVS", "x.ndpi", "y.mrxs", "z.scn"
    ]  # fmt: skip


def test_everything_else_is_accounted_for(tmp_path: Path) -> None:
    touch(tmp_path, "README.md", "sub/list.csv", ".hidden.svs", ".cache/a.svs", "$RECYCLE.BIN/b.svs")
    touch(
        tmp_path, "#recycle/c.tif", "@eaDir/d.svs", "lost+found/e", "a.vsi", "b.isyntax", ".Trash-1000/f.svs"
    )
    touch(tmp_path, ".DS_Store", "Thumbs.db", "._a.svs", "sub/desktop.ini")
    slides = find_slides(tmp_path)
    assert slides == []
    assert left_out(tmp_path, slides) == {
        "#recycle": "trash", "$RECYCLE.BIN": "trash", "@eaDir": "trash", "lost+found": "trash",
        ".Trash-1000": "trash", ".cache": "hidden", ".hidden.svs": "hidden", "README.md": "format",
        "a.vsi": "format", "b.isyntax": "format", "sub/list.csv": "format",
    }  # fmt: skip
    assert {Path(each.path).name for each in slides.left_out if each.is_slide} == {
        "#recycle", "$RECYCLE.BIN", "@eaDir", ".Trash-1000", ".cache", ".hidden.svs", "a.vsi", "b.isyntax"
    }  # fmt: skip
    assert all(each.detail for each in slides.left_out if each.reason != LeftOutReason.HIDDEN)


def test_links_are_one_file(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "b.svs")
    (tmp_path / "a.svs").hardlink_to(path)
    (tmp_path / "c.svs").symlink_to(path)
    (tmp_path / "folder").symlink_to(tmp_path)
    slides = find_slides(tmp_path)
    assert [slide.path.name for slide in slides] == ["a.svs"]
    assert left_out(tmp_path, slides) == {"b.svs": "duplicate", "c.svs": "duplicate"}
    assert {each.detail for each in slides.left_out} == {f"it is the same file as {tmp_path}/a.svs"}


def test_a_file_of_two_places_is_one_slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dicom(tmp_path / "lab/b")
    write_tiff(tmp_path / "lab/a.svs")
    (tmp_path / "link").symlink_to("lab")
    (tmp_path / "c.svs").symlink_to("lab/a.svs")
    monkeypatch.chdir(tmp_path)
    for other in (tmp_path / "lab", Path("lab/../lab"), Path("link")):
        slides = find_slides("lab", other)
        assert [str(slide.path) for slide in slides] == ["lab/a.svs", "lab/b/0.dcm"]
        assert {each.path for each in slides.left_out} == {
            str(other / name) for name in ("a.svs", "b/0.dcm", "b/1.dcm")
        }
    slides = find_slides("lab/a.svs", "c.svs")
    assert [str(slide.path) for slide in slides] == ["lab/a.svs"]
    assert [(each.path, each.reason) for each in slides.left_out] == [("c.svs", LeftOutReason.DUPLICATE)]


@pytest.mark.parametrize("first", ["__MACOSX/._0.dcm", "slide/.DS_Store", "README.txt"])
def test_a_zip_with_another_file_before_its_series_is_not_lost(tmp_path: Path, first: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(first, b"x")
        for path in write_dicom(tmp_path / ".in"):
            archive.write(path, path.name)
    assert found(tmp_path) == ["a.zip"]


@pytest.mark.parametrize(
    ("name", "share", "detail"),
    [
        ("lung/a.svs", 1, "it is a ZIP archive with lung/a.svs in it"),
        ("a.txt", 0.5, "it is a ZIP archive that can't be read"),
        ("a.txt", 1, ""),
    ],
)
def test_a_zip_that_may_hold_slides_is_told(tmp_path: Path, name: str, share: float, detail: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, bytes(100))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    slides = find_slides(tmp_path)
    assert slides == []
    assert [each.detail for each in slides.left_out if each.is_slide] == [detail] * bool(detail)


def test_a_camera_s_picture_is_no_slide(tmp_path: Path) -> None:
    import tifffile
    from slide_files import picture

    tifffile.imwrite(tmp_path / "photo.nef", picture(64, 64))
    slides = find_slides(tmp_path)
    assert slides == []
    assert slides.left_out[0].detail == "it is a TIFF without tiles, not a slide"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read as a folder"):
        find_slides(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.svs", b"", "it is empty (0 bytes); copy it again"),
        (
            "a.svs",
            bytes(5000),
            "it begins with nothing but zeros; it was not copied to its end",
        ),
        (
            "a.tif",
            HTML,
            "it is a web page (HTML), as a failed download leaves behind; download",
        ),
        (
            "a.svs",
            POINTER,
            "it is a Git LFS pointer, not the file that it stands for; fetch it",
        ),
        ("a.tif", JPEG, "it is a JPEG picture, not a slide; give the slide that it was made from"),
        ("a.tif", b"\x89PNG\r\n", "it is a PNG picture, not a slide"),
        ("a.svs", b"\x1f\x8b\x08\0", "it is a gzip archive, not a slide; unpack it"),
        ("a.vsi", b"II*\0\x08\0\0\0", "its format (.vsi) can't be read by OpenSlide; export it"),
        ("a.svs", b"hello", "it is text, not a slide; leave it out"),
        ("a.mrxs", JPEG, "its folder a is not beside it, and holds all of its pixels; copy a.mrxs together"),
        ("a.svs", b"II*\0", "copy it again"),
    ],
    ids=["empty", "zeros", "html", "lfs", "jpeg", "png", "gzip", "vsi", "text", "mirax", "tiff"],
)
async def test_the_usual_wrong_files_are_told_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SlideError) as caught:
        await read_slide(Slide(tmp_path / name))
    assert words in str(caught.value)
    assert caught.value.remedy


async def test_a_tiff_in_strips_is_told_with_what_to_do(tmp_path: Path) -> None:
    import tifffile
    from slide_files import picture

    tifffile.imwrite(tmp_path / "a.tif", picture(64, 64))
    with pytest.raises(SlideError, match="convert it to a tiled, pyramidal TIFF"):
        await read_slide(Slide(tmp_path / "a.tif"))


async def test_damaged_files_are_slides_with_a_reason(tmp_path: Path, shared: Path) -> None:
    shutil.copy(shared / "slides/small.svs", tmp_path / "good.svs")
    touch(tmp_path, "a.svs", "b.dcm")
    slides = find_slides(tmp_path)
    assert [slide.path.name for slide in slides] == ["a.svs", "b.dcm", "good.svs"]
    for slide in slides[:2]:
        with pytest.raises(NotASlide):
            await read_slide(slide)
    assert (await read_slide(slides[2])).width == 16
