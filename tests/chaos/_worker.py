"""The process that works on a job. It is forked from one that has all modules, so a start costs little."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from random import Random

from attrs import evolve, frozen
from fast_clock import FastClock

from aignostics_async import Client
from aignostics_async._config import Limits
from aignostics_async.auth import ClientCredentials, IdentityProvider, _refresher
from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job
from aignostics_async.emulator.process import IMPATIENT, Emulator

from ._points import Point, Trap

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


def client_of(emulator: Emulator) -> Client:
    """Return a client whose tokens end, and are renewed."""
    client_id, secret = emulator.service
    provider = IdentityProvider.beside(emulator.token_url, client_id=client_id, client_secret=secret)
    return Client(emulator.api_root, ClientCredentials(provider), settings=SETTINGS)


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

    It exits with 0 when the job has come to its end, and with 1 when the job stopped.
    """
    if pid := os.fork():
        return pid
    status = 1
    try:
        _speak(orders.folder / "worker.log")
        status = _live(emulator, orders)
    except BaseException:  # noqa: BLE001 - a fork must never return
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _live(emulator: Emulator, orders: Orders) -> int:
    os.environ["XDG_STATE_HOME"] = str(orders.folder / "state")
    # Tokens end by the emulator's clock, and this is how soon one after the other may end.
    _refresher._REPLACEMENT_TRUSTED /= orders.rate
    if orders.point is not None:
        database = orders.folder / "job" / "job.sqlite3"
        how = signal.SIGSTOP if orders.sleeps else signal.SIGKILL
        Trap(orders.point, database, Random(orders.seed), orders.skip, orders.chunks, how).set()
    summary = asyncio.run(_work(emulator, orders))
    (orders.folder / "summary.json").write_text(json.dumps(summary, default=str), encoding="utf-8")
    return 0


async def _work(emulator: Emulator, orders: Orders) -> object:
    job_at = BulkJob(orders.folder / "job", clock=FastClock(orders.rate))
    async with client_of(emulator) as client, job_at as job:
        return (await job.run(client)).plain()


def _speak(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
