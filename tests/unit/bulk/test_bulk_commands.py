"""What a person decides about a job on the command line, on jobs that stand as such decisions find them."""

from __future__ import annotations

import json
import math
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from attrs import evolve
from bulk_jobs import PLAN, MadeUpJob, made_up_job

from aignostics_async import JobStopped, LoginRequired, TokenEndpointUnavailable, TokenStoreError
from aignostics_async.bulk import EventType, JobEvent, StageProgress
from aignostics_async.bulk._stage_progress import stage_progress
from aignostics_async.bulk.database import _commands
from aignostics_async.bulk.database._job_folder import JobFolder
from aignostics_async.bulk.database._journal import Journal, Tail
from aignostics_async.bulk.database._states import IntentState, ItemState
from aignostics_async.bulk.report._consistent_view import consistent_view
from aignostics_async.cli._app import run
from aignostics_async.cli._failures import exit_status
from aignostics_async.cli.bulk._text import event_line
from aignostics_async.emulator.process import Emulator

VERSION = "test-app:v0.0.2"


class Done(NamedTuple):
    status: int
    out: str
    err: str


Bulk = Callable[..., Done]


@pytest.fixture
def bulk(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bulk:
    """Give what runs a command on the test's job, as a script does: there is no terminal."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def command(verb: str, *arguments: str) -> Done:
        status = run(["bulk", verb, str(tmp_path), *arguments])
        return Done(status, *capsys.readouterr())

    return command


@pytest.fixture
def job(emulator: Emulator, tmp_path: Path) -> Iterator[MadeUpJob]:
    """Give a job of the emulator's to be filled; `commit` puts it on the disk."""
    with made_up_job(tmp_path, evolve(PLAN, api_root=emulator.api_root, application_version=VERSION)) as job:
        yield job
        job.execute("BEGIN")


def states(folder: Path) -> dict[str, str]:
    with consistent_view(folder / "job.sqlite3") as execute:
        return dict(execute("SELECT reference, state FROM items").fetchall())


def test_what_failed_is_paid_again_only_on_a_yes(bulk: Bulk, job: MadeUpJob, tmp_path: Path) -> None:
    failed = job.add("a", "b")
    job.upload(failed)
    job.submit(failed)
    job.move(failed, ItemState.FAILED, status="ERROR_USER", error="no tissue")
    job.move(job.add("c"), ItemState.QUARANTINED, fault="it has no resolution", remedy="give it")
    gone = job.add("d")
    job.upload(gone)
    job.submit(gone)
    job.move(gone, ItemState.QUARANTINED, fault="its run is gone")
    job.execute("COMMIT")
    before = {"a": "FAILED", "b": "FAILED", "c": "SET_ASIDE", "d": "SET_ASIDE"}

    refused = bulk("retry", "--failed")
    assert (refused.status, refused.out) == (2, "")
    assert "3 items that had a run will be billed again; pass --yes" in refused.err
    assert states(tmp_path) == before

    free = bulk("retry")
    assert (free.status, free.out) == (0, "1 slide will continue with 'bulk resume'\n")
    assert "3 slides ended without results at the platform; --failed" in free.err
    assert states(tmp_path) == {**before, "c": "FOUND"}

    paid = bulk("retry", "--failed", "--yes")
    assert (paid.status, paid.out, paid.err) == (0, "3 slides will continue with 'bulk resume'\n", "")
    assert states(tmp_path) == {"a": "STORED", "b": "STORED", "c": "FOUND", "d": "STORED"}
    assert bulk("retry", "--failed").out == "there is nothing to retry\n"


def test_a_job_is_not_over_before_late_runs_were_looked_for(bulk: Bulk, job: MadeUpJob) -> None:
    """Its first request was lost, the second one made its run, and then its process was ended."""
    numbers = job.add("a")
    job.upload(numbers)
    intent = job.doubt(numbers)
    run_id = str(uuid.UUID(int=1))
    job.apply(_commands.resolve(intent, IntentState.CREATED, run_id))
    job.finish(numbers)
    job.execute("COMMIT")
    status = json.loads(bulk("status", "--json").out)
    assert (status["verdict"], status["exit_status"]) == ("DONE", 75)
    assert "The search for second runs has not finished" in bulk("status").out
    assert bulk("watch").status == 75
    job.execute("UPDATE job SET finished_at = 1")
    assert json.loads(bulk("status", "--json").out)["exit_status"] == 0
    assert "Late second runs" not in bulk("status").out
    assert bulk("watch").status == 0


def test_watching_shows_people_text_and_programs_json(
    bulk: Bulk, job: MadeUpJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.upload(job.add("a"))
    job.execute("COMMIT")
    journal = Journal(JobFolder(tmp_path).events)
    journal.emit(EventType.UPLOADED, reference="a")
    journal.close()
    for arguments in ((), ("--json",)):
        (event,) = bulk("watch", *arguments).out.splitlines()
        assert json.loads(event)["reference"] == "a"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    (event,) = bulk("watch", "--json").out.splitlines()
    assert json.loads(event)["reference"] == "a"
    told = bulk("watch").out
    assert "{" not in told
    assert told.endswith(bulk("status").out), "and where the job stands"


def test_a_chunk_in_doubt_is_told_with_its_two_choices(
    bulk: Bulk, job: MadeUpJob, emulator: Emulator, tmp_path: Path
) -> None:
    for references in (("a", "b"), ("c",)):
        numbers = job.add(*references)
        job.upload(numbers)
        job.doubt(numbers, reason="these runs have exactly its references: run-7, run-8")
    job.execute("COMMIT")
    status = json.loads(bulk("status", "--json").out)
    assert (status["verdict"], status["exit_status"], status["worked_on_by"]) == ("UNDECIDED", 4, None)
    listed = bulk("resolve")
    assert listed.status == 0
    assert (
        "chunk 1, 2 slides, requested 1 time: these runs have exactly its references: run-7, run-8"
        in listed.out
    )
    told = json.loads(bulk("resolve", "--json").out)
    assert [each["intent"] for each in told["chunks"]] == [1, 2]
    assert told["cancelled"] == []
    commands = [line.strip() for line in listed.out.splitlines() if "aignostics-async" in line]
    assert commands == [
        f"aignostics-async bulk resolve {tmp_path} {chunk} {choice}"
        for chunk in (1, 2)
        for choice in ("--run RUN_ID", "--none")
    ]

    right, wrong = emulator.script(
        {"items": ["a", "b"], "application_version_id": VERSION},
        {"items": ["x"], "application_version_id": VERSION},
    )
    refused = bulk("resolve", "1", "--run", wrong)
    assert refused.status == 2
    assert "it has other items" in refused.err
    named = bulk("resolve", "1", "--run", right)
    assert (named.status, named.out) == (0, f"chunk 1 has run {right}; 'bulk resume' continues\n")
    none = bulk("resolve", "2", "--none")
    assert none.out == "chunk 2 has no run; 'bulk resume' continues\n"
    assert states(tmp_path) == {"a": "SUBMITTED", "b": "SUBMITTED", "c": "ASSIGNED"}
    assert bulk("resolve").out == "there is nothing to decide\n"
    assert bulk("resolve", "2", "--none").status == 2


def test_held_slides_are_told_with_the_earlier_run_and_the_command(
    bulk: Bulk, job: MadeUpJob, tmp_path: Path
) -> None:
    numbers = job.add("lab/a", "b\x1b[2J", "c")
    held = _commands.hold(dict.fromkeys(numbers[:2], "run-7"), lambda run_id: f"{run_id} has it", "decide")
    assert job.apply(held) == numbers[:2]
    job.execute("COMMIT")
    listed = bulk("resolve").out
    assert "run run-7 has 2 slides of this job, which would be billed again:\n    lab/a\n" in listed
    assert f"aignostics-async bulk retry {tmp_path} --rerun\n" in listed
    assert "\x1b" not in listed
    assert bulk("retry", "--rerun", "--yes").out == "2 slides will continue with 'bulk resume'\n"
    assert bulk("resolve").out == "there is nothing to decide\n"


def test_only_a_second_run_is_cancelled(bulk: Bulk, job: MadeUpJob, emulator: Emulator) -> None:
    numbers = job.add("a")
    job.upload(numbers)
    intent, first = job.submit(numbers)
    scripted = emulator.script(*[{"items": ["a"], "application_version_id": VERSION}] * 4)
    other, own, second, third = scripted
    made_up_ids = (first, job.duplicate(intent), job.duplicate(intent))
    for run_id, made_up in zip((own, second, third), made_up_ids, strict=True):
        job.execute("UPDATE seen SET run_id = ? WHERE run_id = ?", run_id, made_up)
    job.execute("COMMIT")
    assert f"--duplicate {second} --cancel" in bulk("resolve").out
    refused = bulk("resolve", "--duplicate", other, "--cancel")
    assert refused.status == 2
    assert "is no second run of a chunk of this job" in refused.err
    cancels = [asked["path"] for asked in emulator.requests() if asked["path"].endswith("/cancel")]
    assert cancels == [], "what the platform analyses for others is left alone"
    assert (
        bulk("resolve", "--duplicate", second, "--cancel").out == f"run {second} is cancelled, or was over\n"
    )
    assert bulk("resolve", "--duplicate", third, "--leave").out == f"run {third} is left to run\n"
    cancels = [asked["path"] for asked in emulator.requests() if asked["path"].endswith("/cancel")]
    assert cancels == [f"/api/v1/runs/{second}/cancel"]
    assert bulk("resolve").out == "there is nothing to decide\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--none"], "give the chunk's number, or --duplicate"),
        (["1"], "either --run RUN_ID or --none"),
        (["1", "--run", "x", "--none"], "either --run RUN_ID or --none"),
        (["1", "--cancel"], "are for --duplicate"),
        (["--duplicate", "x"], "either --cancel or --leave"),
        (["--duplicate", "x", "--cancel", "--leave"], "either --cancel or --leave"),
        (["1", "--duplicate", "x", "--leave"], "--duplicate takes --cancel or --leave alone"),
    ],
)
def test_half_a_decision_is_none(bulk: Bulk, job: MadeUpJob, arguments: list[str], words: str) -> None:
    job.execute("COMMIT")
    done = bulk("resolve", *arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize(
    "verb",
    [
        "resume",
        "pause",
        "status",
        "watch",
        "report",
        "retry",
        "resolve",
        "adopt",
        "verify",
        "cancel",
        "clean",
    ],
)
def test_a_folder_without_a_job_is_left_as_it_is(bulk: Bulk, tmp_path: Path, verb: str) -> None:
    done = bulk(verb)
    assert (done.status, done.out) == (2, "")
    assert "there is no job in" in done.err
    assert list(tmp_path.iterdir()) == []


def test_no_job_is_begun_for_a_wrong_form_of_report(bulk: Bulk, job: MadeUpJob, tmp_path: Path) -> None:
    job.execute("COMMIT")
    done = bulk("report", str(tmp_path / "report.xls"))
    assert done.status == 2
    assert "names no format of a report" in done.err


def test_who_holds_a_job_is_told_while_it_does(tmp_path: Path) -> None:
    mine, other = JobFolder(tmp_path), JobFolder(tmp_path)
    assert other.holder() is None
    mine.acquire()
    assert "process " in (other.holder() or "")
    mine.release()
    assert other.holder() is None
    other.acquire()
    other.release()


def test_a_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = Tail(path, limit=2)
    assert tail.read() == []
    journal = Journal(path)
    for reference in "abc":
        journal.emit(EventType.ITEM_DONE, reference=reference)
    assert [event["reference"] for event in tail.read()] == ["b", "c"]
    assert tail.read() == []
    with path.open("a") as file:
        file.write('no event\n{"what": "item_')
    assert tail.read() == []
    with path.open("a") as file:
        file.write('done", "reference": "d"}\n')
    for reference in "efg":
        journal.emit(EventType.ITEM_DONE, reference=reference)
    assert "".join(event["reference"] for event in tail.read()) == "defg"
    journal.close()


def test_how_far_each_stage_is() -> None:
    states = {
        ItemState.FOUND: 1, ItemState.READY: 2, ItemState.SENDING: 3, ItemState.STORED: 4,
        ItemState.ASSIGNED: 5, ItemState.SUBMITTED: 6, ItemState.SUCCEEDED: 7, ItemState.DONE: 8,
        ItemState.FAILED: 9, ItemState.QUARANTINED: 100,
    }  # fmt: skip
    assert stage_progress(states) == [
        StageProgress("read", 44, 45),
        StageProgress("uploaded", 39, 45, "upload"),
        StageProgress("in a run", 30, 45),
        StageProgress("analysed", 24, 45),
        StageProgress("downloaded", 8, 36, "download"),
    ]


def test_an_event_is_one_line_without_secrets() -> None:
    told = JobEvent(type=EventType.QUARANTINED, reference="a\x1b[2J[red]", text="GET https://h/x?sig=S3CR")
    line = event_line(told.as_dict())
    assert "quarantined" in line
    assert "\n" not in line
    assert "S3CR" not in told.to_json() + line


@pytest.mark.parametrize(
    ("at", "shown"),
    [(0, "00:00:00Z"), (1e20, ""), (-1e20, ""), (math.nan, ""), (math.inf, ""), ("7", ""), (None, "")],
)
def test_an_edited_event_has_the_time_that_it_tells(at: object, shown: str) -> None:
    assert event_line({"at": at, "what": "item_done"}) == f"{shown} item done"


def test_a_job_that_stopped_for_want_of_a_login_needs_a_login() -> None:
    assert exit_status(JobStopped("sign in", cause=LoginRequired("sign in"))) == 5
    assert exit_status(JobStopped("the network is gone")) == 75
    for passing in (TokenEndpointUnavailable("it is away"), TokenStoreError("the key ring is locked")):
        assert exit_status(JobStopped("it may pass", cause=passing)) == 75
