"""Whether a job's database is the newest one, and what is to be done where it is a copy from before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from .database import _commands, _queries
from .database._job_folder import HighWaterMark, HighWaterMarkFile
from .database._journal import EventType
from .reconciliation._quiescence import QuiescenceDetector

if TYPE_CHECKING:
    from .reconciliation._duplicates import Reconciler
    from .reconciliation._platform import PlatformClient
    from .stages._context import JobContext

_STOP = ("stopped_at", "stop_kind", "stop_reason")
_AT_WORK = {"is_paused": False, "finished_at": None, **dict.fromkeys(_STOP)}
_INTERVAL = 60.0  # seconds of the server's clock


async def begin_generation(
    context: JobContext, high_water_mark: HighWaterMarkFile, platform: PlatformClient, reconciler: Reconciler
) -> int:
    """Begin to work on the job, in a new generation, and return that one; before it, nothing may be sent.

    Where the high-water mark is gone, or knows of more than the database does, runs that the database has
    forgotten are made the job's own first.
    """
    database = context.database
    requests, known = (
        await database.read(_queries.requests()),
        (await database.read(_queries.job())).generation,
    )
    mark = await to_thread.run_sync(high_water_mark.read)
    if mark is None:
        await _recall(context, platform, reconciler, None, is_behind=False)
    elif mark.generation > known or mark.attempts > requests[0]:
        await _recall(context, platform, reconciler, mark.asked_at, is_behind=mark.attempts > requests[0])
    generation = max(known, 0 if mark is None else mark.generation) + 1
    if not context.is_draining:
        await database.write(_commands.set_job(epoch=generation, **_AT_WORK))
        await to_thread.run_sync(high_water_mark.write, HighWaterMark(generation, *requests))
    return generation


async def _recall(
    context: JobContext,
    platform: PlatformClient,
    reconciler: Reconciler,
    asked_at: float | None,
    *,
    is_behind: bool,
) -> None:
    """Make runs the job's own that its database has forgotten.

    Where it has forgotten requests too, what they ask for may still be to come: then the listings are
    looked through until silence proves that nothing does, or the job drains.
    """
    detector = QuiescenceDetector(context.plan.timeouts, asked_at, await platform.moment(fresh=True))
    while not context.is_draining:
        begun = await platform.moment(fresh=True)
        recalled = await context.with_retries(reconciler.adopt)
        for run_id in recalled.adopted:
            context.journal.emit(EventType.RUN_ADOPTED, run_id=run_id)
        is_quiet = detector.observe(begun, is_empty=not recalled.adopted and not recalled.doubtful)
        if not recalled.doubtful and (is_quiet or not is_behind):
            break
        context.journal.emit(EventType.WAITING, text="for runs that this database has forgotten")
        wait = reconciler.replica_lag if recalled.doubtful else detector.next_wait(begun, _INTERVAL)
        await context.sleep(wait)
