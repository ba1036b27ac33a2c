"""The example of a bulk job, which the README names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts


def test_the_example_of_a_bulk_job_runs_and_may_run_again(
    root: Path, shared: Path, emulator: Emulator, tmp_path: Path
) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    shutil.copy(shared / "slides/small.svs", slides / "case-1.svs")
    command: list[str | Path] = [
        sys.executable, root / "examples/bulk_job.py", tmp_path / "job", slides,
        "--store", emulator.store_url, "--application-version", "he-tme:v1.0.0", "--poll-interval", "0.5",
    ]  # fmt: skip
    environment = {**os.environ, **emulator.environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    for _ in range(2):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=110
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("DONE: {'DONE': 1}")
    assert len({run_id for _, run_id, _, _ in emulator.ledger()}) == 1
    assert "$ python examples/bulk_job.py job/ slides/ --store" in (root / "README.md").read_text(
        encoding="utf-8"
    )
