"""Quarantined slides continue with another resolution or other metadata, checked as at the beginning."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bulk_command import Command
from running_jobs import RATE, SETTINGS, JobHarness
from slide_files import make_old, write_tiff

from aignostics_async import ConfigurationError, UsageError
from aignostics_async.bulk import JobStatus, Sources, create_job
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.both_contracts


@pytest.fixture
async def harness(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    slide = make_old(write_slide(tmp_path / "source.tiff", width=300, height=260))
    async with emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide)


async def begin(harness: JobHarness) -> Path:
    """Begin a job of three slides, of which two have no resolution, and return their folder."""
    folder = harness.folder / "slides"
    folder.mkdir()
    for name, mpp in (("good", 0.5), ("one", None), ("two", None)):
        make_old(write_tiff(folder / f"{harness.folder.name}-{name}.tiff", mpp=mpp, side=512))
    sources = Sources(places=[folder])
    await create_job(harness.job, harness.plan(), sources, harness.client, quarantine_faulty=True)
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    return folder


async def test_lines_of_a_manifest_correct_what_they_name(harness: JobHarness) -> None:
    folder = await begin(harness)
    name = harness.folder.name
    manifest = harness.folder / "in.csv"
    lines = [f"slides/{name}-{each}" for each in ("good.tiff;;", "one.tiff;0,25;", "two.tiff;0,25;500")]
    manifest.write_text("\n".join(["path;mpp;width_px", *lines]))
    before = harness.states()
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
        assert (report.released, report.unused) == (1, 1)
        (fault,) = report.faults
        assert fault.slide == str(folder / f"{name}-two.tiff")
        (error,) = (await job.correct(harness.client, manifest=harness.folder / "gone.csv")).faults
        assert "the manifest can't be read" in str(error)
    after = harness.states()
    assert {each for each in after if after[each] != before[each]} == {"one.tiff"}
    manifest.write_text("\n".join(["path;mpp;width_px", *lines]).replace(";500", ";"))
    async with harness.opened() as job:
        assert (await job.correct(harness.client, manifest=manifest)).released == 1
    assert (await harness.run()).status is JobStatus.DONE


async def test_a_line_that_was_refused_is_taken_when_it_is_mended(harness: JobHarness) -> None:
    harness.copy("a", "b")
    manifest = harness.folder / "in.csv"
    lines = [f"{harness.path('a')},{harness.path('a').stem},", f"{harness.path('b')},,250"]
    manifest.write_text("\n".join(["path,reference,mpp", *lines]))
    sources = Sources(manifest=manifest)
    await create_job(harness.job, harness.plan(), sources, harness.client, quarantine_faulty=True)
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    text = manifest.read_text().replace(",,250", f",{harness.path('a').stem},")
    manifest.write_text(text)
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
        assert "is that of another slide of the job" in str(report.faults[0])
        manifest.write_text(
            text.replace(f"b.tiff,{harness.path('a').stem}", f"b.tiff,{harness.path('b').stem}")
        )
        assert (await job.correct(harness.client, manifest=manifest)).released == 1
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")


@pytest.mark.parametrize("references", ["relpath", "pseudonyms"])
async def test_lines_move_when_a_sheet_is_mended(harness: JobHarness, references: str) -> None:
    folder = harness.folder / "lab" / "lung"
    folder.mkdir(parents=True)
    lines = [f"lung/{path.rename(folder / path.name).name}," for path in harness.copy("a", "b", "c")]
    refused = f"{lines[1]}of 40x"
    manifest = folder.parent / "in.csv"
    manifest.write_text("\n".join(["path,mpp", ",0.5", lines[0], refused, lines[2]]))
    sources = Sources(manifest=manifest, reference_from=references)
    await create_job(harness.job, harness.plan(), sources, harness.client, quarantine_faulty=True)
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    mended = manifest.with_name("mended.csv")
    mended.write_text("\n".join(["path,mpp", *lines]))
    async with harness.opened() as job:
        assert (await job.correct(harness.client, manifest=mended)).released == 1
        assert (await job.correct(harness.client, manifest=mended)).released == 0
    await harness.run()
    assert Counter(harness.states().values()) == {"DONE": 3, "SET_ASIDE": 1}
    done = harness.rows("SELECT path, reference FROM items WHERE state = 'DONE' ORDER BY path")
    assert [path for path, _ in done] == sorted(map(str, folder.iterdir()))
    assert {f"{reference}," in lines for _, reference in done} == {references == "relpath"}


async def test_a_correction_that_is_none_changes_nothing(harness: JobHarness) -> None:
    folder = await begin(harness)
    before = harness.rows("SELECT * FROM items")
    async with harness.opened() as job:
        wrong: list[dict[str, Any]] = [{}, {"mpp": 250.0}]
        for options in [*wrong, *({"mpp": 0.25, "only": only} for only in ("one", None, [5]))]:
            with pytest.raises((UsageError, ConfigurationError)):
                await job.correct(harness.client, **options)
        make_old(write_tiff(folder / f"{harness.folder.name}-one.tiff", mpp=0.5, side=512))
        report = await job.correct(harness.client, mpp=0.25, only=["*-one.tiff"])
    assert report.released == 0
    assert "its file says 0.5 µm per pixel, and 0.25 was given" in str(report.faults[0])
    assert harness.rows("SELECT * FROM items") == before


def test_the_command_retries_with_corrections(emulator: Emulator, tmp_path: Path) -> None:
    emulator.reset(clock_rate=RATE)
    bulk = Command(emulator, tmp_path)
    (tmp_path / "slides").mkdir()
    for name, mpp in (("a", 0.5), ("b", None), ("c", None)):
        make_old(write_tiff(tmp_path / "slides" / f"{tmp_path.name}-{name}.tiff", mpp=mpp, side=512))
    assert bulk("run", *bulk.begin(), "--quarantine-faulty").returncode == 3
    assert bulk("retry", bulk.job, "--mpp", "250").returncode == 2
    done = bulk("retry", bulk.job, "--mpp", "0.25", "--only", "*-b.tiff")
    assert (done.returncode, done.stdout) == (0, "1 slide will continue with 'bulk resume'\n"), done.stderr
    manifest = tmp_path / "in.csv"
    manifest.write_text(f"path,mpp\nslides/{tmp_path.name}-c.tiff,\n")
    done = bulk("retry", bulk.job, "--manifest", manifest)
    assert done.returncode == 6
    assert "still quarantined: " in done.stderr
    assert "the file has no resolution" in done.stderr
    manifest.write_text(f"path,mpp\nslides/{tmp_path.name}-c.tiff,0.25\n")
    assert bulk("retry", bulk.job, "--manifest", manifest).returncode == 0
    assert bulk("resume", bulk.job, "--poll-interval", "0.05").returncode == 0
    assert len(bulk.runs()) == 2
