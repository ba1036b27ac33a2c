"""An emulator, and the rounds that are played on it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from attrs import evolve

from aignostics_async.bulk import JobPlan
from aignostics_async.bulk.reconciliation._tags import plain, tag_of
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

from . import _weather
from ._judge import all_over, cancelled_wrongly, files_here, judge, stored_outputs
from ._plans import Outcome, Plan
from ._reconciliations import requests_of_found_runs
from ._round import Round
from ._strangers import VERSION, Strangers, own_runs, rows_of
from ._worker import make

RATE = 200.0
"""Seconds of the emulator's clock per second of a quiet machine."""
SLIDES, CHUNK = 8, 2
_SPEED = 0.1  # a run takes about 80 seconds of that clock
_TOKENS = 500.0  # seconds of that clock
_LONGEST_END = 180.0  # seconds


class Lane:
    """An emulator, and the rounds that are played on it one after the other."""

    def __init__(self, folder: Path, rate: float, contract: str, url_lifetime: float) -> None:
        self._folder = folder
        self._rate = rate
        folder.mkdir(parents=True)
        self.emulator = Emulator(
            folder / "emulator",
            speed=_SPEED,
            clock_rate=rate,
            token_lifetime=_TOKENS,
            url_lifetime=url_lifetime,
            contract=contract,
        )
        self._slides = [
            write_slide(folder / f"slide-{number}.tiff", seed=number, width=300, height=260)
            for number in range(SLIDES)
        ]
        self._undisturbed = 0.0

    def measure(self) -> Outcome:
        """Play a round that nobody disturbs, to know how long a job takes then."""
        plan = Plan(name="undisturbed", seed=0, kind="calm", kills=())
        return self.play(plan)

    def play(self, plan: Plan) -> Outcome:
        """Play a round."""
        folder = self._folder / plan.name
        slides = folder / "slides"
        slides.mkdir(parents=True)
        for number, slide in enumerate(self._slides):
            os.link(slide, slides / f"{plan.name}-{number}.tiff")
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        self.emulator.set_faults()
        job = JobPlan(
            api_root=self.emulator.root,
            application_version=VERSION,
            store=self.emulator.store_url,
            chunk_size=CHUNK,
            reference_tag=plan.has_tag,
            timeouts=_weather.TIMEOUTS_LATE if plan.is_late else _weather.TIMEOUTS,
        )
        # How long making it takes is not tried: on a busy machine its tokens would end meanwhile.
        self.emulator.set_clock(rate=1)
        make(self.emulator, folder, job, slides)
        self.emulator.set_clock(rate=self._rate)
        self.emulator.set_faults(*_rules(plan))
        self.emulator.set_conditions(**_weather.conditions(plan.seed, plan.kind))
        outcome = Outcome(plan.name, plan.kind, is_late=plan.is_late)
        begun = time.monotonic()
        strangers = self._strangers(plan)
        Round(self.emulator, folder, plan, outcome, self._undisturbed, self._rate, strangers).play()
        if plan.kind == "calm":
            self._undisturbed = time.monotonic() - begun
        if not outcome.trouble:
            self._judge(plan, folder, outcome, frozenset(strangers.made if strangers else ()))
        return outcome

    def _strangers(self, plan: Plan) -> Strangers | None:
        """Return who creates runs beside the job of a round."""
        if plan.kind not in ("rerun", "user", "marks", "unfiltered"):
            return None
        return Strangers(
            emulator=self.emulator,
            data=self._folder / "emulator",
            slides=plan.name,
            habit="twins" if plan.kind == "marks" or plan.seed % 3 == 0 else "copies",
            user="emulator|somebody else" if plan.kind == "user" else None,
            seed=plan.seed,
        )

    def _judge(self, plan: Plan, folder: Path, outcome: Outcome, foreign: frozenset[str]) -> None:
        # What was lost and is late has come by then, whatever the job has made of it.
        self._settle()
        references = frozenset(f"{plan.name}-{number}" for number in range(SLIDES))
        tag = tag_of(_job_id(folder)) if plan.has_tag else ""
        ledger = [
            (at, run, reference and plain(reference, tag), status)
            for at, run, reference, status in self.emulator.ledger()
        ]
        data = self._folder / "emulator"
        stored = stored_outputs(data, references, lambda reference: plain(reference, tag))
        here = files_here(folder / "job" / "results")
        own = [row for row in ledger if row[1] not in foreign]
        judgement = judge(references, own, stored, here, self.emulator.requests())
        # Copies at work at once send the same slide at once.
        is_copied = plan.kind == "together"
        outcome.judgement = evolve(judgement, uploaded_again=()) if is_copied else judgement
        outcome.told = len(_told_duplicates(folder) - foreign)
        outcome.strangers = len(foreign)
        runs = {run: frozenset(names) for run, names, _ in own_runs(data, plan.name)}
        wrong = cancelled_wrongly(
            [row for row in ledger if row[1] in foreign | runs.keys()], runs, _taken(folder)
        )
        outcome.cancelled = sum(row[2] is None and row[3] == "CANCELED_USER" for row in own if row[1] in runs)
        outcome.cancelled_wrongly = sorted(wrong)
        outcome.reconciliations = requests_of_found_runs(folder)

    def _settle(self) -> None:
        until = self.emulator.now() + _weather.LATEST + 10
        deadline = time.monotonic() + _LONGEST_END
        while self.emulator.now() < until or not all_over(self.emulator.ledger()):
            if time.monotonic() > deadline:
                raise TimeoutError("the emulator's runs do not end")
            time.sleep(0.05)


def _rules(plan: Plan) -> list[dict[str, Any]]:
    if plan.kind == "calm":
        return []
    if plan.kind == "asleep":
        return _weather.lost(_weather.LATEST, times=2)
    if plan.kind == "quota":
        return [*_weather.quota(plan.seed), *_weather.weather(plan.seed)]
    if plan.is_late:
        return _weather.lost_and_late(1 + plan.seed % 3)
    if plan.kind == "copy":
        # What the older database has forgotten is still to come when it is brought back.
        return [*_weather.lost(_weather.LATEST, times=3), *_weather.weather(plan.seed)]
    return _weather.weather(plan.seed)


def _told_duplicates(folder: Path) -> frozenset[str]:
    """Return the second runs that a job tells of."""
    query = "SELECT run_id FROM seen WHERE is_duplicate"
    return frozenset(run_id for (run_id,) in rows_of(folder / "job" / "job.sqlite3", query))


def _taken(folder: Path) -> frozenset[str]:
    """Return the runs that a job has taken for its chunks, or a copy of it."""
    query = "SELECT run_id FROM intents WHERE run_id IS NOT NULL"
    jobs = [folder / name / "job.sqlite3" for name in ("job", "copy-job")]
    return frozenset(run_id for job in jobs if job.exists() for (run_id,) in rows_of(job, query))


def _job_id(folder: Path) -> str:
    ((found,),) = rows_of(folder / "job" / "job.sqlite3", "SELECT id FROM job")
    return str(found)
