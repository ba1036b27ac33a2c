"""Pictures of slides in a report, whatever the slides do to who reads them."""

from __future__ import annotations

import io
import logging
import shutil
import sys
from pathlib import Path

import pytest
from bulk_jobs import made_up_job
from PIL import Image
from slide_files import write_flavour, write_hanging

from aignostics_async import SlideError
from aignostics_async.bulk.database._states import ItemState
from aignostics_async.bulk.report._audit import JobStatus
from aignostics_async.bulk.report._write import write_report
from aignostics_async.bulk.report.html import _thumbnails
from aignostics_async.bulk.report.html._thumbnails import take_pictures
from aignostics_async.slides import _thumbnail
from aignostics_async.slides._thumbnail import thumbnail


def job_of(folder: Path, *slides: Path, aside: int = 0) -> Path:
    """Write a job of some slides, the last of them quarantined, and return its database."""
    with made_up_job(folder) as job:
        numbers = job.add(*(f"case-{n}" for n in range(len(slides))), paths=[str(path) for path in slides])
        job.move(
            numbers[len(numbers) - aside :], ItemState.QUARANTINED, fault="it can't be read", remedy="mend it"
        )
    return folder / "job.sqlite3"


def test_a_picture_is_small_and_of_the_slide(shared: Path) -> None:
    content = thumbnail(shared / "slides/tissue_ihc.tiff")
    assert len(content) < 15_000
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (200, 200), "RGB")
    assert not {"exif", "icc_profile", "comment"} & picture.info.keys(), "no more than pixels"
    assert len(picture.getcolors(200 * 200) or ()) > 1000


def test_a_picture_shows_no_label(shared: Path, tmp_path: Path) -> None:
    volume = Path(shutil.copy(shared / "slides/boxes_0.dcm", tmp_path))
    alone = thumbnail(volume)
    write_flavour(volume, tmp_path / "label.dcm", "LABEL", PatientName="Doe^Jane")
    write_flavour(volume, tmp_path / "over.dcm", "OVERVIEW")
    assert thumbnail(volume) == alone


def test_a_slide_without_a_small_level_is_not_read_whole(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thumbnail, "_MAX_PIXELS", 10_000)
    with pytest.raises(SlideError, match="it has no small picture of itself"):
        thumbnail(shared / "slides/tissue_ihc.tiff")


def test_damaged_pixels_are_told(shared: Path, tmp_path: Path) -> None:
    content = bytearray((shared / "slides/boxes.tiff").read_bytes())
    content[8:119] = bytes(111)  # its first tile
    (tmp_path / "damaged.tiff").write_bytes(content)
    with pytest.raises(SlideError, match="its pixels can't be read"):
        thumbnail(tmp_path / "damaged.tiff")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes in folders are a Unix thing")
@pytest.mark.process
async def test_slides_that_can_t_be_read_have_no_picture_and_the_report_is_written(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, modules = write_hanging(shared / "slides/small.svs", tmp_path)
    monkeypatch.syspath_prepend(modules)
    (tmp_path / "text.svs").write_text("no slide")
    good = shared / "slides/tissue_ihc.tiff"
    slides = (good, hanging, tmp_path / "text.svs", tmp_path / "none.svs", hanging, good)
    database = job_of(tmp_path, *slides, aside=2)
    monkeypatch.setattr(_thumbnails, "_PER_SLIDE", 3.0)
    assert set(await take_pictures(database)) == {1, 6}

    summary = await write_report(database, tmp_path / "report.html", tmp_path / "report.csv")
    assert summary.status is JobStatus.UNFINISHED
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<img src="data:image/jpeg;base64,/9j/') == 3, (
        "two of the first, one of those in trouble"
    )
    assert (tmp_path / "report.csv").is_file()


@pytest.mark.process
async def test_pictures_are_of_the_first_and_of_those_in_trouble(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thumbnails, "PICTURED", 2)
    database = job_of(tmp_path, *[shared / "slides/small.svs"] * 8, aside=3)
    assert sorted(await take_pictures(database)) == [1, 2, 6, 7]


async def test_nobody_waits_long_for_pictures(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thumbnails, "_PATIENCE", 0.0)
    database = job_of(tmp_path, shared / "slides/small.svs")
    assert await take_pictures(database) == {}


@pytest.mark.process
async def test_without_the_extra_there_are_none(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "modules").mkdir()
    for name in ("openslide", "pydicom"):
        (tmp_path / "modules" / f"{name}.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    database = job_of(tmp_path, *[shared / "slides/small.svs"] * 3)
    with caplog.at_level(logging.INFO):
        await write_report(database, tmp_path / "report.html")
    assert "needs the slides extra" in caplog.text
    assert "<img" not in (tmp_path / "report.html").read_text(encoding="utf-8")


async def test_pictures_that_nobody_wants_are_not_taken(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aignostics_async.bulk.report._write.take_pictures", None)
    database = job_of(tmp_path, shared / "slides/small.svs")
    await write_report(database, tmp_path / "report.html", pictures=False)
    await write_report(database, tmp_path / "report.csv", tmp_path / "report.json")
