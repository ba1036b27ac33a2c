"""A job folder made by an earlier release opens, says what it said, and runs to its end.

`tests/data/job-of-b4a4e73/` was made by the code of commit b4a4e73 beside its emulator. `made` is a job
of seven slides, none of them sent. `midway` was drained when the reply to its second request for a run was
lost; one of its slides was gone. Each is the text of its database (`Connection.iterdump` and the pragma
`user_version`), its summary as JSON, the high-water mark of the state folder, and the events. Folder and
addresses are placeholders.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fast_clock import FastClock
from running_jobs import RATE, SETTINGS

from aignostics_async.bulk import BulkJob, JobStatus
from aignostics_async.bulk._plan import JobPlan
from aignostics_async.bulk.database import _queries
from aignostics_async.bulk.database._job_folder import HighWaterMarkFile
from aignostics_async.bulk.database._journal import Tail
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

DATA = Path(__file__).parent.parent / "data" / "job-of-b4a4e73"
NAMES = ("made", "midway")
LATER = ("made_at", "release")
"""What a summary says of itself, not of the job."""
PLACE = {"{api_root}": "https://platform.example.com", "{store}": "s3://bucket/slides"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def fast_emulator(emulator: Emulator) -> Emulator:
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    return emulator


def filled(path: Path, values: dict[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def restore(folder: Path, name: str, place: dict[str, str]) -> Path:
    """Make the job of an earlier release as it stood, and return its folder."""
    job = folder / "job"
    job.mkdir(mode=0o700)
    connection = sqlite3.connect(job / "job.sqlite3")
    connection.executescript(filled(DATA / f"{name}.sql", {"{folder}": str(folder), **place}))
    (job_id,) = connection.execute("SELECT id FROM job").fetchone()
    connection.close()
    mark = HighWaterMarkFile(job_id)._path
    mark.parent.mkdir(parents=True)
    shutil.copy(DATA / f"{name}.mark.json", mark)
    return job


def assert_within(kept: Any, now: Any, path: str = "") -> None:
    """Check that everything that was said is said now, under its key."""
    if not isinstance(kept, dict):
        assert now == kept, path
        return
    for key, value in kept.items():
        assert key in now, f"{path}/{key}"
        assert_within(value, now[key], f"{path}/{key}")


@pytest.mark.parametrize("name", NAMES)
async def test_it_opens_and_says_what_it_said(name: str, tmp_path: Path) -> None:
    job = restore(tmp_path, name, PLACE)
    async with BulkJob.open(job) as opened:
        now = (await opened.summary()).plain()
        mark = HighWaterMarkFile(opened.id).read()
    kept = json.loads(filled(DATA / f"{name}.summary.json", PLACE))
    assert_within({key: value for key, value in kept.items() if key not in LATER}, now)
    assert mark is not None
    assert mark.attempts == sum(kept["runs"]["requests"].values())


@pytest.mark.parametrize("name", NAMES)
async def test_its_plan_is_read_and_written_with_the_same_keys(name: str, tmp_path: Path) -> None:
    job = restore(tmp_path, name, PLACE)
    connection = sqlite3.connect(job / "job.sqlite3")
    (text,) = connection.execute("SELECT plan FROM job").fetchone()
    connection.close()
    plan = JobPlan.from_json(text)
    assert (plan.max_items, plan.timeouts.quiescence, plan.timeouts.late_commit) == (100, 120, 120)
    assert_within(json.loads(text), json.loads(plan.to_json()))


def test_its_events_are_read() -> None:
    events = Tail(DATA / "midway.events.jsonl").read()
    assert [event["what"] for event in events][-2:] == ["run_created", "finished"]


async def test_what_was_set_aside_is_retried(tmp_path: Path) -> None:
    job = restore(tmp_path, "midway", PLACE)
    async with BulkJob.open(job) as opened:
        assert await opened.retry() == 1
        assert (await opened.summary()).status is JobStatus.UNFINISHED


@pytest.mark.parametrize("references", [None, "pseudonyms"])
async def test_what_was_set_aside_is_corrected(
    emulator: Emulator, tmp_path: Path, references: str | None
) -> None:
    """It does not say where its references came from; what has pseudonyms shows it."""
    slide = tmp_path / "slides" / "midway-c.tiff"
    slide.parent.mkdir()
    write_slide(slide, width=300, height=260)
    place = {"{api_root}": emulator.api_root, "{store}": emulator.store_url}
    path = restore(tmp_path, "midway", place) / "job.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        if references:
            connection.execute("UPDATE items SET overrides = '{\"is_pseudonym\": true}' WHERE number = 1")
    async with emulator.client() as client, BulkJob.open(path.parent) as opened:
        assert (await opened.correct(client, mpp=0.5)).released == 1
        kept = json.loads(await opened._database.read(_queries.sources()))
        assert kept.get("reference_from") == references


async def test_it_runs_to_its_end(fast_emulator: Emulator, tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    for letter in "abcdefg":
        write_slide(slides / f"made-{letter}.tiff", width=300, height=260)
    place = {"{api_root}": fast_emulator.api_root, "{store}": fast_emulator.store_url}
    job = restore(tmp_path, "made", place)
    made = BulkJob(job, clock=FastClock(RATE))
    async with fast_emulator.client(SETTINGS) as client, made as opened:
        summary = await opened.run(client)
    assert summary.status is JobStatus.DONE, summary.plain()
    analysed = [reference for _, _, reference, _ in fast_emulator.ledger() if reference is not None]
    assert sorted(analysed) == [f"made-{letter}" for letter in "abcdefg"]
