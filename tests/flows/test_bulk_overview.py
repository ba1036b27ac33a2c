"""What a person sees of jobs: the list of them, the last error, the cost, and what was ignored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bulk_command import UPLOADS, Command

from aignostics_async.emulator.process import Emulator


@pytest.fixture
def bulk(emulator: Emulator, slide_file: Path, tmp_path: Path) -> Command:
    """Give a job of three slides, one of which can't be uploaded, at a price."""
    command = Command(emulator, tmp_path)
    (command.slides(slide_file, 3) / "notes.txt").write_text("no slide")
    emulator.set_faults({"method": "PUT", "path": UPLOADS + r"-0\.tiff", "status": 403})
    done = command("run", *command.begin(), "--price", "12.50", "--currency", "EUR")
    assert done.returncode == 3, done.stderr
    assert "37.50 EUR at the given price" in done.stderr
    assert "left out      1 path (1 format" in done.stderr
    return command


def test_status_tells_cost_and_last_error(bulk: Command) -> None:
    shown = bulk("status", bulk.job).stdout
    assert "25.00 EUR for 2 items, at the given price of 12.50 EUR" in shown
    assert f"UTC, {bulk.folder.name}-0.tiff: " in shown
    summary = json.loads(bulk("status", bulk.job, "--json").stdout)
    assert (summary["cost"], summary["job"]["price"], summary["job"]["currency"]) == ("25.00", "12.50", "EUR")
    assert summary["last_error"]["reference"] == f"{bulk.folder.name}-0.tiff"
    assert summary["last_error"]["at"] >= summary["job"]["created_at"]
    bulk.emulator.set_faults()
    assert bulk("retry", bulk.job).returncode == 0
    after = bulk("status", bulk.job).stdout
    assert "last error" not in after, "a retry forgets it"
    assert "No process works on the job: 'bulk resume' continues it." in after


def test_jobs_are_listed_and_survive_a_move(bulk: Command) -> None:
    shown = bulk("list")
    assert (shown.returncode, str(bulk.job) in shown.stdout) == (0, True)
    assert "finished, and some slides have no results" in shown.stdout
    (registered,) = (bulk.folder / "state/aignostics-async/jobs").glob("*.folder.json")
    assert registered.stat().st_mode & 0o777 == 0o600
    assert json.loads(registered.read_text()) == {"folder": str(bulk.job)}, "and nothing else"

    moved = bulk.job.rename(bulk.folder / "elsewhere")
    gone = bulk("list")
    assert str(bulk.job) not in gone.stdout
    assert "1 more job can't be read where it was; --all lists these, too" in gone.stderr
    assert "it was moved or deleted" in bulk("list", "--all").stdout
    assert bulk("retry", moved).returncode == 0
    (known,) = json.loads(bulk("list", "--json").stdout)
    assert (known["folder"], known["problem"]) == (str(moved), None)
    assert known["summary"]["verdict"] == "UNFINISHED"
