"""A short trial of `make chaos-cluster`: one job that loses workers, the scheduler and the coordinator."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster_chaos._round import RATE, Round

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(600)]


def test_a_job_survives_all_that_its_cluster_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    slide = write_slide(tmp_path / "slide.tiff", width=300, height=260)
    with Emulator(tmp_path / "emulator", clock_rate=RATE, speed=1, url_lifetime=10**6) as emulator:
        outcome = Round(emulator, slide, tmp_path / "job", seed=7, slides=30, last_engine="local").play()
    assert outcome.is_well, outcome
    assert outcome.statuses[:2] == (75, -9)
