"""Uploads by the workers of a Dask cluster: how they scale, and what a task costs.

The workers are processes of this machine, each with a link of its own that takes at most a quarter of what
one worker moves without a limit, so that the cores of the machine do not decide. The store is the emulator's.
Each figure is of work that begins when all workers are there and have done something. An idle task shows what
the cluster adds to each; the engine of one machine is beside it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from attrs import evolve, frozen

from aignostics_async import Transfers
from aignostics_async._core._tasks import for_each
from aignostics_async.bulk import DaskEngine, JobPlan, LocalEngine, StageEngine
from aignostics_async.bulk.database._samples import Stage
from aignostics_async.bulk.engines._protocol import EngineSetup, OpenEngine, StageTools
from aignostics_async.bulk.engines._tasks import UploadTask
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.slides import SlideInfo
from aignostics_async.slides._fingerprints import measure
from aignostics_async.slides.workers._probed_slide import ProbedSlide
from aignostics_async.transfer.progress._events import Progress
from benchmarks.figures import ROOT, Results, parser_of, recording

SIZE = 2_000_000
WORKERS = (1, 2, 4)
IDLE_TASKS = 400
SECONDS = 12.0
"""How long the uploads at one link last."""


@frozen
class IdleTask:
    """Does nothing, in the stage of uploads."""

    stage: ClassVar[Stage] = Stage.UPLOAD
    number: int
    reference: str = ""
    file_name: str = ""
    paths: tuple[Path, ...] = ()

    async def perform(self, tools: StageTools, progress: Progress) -> int:
        return self.number


@frozen
class Place:
    """Where the measurements are made."""

    emulator: Emulator
    folder: Path
    slide: ProbedSlide

    @asynccontextmanager
    async def engine(self, engine: StageEngine, bandwidth: float | None = None) -> AsyncIterator[OpenEngine]:
        settings = evolve(IMPATIENT, transfers=Transfers(bandwidth=bandwidth))
        async with self.emulator.client(settings) as client:
            address = self.emulator.store_url
            store = client.store(address)
            setup = EngineSetup(
                plan=JobPlan(api_root=client.api_root, application_version="he-tme:v1.0.0", store=address),
                client=client,
                store=lambda: store,
                store_address=address,
                job_id=str(uuid.uuid4()),
                results=self.folder / "results",
                on_remark=print,
            )
            async with engine.open(setup) as opened:
                await self.upload(opened, 16)
                yield opened

    async def upload(self, engine: OpenEngine, count: int) -> float:
        """Upload copies of the slide, and return the bytes per second."""

        async def one(number: int) -> None:
            key = f"bench/{uuid.uuid4()}"
            path = self.slide.info.files[0]
            await engine.run(UploadTask(number, "case", str(path), self.slide, key, path.name))

        begun = time.perf_counter()
        await for_each(range(count), one, limit=engine.window(Stage.UPLOAD))
        return count * self.slide.size / (time.perf_counter() - begun)

    async def idle(self, engine: OpenEngine) -> tuple[float, float]:
        """Return the seconds and the processor seconds of this process for a task that does nothing."""

        async def one(number: int) -> None:
            await engine.run(IdleTask(1000 + number))

        begun, spent = time.perf_counter(), time.process_time()
        await for_each(range(IDLE_TASKS), one, limit=engine.window(Stage.UPLOAD))
        return (time.perf_counter() - begun) / IDLE_TASKS, (time.process_time() - spent) / IDLE_TASKS


async def measure_all(results: Results, place: Place) -> None:
    async with place.engine(LocalEngine()) as engine:
        alone, local_task = await place.upload(engine, 60), await place.idle(engine)
    print(f"{'engine':<26}{'link of each':>14}{'MB/s':>8}{'of linear':>11}")
    print(f"{'this machine':<26}{'no limit':>14}{alone / 1e6:>8.1f}")
    whole = {}
    for workers in (WORKERS[0], WORKERS[-1]):
        async with place.engine(DaskEngine(local_workers=workers)) as engine:
            whole[workers] = await place.upload(engine, 60)
            task = await place.idle(engine)
        print(f"{f'dask, workers: {workers}':<26}{'no limit':>14}{whole[workers] / 1e6:>8.1f}")
    link = min(whole[WORKERS[0]] / 4, 4e6)
    first = 0.0
    for workers in WORKERS:
        count = round(SECONDS * link * workers / SIZE)
        async with place.engine(DaskEngine(local_workers=workers), bandwidth=link * workers) as engine:
            rate = await place.upload(engine, count)
        first = first or rate
        share = rate / (first * workers)
        print(f"{f'dask, workers: {workers}':<26}{link / 1e6:>9.2f} MB/s{rate / 1e6:>8.1f}{share:>11.2f}")
        results.begin(f"workers: {workers}")
        results.add("speed / that of one worker as many times", share)
    for name, (seconds, spent) in {"this machine": local_task, "dask, workers: 4": task}.items():
        print(
            f"a task that does nothing, {name}: {seconds * 1e3:.2f} ms, {spent * 1e3:.2f} ms of this process"
        )
        results.begin(f"a task that does nothing, {name}")
        results.add("time", seconds * 1e3, "ms")
        results.add("CPU of this process", spent * 1e3, "ms")


def main() -> None:
    arguments = parser_of(__doc__).parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)  # for the workers, which import this module
    with recording("bulk_cluster", arguments.json) as results, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slide.bin")
        path.write_bytes(os.urandom(SIZE))
        size, fingerprint = measure([path])
        info = SlideInfo(
            width=1, height=1, mpp_x=0.5, mpp_y=0.5, mime_type="image/tiff", format="", packing=1,
            files=(path,), associated_images=(), identifying=(), remarks=(), series=None, is_packed=False,
        )  # fmt: skip
        with Emulator(Path(folder, "emulator")) as emulator:
            os.environ.update(emulator.environment)
            place = Place(emulator, Path(folder), ProbedSlide(info, size, fingerprint))
            asyncio.run(measure_all(results, place))


if __name__ == "__main__":
    from benchmarks.bulk_cluster import main as start  # tasks are named by the module that workers import

    start()
