"""A copy of a job's folder that is at work at the same time as the job: what nobody should do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
import traceback
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen

from ._plans import Death, Kill, Outcome
from ._strangers import own_runs, rows_of

if TYPE_CHECKING:
    from ._round import Round

_COPY = "copy-job"
_OPEN = (
    "SELECT 1 FROM intents WHERE state IN ('SENDING', 'UNKNOWN') "
    "UNION SELECT 1 FROM job WHERE finished_at IS NOT NULL"
)
_MAX_WAIT = 60.0  # seconds


@frozen
class CopyAtWork:
    """The process that makes a copy while the job is at work, kills who works on it, and resumes that."""

    pid: int
    told: Path

    @classmethod
    def begin(cls, of: Round, kills: list[Kill]) -> CopyAtWork:
        """Start it: the copy is made while a request is in doubt."""
        told = of.folder / "copy-outcome.json"
        pid = os.fork()
        if pid == 0:
            _work(of, kills, told)
        return cls(pid, told)

    def end(self, of: Round) -> None:
        """Wait until the copy has come to its end, too, and take over what became of it."""
        os.waitpid(self.pid, 0)
        copy: dict[str, Any] = {"trouble": "it was lost"}
        if self.told.exists():
            copy = json.loads(self.told.read_text())
        outcome = of.outcome
        outcome.copied += 1
        outcome.deaths += [Death(**each) for each in copy.get("deaths", ())]
        outcome.broken += copy.get("broken", ())
        outcome.stops += copy.get("stops", 0)
        outcome.trouble = outcome.trouble or (copy["trouble"] and f"the copy: {copy['trouble']}")
        data = of.folder.parent / "emulator"
        outcome.untold = untold(own_runs(data, of.plan.name), [of.folder / of.job, of.folder / _COPY])


def _work(of: Round, kills: list[Kill], told: Path) -> None:
    """Work on the copy, in a fork that never returns."""
    outcome = Outcome(of.plan.name, of.plan.kind)
    try:
        _copy_when_in_doubt(of.folder, has_state=of.plan.seed % 2 == 0)
        evolve(of, outcome=outcome, job=_COPY, state="copy-state").play_to_the_end(kills)
    except Exception as error:  # noqa: BLE001 - the other process tells of it
        traceback.print_exc()
        outcome.trouble = f"{type(error).__name__}: {error}"
    finally:
        told.write_text(json.dumps(asdict(outcome)))
        os._exit(0)


def _copy_when_in_doubt(folder: Path, *, has_state: bool) -> None:
    job, copy = folder / "job", folder / _COPY
    until = time.monotonic() + _MAX_WAIT
    while not rows_of(job / "job.sqlite3", _OPEN) and time.monotonic() < until:
        time.sleep(0.005)
    copy.mkdir(mode=0o700)
    with (
        closing(sqlite3.connect(job / "job.sqlite3", timeout=30)) as database,
        closing(sqlite3.connect(copy / "job.sqlite3")) as copied,
    ):
        database.backup(copied)
    if has_state:
        shutil.copytree(folder / "state", folder / "copy-state")


def untold(runs: Iterable[tuple[str, list[str], str | None]], jobs: Iterable[Path]) -> list[str]:
    """Return the slides that are in two runs, none of which any of the jobs tells of."""
    told: set[str] = set()
    for job in jobs:
        database = job / "job.sqlite3"
        told.update(run for (run,) in rows_of(database, "SELECT run_id FROM seen WHERE is_duplicate"))
        told.update(run for (run,) in rows_of(database, "SELECT billed_run FROM items") if run)
        for (reason,) in rows_of(database, "SELECT reason FROM intents WHERE state = 'AMBIGUOUS'"):
            told.update(str(reason).replace(",", " ").split())
    of: dict[str, list[str]] = {}
    for run, references, _ in runs:
        for reference in references:
            of.setdefault(reference, []).append(run)
    return sorted(reference for reference, its in of.items() if len(its) > 1 and told.isdisjoint(its))
