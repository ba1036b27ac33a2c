"""What all commands have in common: how much they show, and rehearsals that change nothing."""

from __future__ import annotations

import json
import os
import subprocess
from inspect import signature
from pathlib import Path

import pytest
from bulk_command import UPLOADS, VERSION, Command
from command_line import run_here

from aignostics_async import Slide
from aignostics_async.cli._app import app
from aignostics_async.emulator.process import Emulator


def cli(emulator: Emulator, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")}
    return run_here(arguments, {**kept, **emulator.environment})


def test_a_command_shows_more_or_less(emulator: Emulator, slide: Slide) -> None:
    sending = ("submit", "he-tme:v1.0.0", slide.path, "--store", emulator.store_url, "--mpp", "0.5")
    usual, quiet, verbose = (cli(emulator, *sending, *option) for option in ((), ("-q",), ("--verbose",)))
    assert [done.returncode for done in (usual, quiet, verbose)] == [0, 0, 0], verbose.stderr
    assert usual.stderr.startswith(("warning: ", "upload: "))
    assert quiet.stderr == ""
    assert len(quiet.stdout.splitlines()) == 1, "the result is there"
    assert "info: using AIGNOSTICS_ACCESS_TOKEN" in verbose.stderr
    assert "POST http://127.0.0.1" in verbose.stderr
    assert "upload: 1 of 1 files" in usual.stderr
    failed = cli(emulator, "-q", "applications", "nothing")
    assert failed.stderr.startswith("error: ")


@pytest.fixture
def job(emulator: Emulator, slide_file: Path, tmp_path: Path) -> Command:
    """Give a job of which two slides are done and one is quarantined."""
    command = Command(emulator, tmp_path)
    command.slides(slide_file, 3)
    emulator.set_faults({"method": "PUT", "path": UPLOADS + r"-0\.tiff", "status": 403})
    done = command("run", *command.begin(), "--json")
    assert done.returncode == 3, done.stderr
    emulator.set_faults()
    return command


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(job: Command) -> None:
    (run_id,) = job.runs()
    slides, store = job.folder / "slides", ("--store", job.emulator.store_url)
    told = {
        ("bulk", "retry", job.job): "1 slide would continue, 0 of them billed again",
        ("bulk", "retry", job.job, "--mpp", "0.5"): "1 slide would continue, 0 of them billed again",
        ("bulk", "resume", job.job): "0 slides would be uploaded, 0 submitted and billed",
        ("bulk", "cancel", job.job): "0 runs would be cancelled, and 0 slides without a run quarantined",
        ("bulk", "clean", job.job): "2 objects in",
        ("bulk", "run", job.folder / "other", VERSION, slides, *store): "3 items in 1 run",
        ("submit", VERSION, slides, *store): "3 items in 1 run",
        ("runs", "cancel", run_id): f"run {run_id} is COMPLETED already",
        ("runs", "cancel-matching", "--version", VERSION, "--since", "2126-01-01"): "0 runs would be",
        ("runs", "delete-results", run_id): "6 outputs of 2 items would be deleted permanently",
    }
    closed = cli(job.emulator, "bulk", "resolve", job.job, "1", "--none", "--dry-run")
    assert (closed.returncode, "no decision is open" in closed.stderr) == (2, True)
    before = (job.job / "job.sqlite3").read_bytes()
    for command, words in told.items():
        seen = len(job.emulator.requests())
        done = cli(job.emulator, *command, "--dry-run")
        assert (done.returncode, words in done.stdout) == (0, True), (command, done.stdout, done.stderr)
        changes = [each for each in job.emulator.requests()[seen:] if each["method"] not in ("GET", "HEAD")]
        assert all("trial" in each["path"] or "sign" in each["path"] for each in changes), changes
    told_as_json = cli(job.emulator, "bulk", "cancel", job.job, "--dry-run", "--json")
    assert json.loads(told_as_json.stdout) == {"dry_run": True, "runs": 0, "slides": 0}
    assert (job.job / "job.sqlite3").read_bytes() == before
    assert not (job.folder / "other" / "job.sqlite3").exists()


def test_what_asks_for_a_yes_can_be_rehearsed() -> None:
    for group in ("runs", "bulk"):
        for name, command in app[group].resolved_commands().items():
            if callable(command.default_command):
                options = signature(command.default_command).parameters
                assert "yes" not in options or "dry_run" in options, (group, name)
