"""Whether a job's database is the newest one, and what is to be done where it is a copy from before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from .database import _commands, _queries
from .database._job_folder import Mark, Marker
from .database._journal import EventType
from .reconciliation import _submitter
from .reconciliation._quiescence import Silence

if TYPE_CHECKING:
    from .reconciliation._duplicates import Sweep
    from .reconciliation._platform import Platform
    from .stages._context import Work

_INTERVAL = 60.0  # seconds of the server's clock


async def begin_epoch(work: Work, marker: Marker, platform: Platform, sweep: Sweep) -> int:
    """Begin to work on the job, in a new epoch, and return that one; before it, nothing may be sent.

    Where the marker is gone, or knows of more than the database does, runs that the database has forgotten
    are made the job's own first.
    """
    database = work.database
    requests, known = await database.read(_queries.requests()), (await database.read(_queries.job())).epoch
    mark = await to_thread.run_sync(marker.read)
    if mark is None:
        await _recall(work, platform, sweep, None, is_behind=False)
    elif mark.epoch > known or mark.attempts > requests[0]:
        await _recall(work, platform, sweep, mark.asked_at, is_behind=mark.attempts > requests[0])
    epoch = max(known, 0 if mark is None else mark.epoch) + 1
    if not work.is_draining:
        await database.write(_commands.set_job(epoch=epoch, is_paused=False, finished_at=None))
        await to_thread.run_sync(marker.write, Mark(epoch, *requests))
    return epoch


async def _recall(
    work: Work, platform: Platform, sweep: Sweep, asked_at: float | None, *, is_behind: bool
) -> None:
    """Make runs the job's own that its database has forgotten.

    Where it has forgotten requests too, what they ask for may still be to come: then the listings are
    looked through until silence proves that nothing does, or the job drains.
    """
    silence = Silence(work.plan.patience, asked_at, await platform.moment(fresh=True))
    while not work.is_draining:
        begun = await platform.moment(fresh=True)
        recalled = await work.patiently(sweep.adopt)
        for run_id in recalled.adopted:
            work.journal.tell(EventType.RUN_ADOPTED, run_id=run_id)
        is_quiet = silence.heard(begun, is_empty=not recalled.adopted and not recalled.doubtful)
        if not recalled.doubtful and (is_quiet or not is_behind):
            break
        work.journal.tell(EventType.WAITING, text="for runs that this database has forgotten")
        wait = sweep.lag if recalled.doubtful else silence.next_wait(begun, _INTERVAL)
        await work.sleep(wait / _submitter.SERVER_RATE)
