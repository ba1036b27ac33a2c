"""The generation of a job's database: whether it is an old copy, and what other copies have done."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from ..errors import JobDatabaseError, JobStopped
from .database import _job_commands, _queries
from .database._job_folder import HighWaterMark, HighWaterMarkFile
from .database._journal import EventType
from .reconciliation._quiescence import NO_PROOF, QuiescenceDetector

if TYPE_CHECKING:
    from .database._database import Database
    from .database._job_folder import JobFolder
    from .reconciliation._duplicates import AdoptionResult, Reconciler
    from .reconciliation._platform import PlatformClient
    from .stages._context import JobContext

_STOP = ("stopped_at", "stop_kind", "stop_reason")
_AT_WORK = {"is_paused": False, "finished_at": None, **dict.fromkeys(_STOP)}
_INTERVAL = 60.0  # seconds


async def begin_generation(
    context: JobContext, high_water_mark: HighWaterMarkFile, platform: PlatformClient, reconciler: Reconciler
) -> int:
    """Begin a new generation, and return it; nothing may be sent before.

    Runs that the database does not know are settled first, if anything is left to be sent: a copy of the
    folder may have been at work, or the database may be a copy itself. The high-water mark tells whether it
    has forgotten requests too.
    """
    database = context.database
    requests = await database.read(_queries.requests())
    known = (await database.read(_queries.job())).generation
    mark = await to_thread.run_sync(high_water_mark.read)
    is_behind = mark is not None and mark.attempts > requests
    is_old = mark is None or mark.generation > known
    if is_behind or is_old or await database.read(_queries.has_unsent()):
        await _recall(context, platform, reconciler, is_behind=is_behind, is_copy=is_behind or is_old)
    generation = max(known, 0 if mark is None else mark.generation) + 1
    if not context.is_draining:
        await database.write(_job_commands.set_job(epoch=generation, **_AT_WORK))
        await to_thread.run_sync(high_water_mark.write, HighWaterMark(generation, requests))
    return generation


async def _recall(
    context: JobContext,
    platform: PlatformClient,
    reconciler: Reconciler,
    *,
    is_behind: bool,
    is_copy: bool,
) -> None:
    """Settle runs that the database does not know.

    If it has forgotten requests, too, their runs may still appear: then the listing is searched until
    silence proves that none does, or the job drains.
    """
    timeouts = context.plan.timeouts
    detector = QuiescenceDetector(timeouts, await platform.moment(fresh=True))
    until: float | None = None
    while not context.is_draining:
        begun = await platform.moment(fresh=True)
        result = await context.with_retries(partial(reconciler.adopt, is_copy=is_copy))
        _report(context, result)
        is_quiet = detector.observe(begun, is_empty=not result.adopted and not result.is_open)
        if not result.is_open and (is_quiet or not is_behind):
            break
        until = until or begun.uptime + timeouts.ambiguity
        if (unsettled := result.unsettled) and begun.uptime >= until:
            raise JobStopped(
                f"run {unsettled[0]} may be of this job and can't be read whole, so nothing can be sent"
            )
        if is_behind and detector.is_ambiguous(begun):
            raise JobStopped(f"requests of this job are missing in its database, and {NO_PROOF}")
        context.journal.emit(EventType.WAITING, text="for runs that this database does not know")
        wait = reconciler.replica_lag if result.is_open else detector.next_wait(begun, _INTERVAL)
        await context.sleep(wait)


def _report(context: JobContext, result: AdoptionResult) -> None:
    for run_id in result.adopted:
        context.journal.emit(EventType.RUN_ADOPTED, run_id=run_id)
    for reference, run_id in result.held.items():
        text = f"run {run_id} has an item with its reference"
        context.journal.emit(EventType.QUARANTINED, reference=reference, run_id=run_id, text=text)


async def record_stop(database: Database, folder: JobFolder, failure: BaseException) -> None:
    """Write down why and when a job stopped, on a full disk, too."""
    error = failure.cause if isinstance(failure, JobStopped) and failure.cause else failure
    reason = str(error) or type(error).__name__ if isinstance(error, Exception) else "it was interrupted"
    stop = {"stopped_at": time.time(), "stop_kind": type(error).__name__, "stop_reason": reason}
    with anyio.CancelScope(shield=True):
        try:
            await database.write(_job_commands.set_job(**stop))
        except JobDatabaseError:
            folder.free_space()
            with suppress(JobDatabaseError):
                await database.write(_job_commands.set_job(**stop))
