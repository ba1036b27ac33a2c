"""Small jobs on a real cluster of this machine, with what each of its processes spends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil
from attrs import evolve, field, frozen

from aignostics_async import Transfers
from aignostics_async.bulk import BulkJob, DaskEngine, JobPlan, JobStatus, Sources, create_job
from aignostics_async.bulk.database._writer import Writer
from aignostics_async.emulator import synthetic
from aignostics_async.emulator.process import IMPATIENT, Emulator
from benchmarks.bulk_slides import VERSION

THREADS = 4
_PATIENCE = 120.0  # seconds, for a cluster to start


@frozen(kw_only=True)
class Spent:
    """What happened until a moment, or between two: seconds of time and of CPU, commits, requests."""

    seconds: float
    coordinator: float
    scheduler: float
    workers: float
    commits: int = 0
    api: int = 0
    store: int = 0

    def since(self, before: Spent) -> Spent:
        """Return what happened since another moment."""
        names = [each.name for each in Spent.__attrs_attrs__]
        return Spent(**{name: getattr(self, name) - getattr(before, name) for name in names})


@frozen(kw_only=True)
class Done:
    """A job that was done."""

    count: int
    size: int
    preflight: Spent
    run: Spent
    sent: int
    """Bytes up and down."""
    outputs: float
    """Bytes of the outputs of a slide."""


@frozen
class Cluster:
    """An emulator, a scheduler and workers, each a process of its own."""

    emulator: Emulator
    folder: Path
    scheduler: psutil.Process
    workers: list[psutil.Process] = field(factory=list)

    @property
    def file(self) -> Path:
        """The scheduler's file."""
        return self.folder / "scheduler.json"

    def now(self) -> Spent:
        """Return what has been spent until now."""
        kinds = [
            "/store/" in each["path"] or "/objects/" in each["path"] for each in self.emulator.requests()
        ]
        return Spent(
            seconds=time.perf_counter(),
            coordinator=time.process_time(),
            scheduler=_cpu(self.scheduler),
            workers=sum(map(_cpu, self.workers)),
            commits=_Commits.count,
            api=kinds.count(False),
            store=kinds.count(True),
        )


class _Commits:
    """The commits of all databases of this process."""

    count = 0


def _count_commits() -> None:
    commit = Writer._commit

    def counted(self: Writer, *arguments: Any) -> Any:
        _Commits.count += 1
        return commit(self, *arguments)

    cast("Any", Writer)._commit = counted


_count_commits()


def _cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and its children, those that have ended too."""
    own = process.cpu_times()
    below = [_own_cpu(child) for child in process.children(recursive=True)]
    return float(own.user + own.system + own.children_user + own.children_system + sum(below))


def _own_cpu(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start an emulator, a scheduler and workers; they end with the block."""
    folder.mkdir()
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    with Emulator(folder / "emulator", url_lifetime=10**6) as emulator:
        os.environ.update(emulator.environment)
        place = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        file = folder / "scheduler.json"
        started = [_dask("scheduler", *place, "--port", "0", "--scheduler-file", str(file))]
        try:
            wait_for(file)
            options = (*place, "--nthreads", str(THREADS), "--no-nanny", "--local-directory", str(folder))
            told = ("--scheduler-file", str(file), "--death-timeout", "60")
            started += [_dask("worker", *options, *told) for _ in range(workers)]
            found = [psutil.Process(each.pid) for each in started]
            yield Cluster(emulator, folder, found[0], found[1:])
        finally:
            for each in reversed(started):
                each.kill()
                each.wait()


def wait_for(file: Path) -> None:
    """Wait until a scheduler has written its file."""
    until = time.monotonic() + _PATIENCE
    while not (file.exists() and file.read_text().endswith("}")):
        if time.monotonic() > until:
            raise SystemExit("the scheduler does not start")
        time.sleep(0.1)


def _dask(what: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def play(place: Cluster, count: int, size: int, bandwidth: float | None = None) -> Done:
    """Take some slides of a size through a job, and return what that cost."""
    return asyncio.run(_play(place, count, size, bandwidth))


async def _play(place: Cluster, count: int, size: int, bandwidth: float | None) -> Done:
    folder = place.folder / str(uuid.uuid4())
    _write_slides(folder / "slides", count, size)
    settings = evolve(IMPATIENT, poll_interval=1.0, transfers=Transfers(bandwidth=bandwidth))
    emulator = place.emulator
    plan = JobPlan(
        api_root=emulator.root, application_version=VERSION, store=emulator.store_url, chunk_size=10
    )
    engine = DaskEngine(scheduler_file=place.file)
    async with emulator.client(settings) as client:
        begun = place.now()
        sources = Sources(places=[str(folder / "slides")])
        report = await create_job(folder / "job", plan, sources, client, engine=engine)
        if not report.is_clear:
            raise SystemExit(f"not made: {report.faults[:3]}")
        made = place.now()
        async with BulkJob(folder / "job") as job:
            summary = await job.run(client, engine=engine)
        ended = place.now()
    if summary.status is not JobStatus.DONE:
        raise SystemExit(f"the job is {summary.status.name}: {summary.states}")
    outputs = summary.outputs.bytes
    return Done(
        count=count,
        size=size,
        preflight=made.since(begun),
        run=ended.since(made),
        sent=summary.uploads.stored_bytes + outputs,
        outputs=outputs / count,
    )


def _write_slides(folder: Path, count: int, size: int) -> None:
    """Write slides that differ in their last bytes only, which no reader looks at."""
    begin = synthetic.write_slide(folder.parent / "slide.tiff", width=256, height=256).read_bytes()
    if len(begin) >= size:
        raise SystemExit(f"a slide has at least {len(begin):,} bytes")
    folder.mkdir()
    for number in range(count):
        Path(folder, f"case-{number:03}.tiff").write_bytes(begin + os.urandom(size - len(begin)))
