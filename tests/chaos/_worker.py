"""The process that works on a job. It is forked from one that has all modules, so a start costs little."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sqlite3
import sys
import traceback
from pathlib import Path
from random import Random

from attrs import evolve, field, frozen
from fast_clock import FastClock

from aignostics_async import Client, Hooks, JobDatabaseError, JobStopped
from aignostics_async._config import Limits
from aignostics_async.auth import ClientCredentials, IdentityProvider, _refresher
from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job
from aignostics_async.emulator.process import IMPATIENT, Emulator

from ._person import Decisions
from ._points import Point, Trap
from ._reconciliations import RequestMeter
from ._weakened import GUARDS

# Few at once, so that some slides are on their way while others are analysed.
SETTINGS = evolve(IMPATIENT, limits=Limits(transfers=2))


@frozen(kw_only=True)
class Orders:
    """What a process is to do."""

    folder: Path
    """The round's."""
    rate: float
    """Seconds of the emulator's clock per second of the machine."""
    point: Point | None = None
    skip: int = 0
    chunks: int = 2
    sleeps: bool = False
    """Whether it falls asleep at the point, rather than die."""
    seed: int = 0
    job: str = "job"
    """The job's folder in the round's, and beside it the state of the machine that works on it."""
    state: str = "state"
    has_options: bool = False
    """Whether the client is one with other options than the one that holds the connections."""
    chunk_size: int | None = None
    raises_at: int | None = None
    """Which of all calls of a callback raises."""
    file_limit: int | None = None
    """How many bytes its files may have."""
    decisions: Decisions = field(factory=Decisions)
    """What a person has decided before."""
    guard: str | None = None
    """Which guard is weakened, so that the trial has to fail."""


DONE, STOPPED, ANSWER_LOST, CALLBACK_RAISED, DISK_FULL = 0, 1, 3, 4, 5
"""What a process ends with."""


class CallbackError(Exception):
    """What a caller's callback raises."""


def client_of(emulator: Emulator, meter: RequestMeter | None = None) -> Client:
    """Return a client whose tokens end, and are renewed."""
    client_id, secret = emulator.service
    provider = IdentityProvider.beside(emulator.token_url, client_id=client_id, client_secret=secret)
    source = ClientCredentials(provider)
    settings = SETTINGS if meter is None else evolve(SETTINGS, hooks=Hooks(on_request=meter.count))
    return Client(emulator.root, source, settings=settings, contract=emulator.contract)


def make(emulator: Emulator, folder: Path, plan: JobPlan, slides: Path) -> None:
    """Make the job of a round."""

    async def work() -> None:
        async with client_of(emulator) as client:
            sources = Sources(places=[str(slides)], reference_from="stem")
            report = await create_job(folder / "job", plan, sources, client)
            if not report.is_clear:
                raise RuntimeError(f"the job could not be made: {report.faults}")

    asyncio.run(work())


def fork(emulator: Emulator, orders: Orders) -> int:
    """Start a process that works on the job to its end, or its own, and return its id.

    It exits with 0 when the job has come to its end, and with 1 when the job stopped; see `DONE`.
    """
    if pid := os.fork():
        return pid
    status = STOPPED
    try:
        _speak(orders.folder / "worker.log")
        status = _live(emulator, orders)
    except CallbackError:
        status = ANSWER_LOST if _open_requests(orders) else CALLBACK_RAISED
    except JobStopped as error:
        traceback.print_exc()
        status = DISK_FULL if isinstance(error.cause, JobDatabaseError) else STOPPED
    except BaseException:  # noqa: BLE001 - a fork must never return
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _live(emulator: Emulator, orders: Orders) -> int:
    os.environ["XDG_STATE_HOME"] = str(orders.folder / orders.state)
    # Tokens end by the emulator's clock, and this is how soon one after the other may end.
    _refresher._REPLACEMENT_TRUSTED /= orders.rate
    if orders.point is not None:
        database = orders.folder / orders.job / "job.sqlite3"
        how = signal.SIGSTOP if orders.sleeps else signal.SIGKILL
        Trap(orders.point, database, Random(orders.seed), orders.skip, orders.chunks, how).set()
    if orders.file_limit is not None:
        # What a full disk does to the log of the database: no commit gets through any more.
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders.file_limit, resource.RLIM_INFINITY))
    if orders.guard is not None:
        GUARDS[orders.guard].weaken()
    summary = asyncio.run(_work(emulator, orders))
    told = json.dumps(summary, default=str)
    (orders.folder / f"summary-{orders.job}.json").write_text(told, encoding="utf-8")
    return DONE


def _open_requests(orders: Orders) -> int:
    """Return how many requests for runs are not concluded in the database."""
    connection = sqlite3.connect(orders.folder / orders.job / "job.sqlite3")
    (count,) = connection.execute("SELECT count(*) FROM attempts WHERE outcome IS NULL").fetchone()
    connection.close()
    return int(count)


class _Callback:
    """A callback that raises once, at one of its calls."""

    def __init__(self, raises_at: int | None) -> None:
        self._left = raises_at

    def __call__(self, _event: object) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise CallbackError


async def _work(emulator: Emulator, orders: Orders) -> object:
    job_at = BulkJob(orders.folder / orders.job, clock=FastClock(orders.rate))
    callback = _Callback(orders.raises_at)
    meter = RequestMeter(orders.folder / "reconciliations.jsonl")
    meter.set()
    async with client_of(emulator, meter) as plain, job_at as job:
        client = plain.with_options(retries=SETTINGS.retries) if orders.has_options else plain
        await _decide(job, client, orders.decisions)
        summary = await job.run(client, listener=callback, progress=callback, chunk_size=orders.chunk_size)
        return summary.plain()


async def _decide(job: BulkJob, client: Client, decisions: Decisions) -> None:
    for chunk, run_id in decisions.chunks.items():
        await job.resolve(chunk, run_id=run_id, client=client)
    if decisions.adopts:
        await job.adopt(client)
    if decisions.reruns:
        await job.retry(rerun=True, only=decisions.reruns)


def _speak(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
