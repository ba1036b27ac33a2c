"""SIGINT and SIGTERM while a job is at work: what was begun is saved, and nothing is paid or sent twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bulk_command import QUICK, UPLOADS, Command, events, read_until
from support import count

from aignostics_async.emulator.process import Emulator

pytestmark = [
    pytest.mark.both_contracts,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix thing"),
]

RUNS = "/api/v1/runs"


@pytest.fixture
def bulk(emulator: Emulator, tmp_path: Path, slide_file: Path) -> Command:
    command = Command(emulator, tmp_path)
    command.slides(slide_file, 3)
    return command


def wait_for(emulator: Emulator, process: subprocess.Popen[str], part: str, times: int) -> None:
    """Wait until the emulator was asked for a path with a part in it so often."""
    while sum(part in asked["path"] for asked in emulator.requests()) < times:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def wait_for_words(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    assert any(words in line for line in process.stderr)


def uploads(emulator: Emulator) -> int:
    return sum(asked["method"] == "PUT" and "trial" not in asked["path"] for asked in emulator.requests())


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_first_signal_lets_uploads_end_and_begins_no_run(bulk: Command, number: signal.Signals) -> None:
    bulk.emulator.set_faults({"method": "PUT", "path": UPLOADS, "delay_s": 1.0})
    with bulk.started("run", *bulk.begin()) as process:
        wait_for(bulk.emulator, process, f"{bulk.folder.name}-", 3)
        process.send_signal(number)
        told, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert "A second signal stops at once" in said
    assert "Traceback" not in said
    happened = events(told)
    assert happened[-1]["states"] == {"STORED": 3}
    assert [event["what"] for event in happened if event["what"] != "uploaded"] == [
        "outlook",
        "started",
        "draining",
        "finished",
        "summary",
    ]
    assert (happened[-1]["exit_status"], happened[-1]["job"]["finished_at"]) == (75, None)
    assert count(bulk.emulator, operation="create_run") == 0

    assert bulk("resume", bulk.job, *QUICK).returncode == 0
    assert uploads(bulk.emulator) == 3, "nothing was sent twice"
    assert len(bulk.runs()) == count(bulk.emulator, operation="create_run") == 2


def test_a_second_signal_stops_at_once(bulk: Command) -> None:
    bulk.emulator.set_faults({"method": "PUT", "path": UPLOADS, "delay_s": 20.0})
    with bulk.started("run", *bulk.begin()) as process:
        wait_for(bulk.emulator, process, f"{bulk.folder.name}-", 3)
        process.send_signal(signal.SIGTERM)
        wait_for_words(process, "A second signal stops at once")
        process.send_signal(signal.SIGINT)
        told, said = process.communicate(timeout=15)
    assert process.returncode == 128 + signal.SIGINT, said
    assert "Traceback" not in said
    assert events(told)[-1]["what"] == "stopped"

    bulk.emulator.set_faults()
    assert bulk("resume", bulk.job, *QUICK).returncode == 0
    assert len(bulk.runs()) == count(bulk.emulator, operation="create_run") == 2


def test_a_signal_before_there_is_a_job_leaves_none(bulk: Command) -> None:
    bulk.emulator.set_faults({"method": "GET", "path": "/api/v1/applications/.*", "delay_s": 20.0})
    with bulk.started("run", *bulk.begin()) as process:
        wait_for(bulk.emulator, process, "/applications/", 1)
        process.send_signal(signal.SIGTERM)
        told, said = process.communicate(timeout=15)
    assert (process.returncode, told) == (128 + signal.SIGTERM, "")
    assert "Traceback" not in said
    assert [path.name for path in bulk.job.iterdir()] == ["lock"]


def test_a_signal_before_the_work_begins_begins_none(bulk: Command) -> None:
    with bulk.started("run", *bulk.begin()) as process:
        read_until(process, "started")
    bulk.emulator.set_faults({"method": "GET", "path": "/api/v1/applications/.*", "delay_s": 2.0})
    with bulk.started("resume", bulk.job, *QUICK) as process:
        wait_for(bulk.emulator, process, "/applications/", 1)
        process.send_signal(signal.SIGTERM)
        told, said = process.communicate(timeout=30)
    assert process.returncode == 75, said
    assert [event["what"] for event in events(told)] == ["started", "draining", "finished", "summary"]
    assert uploads(bulk.emulator) == 0
