"""One job of many slides: two workers are killed, then the scheduler, then the coordinator."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from attrs import define, evolve, field, frozen
from chaos._judge import Judgement, all_over, files_here, judge, stored_outputs
from dask_clusters import DaskCluster, dask_cluster
from running_jobs import TIMEOUTS, VERSION, probed

from aignostics_async import Client
from aignostics_async.bulk import JobPlan, _create as making
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._job_folder import HighWaterMark, HighWaterMarkFile, JobFolder
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.slides._fingerprints import measure

RATE = 20.0
"""Seconds of the emulator's clock per second."""
WORKERS, THREADS = 4, 2
_PATIENCE = 600.0  # seconds
_STOPPED = 75


@frozen(kw_only=True)
class Outcome:
    """What became of a job."""

    seed: int
    slides: int
    judgement: Judgement
    states: dict[str, int]
    statuses: tuple[int, ...]
    """How the coordinators ended."""
    kills: tuple[int, ...]
    """How many steps were done at each kill."""
    runs_twice: int
    """Uploads that were begun more than once, which an interruption may cause."""
    seconds: float

    @property
    def is_well(self) -> bool:
        """Whether the job is complete, and nothing was done twice that must not be."""
        seen = self.judgement
        broken = seen.lost or seen.wrong or seen.duplicates or seen.uploaded_again
        return not broken and self.states == {"DONE": self.slides} and self.statuses[-1] == 0


@define
class Round:
    """A job on a cluster."""

    emulator: Emulator
    slide: Path
    folder: Path
    seed: int
    slides: int
    last_engine: str = "dask"
    """What brings the job to its end: `dask` or `local`."""
    _statuses: list[int] = field(factory=list)
    _kills: list[int] = field(factory=list)

    def play(self) -> Outcome:
        """Play it, and judge it by the emulator's books."""
        begun, random = time.monotonic(), Random(self.seed)
        self.folder.mkdir(parents=True)
        os.environ["XDG_STATE_HOME"] = str(self.folder / "state")
        asyncio.run(self._make())
        steps = 2 * self.slides
        first, second, third = sorted(random.sample(range(steps // 20, steps - steps // 20), 3))
        with dask_cluster(
            self.folder / "cluster", self._environment, workers=WORKERS, threads=THREADS
        ) as dask:
            coordinator = self._start(dask)
            self._wait(coordinator, first)
            for worker in random.sample(dask.workers, 2):
                worker.kill()
            dask.start_worker(THREADS)
            self._wait(coordinator, second)
            dask.scheduler.kill()
            dask.scheduler.wait()
            self._statuses.append(coordinator.wait(timeout=_PATIENCE))
            self._restart(dask)
            coordinator = self._start(dask)
            self._wait(coordinator, third)
            coordinator.kill()
            self._statuses.append(coordinator.wait())
            self._finish(dask)
        return self._judged(time.monotonic() - begun)

    def _finish(self, dask: DaskCluster) -> None:
        """Resume until nothing stops the job any more."""
        for _ in range(4):
            coordinator = self._start(dask if self.last_engine == "dask" else None)
            self._statuses.append(coordinator.wait(timeout=_PATIENCE))
            if self._statuses[-1] != _STOPPED:
                return

    @staticmethod
    def _restart(dask: DaskCluster) -> None:
        """Start another scheduler, with other workers."""
        for worker in dask.workers:
            worker.kill()
        dask.start_scheduler()
        for _ in range(WORKERS):
            dask.start_worker(THREADS)

    async def _make(self) -> None:
        """Make a job of slides whose reading is known: what `create_job` makes, without its preflight."""
        directory = JobFolder(self.folder / "job")
        directory.make()
        database = Database(directory.database).open()
        plan = JobPlan(
            api_root=self.emulator.root,
            application_version=VERSION,
            store=self.emulator.store_url,
            chunk_size=10,
            timeouts=TIMEOUTS,
            contract=self.emulator.contract,
        )
        slide = await probed(self.slide)
        try:
            async with self.emulator.client(IMPATIENT) as client:
                job_id = await self._begin(database, plan, client)
            keep = making._keeper(database, job_id)
            for reference in self._references:
                path = Path(shutil.copy(self.slide, self.folder / f"{reference}.tiff"))
                size, fingerprint = measure([path])
                own = evolve(
                    slide, info=evolve(slide.info, files=(path,)), size=size, fingerprint=fingerprint
                )
                await keep(SlideEntry(path=str(path), reference=reference), own, [])
            HighWaterMarkFile(job_id).write(HighWaterMark(0, 0))
        finally:
            database.close()
        self.emulator.set_faults()

    @staticmethod
    async def _begin(database: Database, plan: JobPlan, client: Client) -> str:
        return await making._begin(database, plan, client)

    @property
    def _references(self) -> list[str]:
        return [f"{self.folder.name}-{number}" for number in range(self.slides)]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.emulator.environment, "PYTHONPATH": os.pathsep.join(sys.path)}

    def _start(self, dask: DaskCluster | None) -> subprocess.Popen[bytes]:
        words = [str(self.folder / "job"), str(RATE)] + ([] if dask is None else [str(dask.file)])
        with (self.folder / "coordinator.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cluster_chaos._coordinator", *words],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def _wait(self, coordinator: subprocess.Popen[bytes], steps: int) -> None:
        """Wait until the job has done a number of steps, two for each slide: its upload and its results."""
        until = time.monotonic() + _PATIENCE
        while (done := self._steps()) < steps:
            assert coordinator.poll() is None, (self.folder / "coordinator.log").read_text()[-2000:]
            assert time.monotonic() < until, f"only {done} of {steps} steps"
            time.sleep(0.02)
        self._kills.append(done)

    def _states(self) -> Counter[str]:
        place = f"{(self.folder / 'job' / 'job.sqlite3').absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(place, uri=True)
        try:
            return Counter(dict(connection.execute("SELECT state, count(*) FROM items GROUP BY state")))
        finally:
            connection.close()

    def _steps(self) -> int:
        states = self._states()
        return self.slides - states["READY"] - states["SENDING"] + states["DONE"]

    def _judged(self, seconds: float) -> Outcome:
        until = time.monotonic() + _PATIENCE
        while not all_over(self.emulator.ledger()):
            assert time.monotonic() < until, "the emulator's runs do not end"
            time.sleep(0.1)
        references = frozenset(self._references)
        requests = list(self.emulator.requests())
        puts = Counter(
            each["path"] for each in requests if each["method"] == "PUT" and "/objects/" in each["path"]
        )
        judgement = judge(
            references,
            self.emulator.ledger(),
            stored_outputs(self.emulator._data, references, lambda reference: reference),
            files_here(self.folder / "job" / "results"),
            requests,
        )
        return Outcome(
            seed=self.seed,
            slides=self.slides,
            judgement=judgement,
            states=dict(self._states()),
            statuses=tuple(self._statuses),
            kills=tuple(self._kills),
            runs_twice=sum(times > 1 for times in puts.values()),
            seconds=seconds,
        )
