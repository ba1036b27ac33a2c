"""Bulk jobs on the command line, as processes against the emulator."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bulk_command import QUICK, UPLOADS, VERSION, Command, events, read_until
from support import count

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.both_contracts

RUNS = "/api/v1/runs"


@pytest.fixture
def bulk(emulator: Emulator, tmp_path: Path) -> Command:
    return Command(emulator, tmp_path)


def test_a_job_from_its_slides_to_its_report(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 3)
    planned = bulk("run", *bulk.begin(), "--dry-run")
    assert (planned.returncode, bulk.job.exists()) == (0, False)
    assert "3 items in 2 runs" in planned.stdout

    done = bulk.process("run", *bulk.begin())
    assert done.returncode == 0, done.stderr
    told = events(done.stdout)
    assert [told[index]["what"] for index in (0, 1, -2, -1)] == ["outlook", "started", "finished", "summary"]
    assert told[0]["outlook"]["billing"] == {
        "items": 3, "runs": 2, "most_items": None, "cost": None, "currency": None,
    }  # fmt: skip
    assert sum(each["what"] == "item_done" for each in told) == 3
    assert (told[-1]["verdict"], told[-1]["exit_status"], told[-1]["to_do"]) == ("DONE", 0, [])
    assert "to be billed  3 items in 2 runs" in done.stderr
    assert "all is done" in done.stderr
    assert len(bulk.runs()) == count(bulk.emulator, operation="create_run") == 2
    assert len(list((bulk.job / "results").rglob("*.*"))) == told[-1]["outputs"]["verified"] + 3
    assert {path.stat().st_mode & 0o077 for path in (bulk.job, *bulk.job.glob("*.*"))} == {0}

    files = [bulk.folder / f"report.{suffix}" for suffix in ("csv", "json", "html")]
    assert bulk("report", bulk.job, *files).returncode == 0
    with files[0].open(encoding="utf-8-sig", newline="") as lines:
        assert len(list(csv.reader(lines))) == 4
    assert json.loads(files[1].read_text())["summary"]["verdict"] == "DONE"
    assert f"{bulk.folder.name}-0.tiff" in files[2].read_text()

    again = bulk("run", *bulk.begin())
    assert again.returncode == 2
    assert "there is a job" in again.stderr
    assert "resume it" in again.stderr
    elsewhere = bulk("run", *bulk.begin(bulk.folder / "other"))
    assert elsewhere.returncode == 2
    assert (
        "3 slides of these were run with he-tme:v1.0.0 before, and will be billed again" in elsewhere.stderr
    )
    assert "--allow-rerun" in elsewhere.stderr
    assert [path.name for path in (bulk.folder / "other").iterdir()] == ["lock"], "nothing is half made"
    assert count(bulk.emulator, operation="create_run") == 2


def test_results_are_verified_and_brought_anew_and_objects_deleted(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 1)
    assert bulk("run", *bulk.begin()).returncode == 0
    assert bulk("verify", bulk.job).returncode == 0
    damaged, gone, *_ = sorted(path for path in (bulk.job / "results").rglob("*") if path.is_file())
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + b"?")
    gone.unlink()
    found = bulk("verify", bulk.job)
    assert (found.returncode, set(found.stdout.split("\n"))) == (3, {str(damaged), str(gone), ""})
    assert "'bulk resume' downloads them again" in found.stderr
    uploads = [asked for asked in bulk.emulator.requests() if asked["method"] == "PUT"]

    refused = bulk("clean", bulk.job)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert bulk("resume", bulk.job, *QUICK).returncode == 0
    assert damaged.read_bytes() == whole
    assert gone.is_file()
    assert [asked for asked in bulk.emulator.requests() if asked["method"] == "PUT"] == uploads
    deleted = bulk("clean", bulk.job, "--yes")
    assert deleted.stdout == "1 object deleted\n"
    assert sum(asked["method"] == "DELETE" for asked in bulk.emulator.requests()) == 2, "and the trial's"
    assert len(bulk.runs()) == 1


def test_slides_with_faults_are_told_and_can_be_set_aside(bulk: Command, slide_file: Path) -> None:
    folder = bulk.slides(slide_file, 1)
    write_slide(folder / f"{bulk.folder.name}-none.tiff", width=600, height=520, mpp=None)
    refused = bulk("run", *bulk.begin())
    assert refused.returncode == 6
    (told,) = events(refused.stdout)
    assert [fault["kind"] for fault in told["outlook"]["faults"]] == ["resolution"]
    assert "1 fault, 1 slide with one" in refused.stderr
    assert "--quarantine-faulty continues with 1 slide" in refused.stderr
    assert [path.name for path in bulk.job.iterdir()] == ["lock"]
    assert count(bulk.emulator, operation="create_run") == 0

    done = bulk("run", *bulk.begin(), "--quarantine-faulty")
    assert done.returncode == 3
    last = events(done.stdout)[-1]
    assert last["audit"]["accounts"] == {"DONE": 1, "SET_ASIDE": 1}
    assert [each["what"] for each in last["to_do"]] == ["1 slide was quarantined"]
    assert "1 slide was quarantined" in done.stderr


def test_others_look_on_while_one_process_works_and_may_let_it_pause(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 3)
    bulk.emulator.set_clock(rate=0)  # runs stay as they are
    with bulk.started("run", *bulk.begin()) as working:
        read_until(working, "run_created", 2)
        worker = f"process {working.pid} of "
        status = json.loads(bulk("status", bulk.job, "--json").stdout)
        assert (status["verdict"], status["states"]) == ("UNFINISHED", {"SUBMITTED": 3})
        assert status["worked_on_by"].startswith(worker)
        shown = bulk("status", bulk.job)
        assert (shown.returncode, f"{worker}" in shown.stdout) == (0, True)

        second = bulk("resume", bulk.job)
        assert second.returncode == 75
        assert second.stderr.startswith(f"error: {worker}")
        for verb in ("retry", "verify"):
            assert bulk(verb, bulk.job).returncode == 75
        with bulk.started("watch", bulk.job) as watching:
            read_until(watching, "run_created", 2)
            paused = bulk("pause", bulk.job)
            assert (paused.returncode, paused.stdout.startswith(worker)) == (0, True)
            rest, _ = working.communicate(timeout=30)
            assert working.returncode == 75
            last = events(rest)[-1]
            assert (last["what"], last["exit_status"], last["job"]["is_paused"]) == ("summary", 75, True)
            seen, _ = watching.communicate(timeout=30)
            assert watching.returncode == 75
            assert [event["what"] for event in events(seen)] == ["draining", "finished"]
    assert "\npaused\n" in bulk("status", bulk.job).stdout
    nobody = bulk("pause", bulk.job)
    assert (nobody.returncode, "no process works on the job" in nobody.stderr) == (2, True)

    bulk.emulator.set_clock(rate=1)
    assert bulk("resume", bulk.job, *QUICK).returncode == 0
    assert len(bulk.runs()) == count(bulk.emulator, operation="create_run") == 2


def test_cancelling_keeps_the_platform_from_going_on(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 1)
    bulk.emulator.set_clock(rate=0)
    with bulk.started("run", *bulk.begin()) as working:
        read_until(working, "run_created")
        assert bulk("pause", bulk.job).returncode == 0
        working.communicate(timeout=30)
    refused = bulk("cancel", bulk.job)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    cancels = [asked for asked in bulk.emulator.requests() if asked["path"].endswith("/cancel")]
    assert cancels == []
    cancelled = bulk("cancel", bulk.job, "--yes")
    assert cancelled.stdout.startswith("1 run cancelled")
    bulk.emulator.set_clock(rate=1)
    ended = bulk("resume", bulk.job, *QUICK)
    assert ended.returncode == 3
    assert events(ended.stdout)[-1]["audit"]["accounts"] == {"FAILED": 1}
    assert events(ended.stdout)[-1]["outputs"]["listed"] == 0


def test_a_job_goes_on_when_nobody_reads_what_it_tells(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 1)
    with bulk.started("run", *bulk.begin()) as working:
        read_until(working, "outlook")
        assert working.stdout is not None
        working.stdout.close()
        assert working.stderr is not None
        assert "all is done" in working.stderr.read()
        assert working.wait(timeout=30) == 0


@pytest.mark.parametrize(("status", "why", "ends_with"), [(403, "no quota", 75), (401, "Sign in again", 5)])
def test_a_job_that_can_t_go_on_says_why_and_is_resumed(
    bulk: Command, slide_file: Path, status: int, why: str, ends_with: int
) -> None:
    bulk.slides(slide_file, 1)
    refusal = {"status": status, "body": {"detail": "no quota"}, "headers": {"Retry-After": "0"}}
    bulk.emulator.set_faults({"operation": "create_run", **refusal})
    stopped = bulk("run", *bulk.begin())
    assert stopped.returncode == ends_with, stopped.stderr
    assert "error: the job stopped: " in stopped.stderr
    assert why in stopped.stderr
    last = events(stopped.stdout)[-1]
    assert (last["exit_status"], last["states"]) == (ends_with, {"ASSIGNED": 1})
    bulk.emulator.set_faults()
    assert bulk("resume", bulk.job, *QUICK).returncode == 0


def test_a_used_up_quota_is_status_8_and_smaller_runs_go_on(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 4)
    bulk.emulator.set_faults({"operation": "create_run", "answer": "quota_exceeded"})
    stopped = bulk("run", *bulk.begin())
    assert stopped.returncode == 8, stopped.stderr
    assert "12 of 500 are left" in stopped.stderr
    status = json.loads(bulk("status", bulk.job, "--json").stdout)
    assert (status["exit_status"], status["job"]["stop_kind"]) == (8, "QuotaExceeded")
    shown = bulk("status", bulk.job).stdout
    assert "It stopped on 20" in shown
    assert "12 of 500 are left" in " ".join(shown.split())
    bulk.emulator.set_faults()
    resumed = bulk("resume", bulk.job, "--chunk-size", "1", *QUICK)
    assert resumed.returncode == 0, resumed.stderr
    assert len(bulk.runs()) == 4
    refused = bulk("resume", bulk.job, "--chunk-size", "501")
    assert refused.returncode == 2
    assert "--chunk-size is a whole number" in refused.stderr


def test_a_job_is_cancelled_while_a_process_works_on_it(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 3)
    bulk.emulator.set_clock(rate=0)  # runs stay as they are
    with bulk.started("run", *bulk.begin()) as working:
        read_until(working, "run_created", 2)
        refused = bulk("cancel", bulk.job)
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
        cancelled = bulk("cancel", bulk.job, "--yes")
        assert cancelled.returncode == 0
        assert cancelled.stdout.startswith(f"process {working.pid} of ")
        working.communicate(timeout=60)
    states = {
        run_id: status
        for _, run_id, reference, status in bulk.emulator.ledger()
        if reference is None and run_id in bulk.runs()
    }
    assert set(states.values()) == {"CANCELED_USER"}
    bulk.emulator.set_clock(rate=1)


def in_terminal(bulk: Command, answer: bytes | signal.Signals, *arguments: str | Path) -> tuple[int, str]:
    """Run a job in a terminal; return its status and what is seen. A question has an answer, or a signal."""
    ours, theirs = pty.openpty()
    words = bulk.words("run", *arguments)
    with (
        os.fdopen(ours, "rb", buffering=0),
        subprocess.Popen(words, env=bulk.environment, stdin=theirs, stdout=theirs, stderr=theirs) as process,
    ):
        os.close(theirs)
        seen, is_asked = b"", False
        while True:
            if not select.select([ours], [], [], 60)[0]:
                process.kill()
                pytest.fail(f"nothing came any more after {seen.decode()}")
            try:
                seen += os.read(ours, 10_000)
            except OSError:
                break
            if b"Continue? [y/N] " in seen and not is_asked:
                is_asked = True
                if isinstance(answer, bytes):
                    os.write(ours, answer)
                else:
                    process.send_signal(answer)
        return process.wait(timeout=30), seen.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are a Unix thing here")
def test_a_terminal_sees_bars_and_is_asked(bulk: Command, slide_file: Path) -> None:
    bulk.slides(slide_file, 2)
    refused = {"method": "PUT", "path": UPLOADS + r"-0\.tiff", "status": 403}
    bulk.emulator.set_faults(refused)
    status, seen = in_terminal(bulk, b"", *bulk.begin())
    assert status == 3, seen
    for words in (
        "read",
        "uploaded",
        "in a run",
        "analysed",
        "downloaded",
        "1/1",
        "quarantined",
        "to be billed",
    ):
        assert words in seen
    assert '{"what"' not in seen
    bulk.emulator.set_faults()
    other = bulk.begin(bulk.folder / "other")
    status, seen = in_terminal(bulk, b"n\n", *other)
    assert status == 2, seen
    question = "2 slides of these were run with he-tme:v1.0.0 before, and will be billed again. Continue?"
    assert question in seen, "one by its reference, the other by its bytes"
    assert "nothing was changed" in seen
    status, seen = in_terminal(bulk, signal.SIGINT, *other)
    assert status == 130
    status, seen = in_terminal(bulk, b"y\n", *other)
    assert status == 0, seen
    assert VERSION in seen
