"""One round: a job is killed some times, and resumed until it is done."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from random import Random
from typing import Any

from attrs import define

from aignostics_async.emulator.process import Emulator

from ._copies import CopyAtWork
from ._person import Decisions, decisions
from ._plans import MARKS, Death, Kill, Outcome, Plan
from ._points import chunks_in_flight
from ._strangers import Strangers
from ._weather import LATE_BEYOND, LATEST, TIMEOUTS
from ._worker import ANSWER_LOST, CALLBACK_RAISED, DISK_FULL, DONE, Orders, fork

_LONGEST_LIFE = 180.0  # seconds
_MOST_LIVES = 12
_TROUBLED = 3
"""Lives at the beginning of a round in which callbacks raise, or the disk is full."""
_MOST_DECISIONS = 6
_NAP = TIMEOUTS.quiescence + TIMEOUTS.replica_lag + 100.0  # seconds of the emulator's clock


@define
class Round:
    """A job, killed and resumed until it is done."""

    emulator: Emulator
    folder: Path
    plan: Plan
    outcome: Outcome
    undisturbed: float
    """Seconds that a job takes that nobody disturbs."""
    rate: float
    strangers: Strangers | None = None
    job: str = "job"
    """The job's folder in the round's, and beside it the state of the machine that works on it."""
    state: str = "state"

    def play(self) -> None:
        """Kill and resume until the job is done."""
        if self.plan.kind == "turns":
            self._play_in_turns()
        elif self.plan.kind == "together":
            self._play_together()
        else:
            self.play_to_the_end(list(self.plan.kills))
        if self.plan.kind in MARKS:
            self._play_with_person()

    def _play_together(self) -> None:
        """Let a copy of the job's folder work at the same time, in a process that has this one's part."""
        kills = list(self.plan.kills)
        copying = CopyAtWork.begin(self, kills[1::2])
        self.play_to_the_end(kills[::2])
        copying.end(self)

    def _play_with_person(self) -> None:
        """Let somebody decide what is left to a person, until nothing is."""
        for number in range(_MOST_DECISIONS):
            if self._decisions().is_empty or self.outcome.trouble:
                return
            # Who decides has waited for what may still come.
            time.sleep((LATE_BEYOND if self.plan.is_late else LATEST) / self.rate)
            self.outcome.decisions += 1
            self.play_to_the_end([], decisions=self._decisions(adopts=number == 0))
        self.outcome.trouble = f"a decision is still open: {self._decisions()}"

    def _decisions(self, *, adopts: bool = True) -> Decisions:
        data = self.folder.parent / "emulator"
        return decisions(self.folder / self.job, data, self.plan.name, adopts=adopts)

    def _play_in_turns(self) -> None:
        """Let copies of the job's folder work in turn, on machines that know nothing of each other."""
        self._live(self.plan.kills[0], 0)
        shutil.copytree(self.folder / "job", self.folder / "copy-job")
        self.play_to_the_end([], job="copy-job", state="copy-state", chunk_size=1 + self.plan.seed % 3)
        self.play_to_the_end([])
        if not self.plan.has_tag:
            self.play_to_the_end([], decisions=Decisions(adopts=True))

    def play_to_the_end(
        self, kills: list[Kill], *, decisions: Decisions | None = None, **orders: Any
    ) -> None:
        """Kill, and resume until the job is done."""
        for life in range(1, _MOST_LIVES + len(kills) + 1):
            kill = kills.pop(0) if kills else None
            self._between(life - 1)
            decided = {"decisions": decisions} if decisions is not None and life == 1 else {}
            status = self._live(kill, life, **{**self._troubles(life), **decided, **orders})
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
                **{"job": self.job, "state": self.state, **orders},
                guard=self.plan.guard,
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
            if self.strangers is not None:
                self.strangers.act(self.folder / self.job)
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
        copy = self.folder / f"copy-of-{self.job}"
        _copy(self.folder / self.job, copy)
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


def _copy(job: Path, to: Path) -> None:
    to.mkdir(exist_ok=True)
    for file in job.glob("job.sqlite3*"):
        shutil.copy(file, to)
