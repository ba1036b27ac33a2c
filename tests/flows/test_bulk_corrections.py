"""Quarantined slides continue with another resolution or other metadata, checked as at the beginning."""

from __future__ import annotations

import threading
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from bulk_command import Command
from running_jobs import RATE, SETTINGS, JobHarness
from slide_files import make_old, write_dicom, write_tiff

from aignostics_async import ConfigurationError, JobDatabaseError, UsageError
from aignostics_async.bulk import JobStatus, Sources, _correction_lines, create_job
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide
from aignostics_async.submission._pseudonyms import PseudonymMap

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


async def test_a_refused_line_becomes_no_slide_of_the_job_on_another_way(harness: JobHarness) -> None:
    lab = harness.folder / "lab"
    lab.mkdir()
    for path in harness.copy("a", "b"):
        path.rename(lab / path.name)
    name = harness.folder.name
    (lab / "in.csv").write_text(f"path,mpp\n{name}-a.tiff,\n{name}-b.tiff,of 40x")
    sources = Sources(manifest=lab / "in.csv")
    await create_job(harness.job, harness.plan(), sources, harness.client, quarantine_faulty=True)
    (harness.folder / "link").symlink_to(lab)
    manifest = harness.folder / "link" / "in.csv"
    manifest.write_text(f"path,mpp\n\n{name}-a.tiff,\n{name}-b.tiff,")
    async with harness.opened() as job:
        assert (await job.correct(harness.client, manifest=manifest)).released == 1
    assert {reference for (reference,) in harness.rows("SELECT reference FROM items")} == {
        f"{name}-a.tiff", f"{name}-b.tiff",
    }  # fmt: skip


@pytest.mark.parametrize("references", [None, "relpath", "stem", "column:case", "pseudonyms"])
async def test_a_mended_line_is_what_it_would_have_been(harness: JobHarness, references: str | None) -> None:
    lung = harness.folder / "lab" / "lung"
    manifest = write_sheet(lung.parent, "", "of 40x", column=references == "column:case")
    lung.mkdir()
    for name in "ab":
        make_old(write_tiff(lung / f"{harness.folder.name}-{name}.tiff", mpp=None, side=512))
    sources = Sources(
        manifest=manifest, reference_from=references, mpp=0.25, metadata={"staining_method": "IHC"}
    )
    plan = harness.plan(application_version="he-tme:v1.1.0")
    made = await create_job(harness.job, plan, sources, harness.client, quarantine_faulty=True)
    assert made.ready == 1, [each.problem for each in made.faults]
    write_sheet(lung.parent, "", "", column=references == "column:case")
    pseudonyms = PseudonymMap().path
    before = pseudonyms.read_bytes() if references == "pseudonyms" else b""
    async with harness.opened() as job:
        trial = await job.correct(harness.client, manifest=manifest, dry_run=True)
        assert pseudonyms.exists() == bool(before)
        assert not before or pseudonyms.read_bytes() == before, "a trial keeps nothing"
        report = await job.correct(harness.client, manifest=manifest)
    assert (report.released, report.faults, report.unused) == (1, (), 1)
    assert trial == report
    query = "SELECT path, reference, overrides FROM items ORDER BY path"
    corrected = harness.rows(query)
    again = evolve(harness, folder=harness.folder / "again")
    again.folder.mkdir()
    await create_job(again.job, plan, sources, harness.client)
    assert corrected == again.rows(query)


def write_sheet(folder: Path, *resolutions: str, column: bool) -> Path:
    """Write a manifest with a line for each of the slides a, b and so on."""
    folder.mkdir(exist_ok=True)
    name = folder.parent.name
    lines = ["path,reference,mpp" + ",case" * column]
    for letter, mpp in zip("abcdef", resolutions, strict=False):
        lines.append(f"lung/{name}-{letter}.tiff,R-{letter},{mpp}" + f",S-{letter}" * column)
    path = folder / "in.csv"
    path.write_text("\n".join(lines))
    return path


async def test_a_sheet_of_corrections_may_lack_the_column_of_references(harness: JobHarness) -> None:
    lung = harness.folder / "lab" / "lung"
    manifest = write_sheet(lung.parent, "", "of 40x", column=True)
    lung.mkdir()
    for name in "ab":
        make_old(write_tiff(lung / f"{harness.folder.name}-{name}.tiff", mpp=None, side=512))
    sources = Sources(manifest=manifest, reference_from="column:case")
    plan = harness.plan()
    made = await create_job(harness.job, plan, sources, harness.client, quarantine_faulty=True)
    assert not made.ready, "so there is no job"
    make_old(write_tiff(lung / f"{harness.folder.name}-c.tiff", mpp=0.5, side=512))
    write_sheet(lung.parent, "", "of 40x", "0.5", column=True)
    await create_job(harness.job, plan, sources, harness.client, quarantine_faulty=True)
    write_sheet(lung.parent, "0.25", "0.25", column=False)
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
    assert report.released == 1
    (fault,) = report.faults
    assert fault.problem == "its line has nothing in the column which references come from"
    rows = harness.rows("SELECT reference, overrides FROM items WHERE state = 'FOUND'")
    assert rows == [("S-a", '{"mpp": [0.25, 0.25]}')]


async def test_each_slide_of_a_line_is_an_item_of_its_own(harness: JobHarness) -> None:
    """Whether its line is taken or not, and after it was mended."""
    folder = harness.folder / "lab" / "lung"
    folder.mkdir(parents=True)
    for path in harness.copy("a", "b", "c"):
        path.rename(folder / path.name)
    make_old(write_tiff(folder.parent / f"{harness.folder.name}-d.tiff", mpp=0.5, side=512))
    manifest = folder.parent / "in.csv"
    lines = [f"{harness.folder.name}-d.tiff,,"]
    manifest.write_text("\n".join(["path,mpp,mpp_source", *lines, "lung,,given"]))
    sources = Sources(manifest=manifest)
    await create_job(harness.job, harness.plan(), sources, harness.client, quarantine_faulty=True)
    assert Counter(harness.states().values()) == {"READY": 1, "SET_ASIDE": 3}
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
        assert report.released == 0
        assert {fault.problem for fault in report.faults} == {"its mpp_source is 'given', and it has no mpp"}
        manifest.write_text("\n".join(["path,mpp,mpp_source", *lines, "lung,0.25,given"]))
        assert (await job.correct(harness.client, manifest=manifest)).released == 3
    rows = harness.rows("SELECT path, reference FROM items WHERE state = 'FOUND' ORDER BY path")
    assert rows == [(str(path), f"lung/{path.name}") for path in sorted(folder.iterdir())]


async def test_a_mended_line_names_no_series_of_another_item(harness: JobHarness) -> None:
    lab = harness.folder / "lab"
    series, _ = write_series(lab)
    make_old(write_tiff(lab / f"{harness.folder.name}-a.tiff", mpp=0.5, side=512))
    manifest = lab / "in.csv"
    lines = [f"{series.name},", f"{series.name}/IM1,", f"{series.name}.zip,"]
    first = f"path,mpp\n{harness.folder.name}-a.tiff,\n"
    manifest.write_text(first + "\n".join(f"{line}40x" for line in lines))
    sources, plan = Sources(manifest=manifest), harness.plan(pack=True)
    await create_job(harness.job, plan, sources, harness.client, quarantine_faulty=True)
    manifest.write_text(first + "\n".join(lines))
    query = "SELECT path, reference, overrides FROM items WHERE state <> 'SET_ASIDE' ORDER BY path"
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest, only=["*line 3", "*line 4"])
        assert (report.released, [fault.slide for fault in report.faults]) == (1, ["in.csv, line 4"])
    taken = harness.rows(query)
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
        assert (report.released, len(report.faults)) == (0, 1)
        assert "would be billed twice" in str(report.faults)
    manifest.write_text(first + lines[0])
    again = evolve(harness, folder=harness.folder / "again")
    again.folder.mkdir()
    await create_job(again.job, plan, sources, harness.client)
    assert taken == again.rows(query)


def write_series(lab: Path) -> tuple[Path, Path]:
    """Write a DICOM series as files in a folder and as a zip beside it; return both."""
    folder = lab / f"{lab.parent.name}-series"
    files = list(map(make_old, write_dicom(folder, name="IM{}")))
    packed = folder.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.write(file, f"{file.name}.dcm")
    return folder, make_old(packed)


async def test_a_series_of_two_items_is_billed_once_whatever_is_retried(harness: JobHarness) -> None:
    write_series(harness.folder / "lab")
    sources = Sources(places=[harness.folder / "lab", *(harness.folder / "lab").glob("*.zip")])
    plan = harness.plan(pack=True)
    made = await create_job(harness.job, plan, sources, harness.client, quarantine_faulty=True)
    assert (made.found, made.ready) == (2, 1)
    for _ in range(2):
        assert (await harness.run()).status is JobStatus.SOME_FAILED
        assert Counter(harness.states().values()) == {"DONE": 1, "SET_ASIDE": 1}
        async with harness.opened() as job:
            report = await job.correct(harness.client, mpp=0.5)
            assert "would be billed twice" in str(report.faults)
            assert await job.retry() == 1
    assert len(harness.runs()) == 1


async def test_lines_that_differ_about_a_slide_correct_nothing(harness: JobHarness) -> None:
    await begin(harness)
    name = f"slides/{harness.folder.name}-one.tiff"
    manifest = harness.folder / "in.csv"
    manifest.write_text(f"path,mpp\n{name},0.25\n./{name},0.25\n{name},0.5\n")
    async with harness.opened() as job:
        report = await job.correct(harness.client, manifest=manifest)
        assert [fault.slide for fault in report.faults] == ["in.csv, line 4"]
        assert report.released == 0
        manifest.write_text(f"path,mpp\n{name},0.25\n./{name},0.25\n")
        assert (await job.correct(harness.client, manifest=manifest)).released == 1


async def test_sources_that_were_damaged_are_told(harness: JobHarness) -> None:
    await begin(harness)
    for damage in ("{", "[]", "5", '{"reference_from": 5}', '{"unknown": 1}'):
        harness.write("UPDATE job SET sources = ?", damage)
        async with harness.opened() as job:
            with pytest.raises(JobDatabaseError, match="restore a copy"):
                await job.correct(harness.client, mpp=0.25)


async def test_a_large_sheet_is_matched_beside_the_event_loop(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(harness)
    threads: set[int] = set()

    def noted(*arguments: Any) -> Any:
        threads.add(threading.get_ident())
        return places(*arguments)

    places = _correction_lines._places
    monkeypatch.setattr(_correction_lines, "_places", noted)
    async with harness.opened() as job:
        await job.correct(harness.client, mpp=0.25)
    assert threads
    assert threading.get_ident() not in threads


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
    manifest.write_text("path,mpp\nslides/moved.tiff,0.25\n")
    done = bulk("retry", bulk.job, "--manifest", manifest)
    assert (done.returncode, done.stdout) == (0, "there is nothing to retry\n")
    assert "about other slides, or none: 1\n" in done.stderr
    manifest.write_text(f"path,mpp\nslides/{tmp_path.name}-c.tiff,0.25\n")
    done = bulk("retry", bulk.job, "--manifest", manifest)
    assert (done.returncode, done.stderr) == (0, "")
    assert bulk("resume", bulk.job, "--poll-interval", "0.05").returncode == 0
    assert len(bulk.runs()) == 2
