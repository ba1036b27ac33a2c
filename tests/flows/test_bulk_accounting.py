"""Every line of a manifest and every file of a folder is accounted for, to the end of the job."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_jobs import RATE, SETTINGS, JobHarness
from slide_files import make_old, picture, write_tiff

from aignostics_async.bulk import BulkJob, EventType, JobEvent, JobStatus, Sources, create_job, write_report
from aignostics_async.bulk.report._next_steps import next_steps
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


async def test_every_line_of_a_manifest_is_in_status_and_report(harness: JobHarness) -> None:
    good, _, one, two = harness.copy("good", "wide", "one", "two")
    manifest = harness.folder / "in.csv"
    manifest.write_text(
        "path,reference,mpp\n"
        f"{good},{good.stem},\n"
        f"{harness.path('wide')},wide,250\n"
        "gone.tiff,gone,\n"
        f"{one},twice,\n"
        f"{two},twice,\n"
    )
    report = await create_job(
        harness.job, harness.plan(), Sources(manifest=manifest), harness.client, quarantine_faulty=True
    )
    assert (report.ready, len(report.faults)) == (1, 4)
    summary = await harness.run()
    assert (summary.status, summary.exit_status) == (JobStatus.SOME_FAILED, 3)
    assert summary.audit.taken_in == 5
    assert summary.audit.is_whole

    await write_report(harness.job, harness.folder / "r.csv", harness.folder / "r.json", pictures=False)
    with (harness.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["reference"]: row for row in csv.DictReader(file)}
    aside = {reference: row for reference, row in rows.items() if row["account"] == "SET_ASIDE"}
    assert set(aside) == {"in.csv, line 3", "in.csv, line 4", str(one), str(two)}
    assert "its mpp is '250'" in aside["in.csv, line 3"]["fault"]
    assert "gone.tiff is not there" in aside["in.csv, line 4"]["fault"]
    assert f"its reference 'twice' is also that of {two}" in aside[str(one)]["fault"]
    assert all(row["remedy"] for row in aside.values())
    assert json.loads((harness.folder / "r.json").read_text())["summary"]["audit"]["taken_in"] == 5

    posts = harness.posts()
    async with harness.opened() as job:
        await job.retry()
    summary = await harness.run()
    assert (summary.status, harness.posts()) == (JobStatus.SOME_FAILED, posts), "nothing of it is ever sent"
    assert {fault for (fault,) in harness.rows("SELECT fault FROM items WHERE state = 'SET_ASIDE'")} == {
        "it could not be taken when the job was made"
    }


async def test_a_name_that_no_report_can_show_is_accounted_for(harness: JobHarness) -> None:
    folder = harness.folder / "slides"
    folder.mkdir()
    content = harness.slide.read_bytes()
    (folder / f"{harness.folder.name}-good.tiff").write_bytes(content)
    with open(bytes(folder) + b"/caf\xe9.tiff", "wb") as file:  # noqa: PTH123 - a name that is no Unicode
        file.write(content[:-1])
    await create_job(
        harness.job, harness.plan(), Sources(places=[folder]), harness.client, quarantine_faulty=True
    )
    summary = await harness.run()
    assert (summary.audit.taken_in, summary.exit_status) == (2, 3)
    ((reference,),) = harness.rows("SELECT reference FROM items WHERE state = 'SET_ASIDE'")
    assert reference == f"{folder}/caf\\xe9.tiff"


async def test_a_slide_that_grows_after_its_upload_is_not_paid_for(harness: JobHarness) -> None:
    await harness.make("a", "b", "c", chunk_size=3)
    grown: list[str] = []

    def grow(_job: BulkJob, event: JobEvent) -> None:
        if event.type is EventType.UPLOADED and not grown:
            grown.append(str(event.reference))
            with (harness.folder / f"{event.reference}.tiff").open("ab") as file:
                file.write(b"more")

    summary = await harness.run(grow)
    assert summary.status is JobStatus.SOME_FAILED
    rows = harness.rows("SELECT reference, fault, uri FROM items WHERE state = 'SET_ASIDE'")
    assert rows == [(grown[0], "its file changed after it was uploaded", None)]
    assert sorted(len(references) for references in harness.runs().values()) == [2]

    async with harness.opened() as job:
        assert await job.retry() == 1
    assert (await harness.run()).status is JobStatus.DONE
    assert sorted(len(references) for references in harness.runs().values()) == [1, 2]
    assert harness.puts()[grown[0]] == 2, "what is analysed is what the file holds in the end"


async def test_what_is_left_out_is_in_status_and_report(harness: JobHarness) -> None:
    folder = harness.folder / "slides"
    folder.mkdir()
    make_old(write_tiff(folder / f"{harness.folder.name}-a.tiff", extra=[(picture(300, 200), "label")]))
    for name in (".hidden.svs", "b.vsi", "notes.txt"):
        (folder / name).write_text("x")
    report = await create_job(harness.job, harness.plan(), Sources(places=[folder]), harness.client)
    assert report.is_clear, report.faults
    summary = await harness.run()
    assert summary.status is JobStatus.DONE
    assert summary.left_out == {"format": 1, "hidden": 1}
    assert [step.what for step in next_steps(summary)] == [
        "2 slides in the folders were left out (1 format, 1 hidden)"
    ]
    await write_report(harness.job, harness.folder / "r.json", harness.folder / "r.html", pictures=False)
    report_json = json.loads((harness.folder / "r.json").read_text())
    assert {Path(each["path"]).name: each["reason"] for each in report_json["left_out"]} == {
        ".hidden.svs": "hidden", "b.vsi": "format", "notes.txt": "format"
    }  # fmt: skip
    assert report_json["summary"]["left_out"] == {"format": 1, "hidden": 1}
    assert [item["identifying"] for item in report_json["items"]] == ["label"]
    assert "2 slides in the folders were left out" in (harness.folder / "r.html").read_text()
