"""`aignostics-async bulk` on slides of a test's own, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from command_line import run_here

from aignostics_async.emulator.process import Emulator

VERSION = "he-tme:v1.0.0"
QUICK = ("--poll-interval", "0.05")
UPLOADS = r"/storage/objects/(?!.*trial).*"
"""The path of each upload, without the store probe's."""


@frozen
class Command:
    """The command in one environment; `folder` is the test's."""

    emulator: Emulator
    folder: Path

    @property
    def job(self) -> Path:
        """The folder of the test's job."""
        return self.folder / "job"

    @property
    def environment(self) -> dict[str, str]:
        """What the process finds in its environment."""
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "TERM": "xterm", "COLUMNS": "120"}
        return {**os.environ, **self.emulator.environment, **state}

    def words(self, verb: str, *arguments: str | Path) -> list[str]:
        """Return the command line of a verb."""
        return [sys.executable, "-m", "aignostics_async.cli", "bulk", verb, *map(str, arguments)]

    def begin(self, job: Path | None = None) -> Sequence[str | Path]:
        """Return the arguments of `run` for the test's slides, two of them in a run."""
        store = ("--store", self.emulator.store_url, "--chunk-size", "2")
        return (job or self.job, VERSION, self.folder / "slides", *store, *QUICK)

    def __call__(self, verb: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end, in this process."""
        done = run_here(self.words(verb, *arguments)[3:], self.environment)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def process(self, verb: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end, in a process of its own."""
        done = subprocess.run(
            self.words(verb, *arguments), env=self.environment, capture_output=True, text=True, check=False,
            timeout=100,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @contextmanager
    def started(self, verb: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """Give a process that is at work; it is killed if the block leaves it so."""
        process = subprocess.Popen(
            self.words(verb, *arguments), env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=30)

    def slides(self, slide: Path, count: int) -> Path:
        """Put copies of a slide where `begin` looks, under names that no other test has."""
        folder = self.folder / "slides"
        folder.mkdir()
        for number in range(count):
            shutil.copy(slide, folder / f"{self.folder.name}-{number}.tiff")
        return folder

    def runs(self) -> set[str]:
        """Return the runs of this test's slides, by the platform's own books."""
        return {
            run_id
            for _, run_id, reference, _ in self.emulator.ledger()
            if self.folder.name in (reference or "")
        }


def events(stdout: str) -> list[dict[str, Any]]:
    """Return the lines of JSON that a process has printed."""
    return [json.loads(line) for line in stdout.splitlines()]


def read_until(process: subprocess.Popen[str], what: str, times: int = 1) -> None:
    """Read what a process prints until something has happened so often."""
    assert process.stdout is not None
    for line in process.stdout:
        times -= json.loads(line)["what"] == what
        if not times:
            return
    raise AssertionError(f"it ended before {what}")
