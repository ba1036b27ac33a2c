"""One round: a job is made, killed some times, resumed until it is done, and judged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from attrs import define, field, frozen

from aignostics_async.bulk import JobPlan
from aignostics_async.bulk.reconciliation._tags import plain, tag_of
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

from . import _weather
from ._judge import Judgement, all_over, files_here, judge, stored_outputs
from ._points import Point, chunks_in_flight
from ._worker import ANSWER_LOST, CALLBACK_RAISED, DISK_FULL, DONE, Orders, fork, make

RATE = 200.0
"""Seconds of the emulator's clock per second of a quiet machine."""
SLIDES, CHUNK = 8, 2
_SPEED = 0.1  # a run takes about 80 seconds of that clock
_TOKENS = 500.0  # seconds of that clock
_URLS = 200.0
_LONGEST_LIFE = 180.0  # seconds
_MOST_LIVES = 12
_TROUBLED = 3
"""Lives at the beginning of a round in which callbacks raise, or the disk is full."""
_NAP = _weather.TIMEOUTS.quiescence + _weather.TIMEOUTS.replica_lag + 100.0  # seconds of that clock

Kind = Literal["calm", "kills", "late", "copy", "asleep", "turns", "quota", "callback", "full"]


@frozen(kw_only=True)
class Kill:
    """When to kill: at a point, or at some part of the time that a job takes."""

    point: Point | None = None
    skip: int = 0
    part: float = 0.0
    chunks: int = 2
    sleeps: bool = False
    """Whether the process is put to sleep instead, for longer than all timeouts, and wakes."""


@frozen(kw_only=True)
class Plan:
    """A round."""

    name: str
    seed: int
    kind: Kind
    kills: Sequence[Kill]
    has_tag: bool = False


@frozen
class Death:
    """A kill that hit."""

    point: int | None
    """None for one at a random moment."""
    in_flight: int


@define
class Outcome:
    """What a round came to."""

    plan: str
    kind: Kind
    deaths: list[Death] = field(factory=list)
    stops: int = 0
    """How often the job stopped by itself, for an outage, and was resumed."""
    broken: list[str] = field(factory=list)
    """What `PRAGMA integrity_check` said that was not ok, after a kill or in the end."""
    judgement: Judgement | None = None
    told: int = 0
    """Second runs that the job told of."""
    naps: int = 0
    """How often the process was asleep for longer than the timeouts for detector."""
    options: int = 0
    """Lives under a client with other options than the one that holds the connections."""
    callbacks: int = 0
    """Lives that a callback of the caller ended."""
    full: int = 0
    """Lives that a full disk ended."""
    trouble: str = ""
    """Why the job did not come to its end."""

    @property
    def is_well(self) -> bool:
        """Whether nothing of it speaks against the promise."""
        seen = self.judgement
        if self.trouble or self.broken or seen is None or seen.duplicates != self.told:
            return False
        is_fine = not (seen.lost or seen.wrong or seen.uploaded_again)
        return is_fine and (self.kind == "late" or not seen.duplicates)


class Lane:
    """An emulator, and the rounds that are played on it one after the other."""

    def __init__(self, folder: Path, rate: float, contract: str) -> None:
        self._folder = folder
        self._rate = rate
        folder.mkdir(parents=True)
        self.emulator = Emulator(
            folder / "emulator",
            speed=_SPEED,
            clock_rate=rate,
            token_lifetime=_TOKENS,
            url_lifetime=_URLS,
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
            application_version="he-tme:v1.0.0",
            store=self.emulator.store_url,
            chunk_size=CHUNK,
            reference_tag=plan.has_tag,
            timeouts=_weather.TIMEOUTS_LATE if plan.kind == "late" else _weather.TIMEOUTS,
        )
        # How long making it takes is not tried: on a busy machine its tokens would end meanwhile.
        self.emulator.set_clock(rate=1)
        make(self.emulator, folder, job, slides)
        self.emulator.set_clock(rate=self._rate)
        self.emulator.set_faults(*_rules(plan))
        self.emulator.set_conditions(**_weather.conditions(plan.seed))
        outcome = Outcome(plan.name, plan.kind)
        begun = time.monotonic()
        _Round(self.emulator, folder, plan, outcome, self._undisturbed, self._rate).play()
        if plan.kind == "calm":
            self._undisturbed = time.monotonic() - begun
        if not outcome.trouble:
            self._judge(plan, folder, outcome)
        return outcome

    def _judge(self, plan: Plan, folder: Path, outcome: Outcome) -> None:
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
        outcome.judgement = judge(references, ledger, stored, here, self.emulator.requests())
        outcome.told = json.loads((folder / "summary.json").read_text())["runs"]["duplicates"]

    def _settle(self) -> None:
        until = self.emulator.now() + _weather.LATEST + 10
        deadline = time.monotonic() + _LONGEST_LIFE
        while self.emulator.now() < until or not all_over(self.emulator.ledger()):
            if time.monotonic() > deadline:
                raise TimeoutError("the emulator's runs do not end")
            time.sleep(0.05)


@define
class _Round:
    emulator: Emulator
    folder: Path
    plan: Plan
    outcome: Outcome
    undisturbed: float
    rate: float

    def play(self) -> None:
        """Kill and resume until the job is done."""
        if self.plan.kind == "turns":
            self._play_in_turns()
        else:
            self._play_to_the_end(list(self.plan.kills))

    def _play_in_turns(self) -> None:
        """Let copies of the job's folder work in turn, on machines that know nothing of each other."""
        self._live(self.plan.kills[0], 0)
        shutil.copytree(self.folder / "job", self.folder / "copy-job")
        self._play_to_the_end([], job="copy-job", state="copy-state", chunk_size=1 + self.plan.seed % 3)
        self._play_to_the_end([])
        if not self.plan.has_tag:
            self._play_to_the_end([], adopts=True)

    def _play_to_the_end(self, kills: list[Kill], **orders: Any) -> None:
        for life in range(1, _MOST_LIVES + len(kills) + 1):
            kill = kills.pop(0) if kills else None
            self._between(life - 1)
            status = self._live(kill, life, **{**self._troubles(life), **orders})
            if status == DONE:
                return  # perhaps before all kills were
            self.outcome.stops += status == 1
            self.outcome.callbacks += status == CALLBACK_RAISED
            self.outcome.full += status == DISK_FULL
            if status == ANSWER_LOST:
                self.outcome.trouble = "an answer was lost when a callback raised"
                return
        self.outcome.trouble = f"not done after {life} lives; {self.folder / 'worker.log'}"

    def _troubles(self, life: int) -> dict[str, Any]:
        """Return what goes wrong in a life, beside the weather."""
        random = Random(self.plan.seed * 100 + life)
        if self.plan.kind == "callback" and life <= _TROUBLED:
            return {"raises_at": random.randint(0, 40)}
        if self.plan.kind == "full" and life <= _TROUBLED:
            return {"file_limit": random.randint(150_000, 1_200_000)}
        return {"chunk_size": random.choice([None, 1, 3])} if self.plan.kind == "quota" else {}

    def _live(self, kill: Kill | None, life: int, **orders: Any) -> int:
        """Let a process work; return its status, negative for a signal."""
        point = None if kill is None else kill.point
        has_options = (self.plan.seed + life) % 2 == 1
        self.outcome.options += has_options
        pid = fork(
            self.emulator,
            Orders(
                **orders,
                has_options=has_options,
                folder=self.folder,
                rate=self.rate,
                point=point,
                skip=0 if kill is None else kill.skip,
                chunks=0 if kill is None else kill.chunks,
                sleeps=kill is not None and kill.sleeps,
                seed=self.plan.seed * 100 + life,
            ),
        )
        until = _LONGEST_LIFE if kill is None or point else kill.part * self.undisturbed
        status = self._wait(pid, until)
        if status is None:
            os.kill(pid, signal.SIGKILL)
            status = self._wait(pid, _LONGEST_LIFE)
            if kill is None or point:
                self.outcome.trouble = f"a life took more than {until} s"
        if status == -signal.SIGKILL:
            self._look(None if point is None else point.number)
        return -1 if status is None else status

    def _wait(self, pid: int, seconds: float) -> int | None:
        """Return how a process ended, or None if it has not within some seconds; wake it if it sleeps."""
        end = time.monotonic() + seconds
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                self.outcome.naps += 1
                time.sleep(_NAP / self.rate)
                os.kill(pid, signal.SIGCONT)
            elif ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() >= end:
                return None
            time.sleep(0.005)

    def _look(self, point: int | None) -> None:
        """Look at what a kill has left, in a copy: what mends it is the next process's to do."""
        copy = self.folder / "copy"
        _copy(self.folder / "job", copy)
        database = copy / "job.sqlite3"
        connection = sqlite3.connect(database)
        for (said,) in connection.execute("PRAGMA integrity_check").fetchall():
            if said != "ok":
                self.outcome.broken.append(said)
        connection.close()
        self.outcome.deaths.append(Death(point, chunks_in_flight(database)))

    def _between(self, life: int) -> None:
        """Bring an older database back, where the round is of that kind."""
        if self.plan.kind != "copy":
            return
        older = self.folder / "older"
        if life == 1:
            _copy(self.folder / "job", older)
        elif life == 2:
            for suffix in ("-wal", "-shm"):
                (self.folder / "job" / f"job.sqlite3{suffix}").unlink(missing_ok=True)
            _copy(older, self.folder / "job")


def _rules(plan: Plan) -> list[dict[str, Any]]:
    if plan.kind == "calm":
        return []
    if plan.kind == "asleep":
        return _weather.lost(_weather.LATEST, times=2)
    if plan.kind == "quota":
        return [*_weather.quota(plan.seed), *_weather.weather(plan.seed)]
    if plan.kind == "late":
        return _weather.lost_and_late(1 + plan.seed % 3)
    if plan.kind == "copy":
        # What the older database has forgotten is still to come when it is brought back.
        return [*_weather.lost(_weather.LATEST, times=3), *_weather.weather(plan.seed)]
    return _weather.weather(plan.seed)


def _copy(job: Path, to: Path) -> None:
    to.mkdir(exist_ok=True)
    for file in job.glob("job.sqlite3*"):
        shutil.copy(file, to)


def _job_id(folder: Path) -> str:
    connection = sqlite3.connect(folder / "job" / "job.sqlite3")
    (found,) = connection.execute("SELECT id FROM job").fetchone()
    connection.close()
    return str(found)
