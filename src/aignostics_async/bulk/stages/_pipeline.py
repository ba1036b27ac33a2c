"""All stages at once: some slides are read while others are on their way, and the first results come home."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..._core._tasks import plain_task_group
from ...errors import AignosticsError, JobStopped
from ..database import _queries
from ..database._journal import EventType
from ..database._states import ItemState
from ..reconciliation import _submitter
from ..reconciliation._quiescence import Moment
from ._downloading import Bringing
from ._monitoring import Following
from ._probing import Reading
from ._signals import Part
from ._stage import Stage
from ._submitting import Submitting
from ._uploading import Uploading

if TYPE_CHECKING:
    from ..preflight.slide_probe._prober import Prober
    from ..reconciliation._duplicates import Sweep
    from ..reconciliation._submitter import Submitter
    from ._context import Work

_SWEEP_INTERVAL = 60.0  # seconds of the server's clock


async def run_pipeline(work: Work, *, prober: Prober, submitter: Submitter, sweep: Sweep) -> None:
    """Work until nothing is left to do, or the job drains; raises JobStopped where it can't go on."""
    transfers = work.client._session.settings.limits.transfers  # noqa: SLF001 - of our own
    read = Reading(work, prober)
    reading = Stage(work, Part.READING, [ItemState.FOUND], read, workers=2 * prober.workers)
    uploading = Stage(
        work,
        Part.UPLOADING,
        [ItemState.SENDING, ItemState.READY],
        Uploading(work, read),
        workers=transfers,
        before=reading,
        room=None if work.plan.max_items is None else _room(work, work.plan.max_items),
    )
    submitting = Submitting(
        work=work,
        platform=submitter.platform,
        submitter=submitter,
        uploading=uploading,
        tag=sweep.tag,
        since=sweep.since,
    )
    following = Following(work=work, submitting=submitting, tag=sweep.tag)
    bringing = Stage(
        work, Part.BRINGING, [ItemState.SUCCEEDED], Bringing(work), workers=transfers, before=following
    )
    async with plain_task_group() as background:
        background.start_soon(_until_stopped, work, lambda: work.meter.keep(work.database))
        background.start_soon(_sweep, work, sweep)
        async with plain_task_group() as group:
            for stage in (reading, uploading, submitting, following, bringing):
                group.start_soon(_until_stopped, work, stage.run)
        background.cancel_scope.cancel()
    if not work.is_draining:
        await _until_stopped(work, lambda: _last_sweep(work, sweep, submitter))
    if work.stopped:
        raise work.stopped[0]


async def _until_stopped(work: Work, run: Callable[[], Awaitable[None]]) -> None:
    """Let what was begun elsewhere come to an end when one part of the work can't go on."""
    try:
        await run()
    except JobStopped as error:
        work.stop(error)
    except AignosticsError as error:
        work.stop(JobStopped(str(error), cause=error))


def _room(work: Work, max_items: int) -> Callable[[], Awaitable[int]]:
    async def room() -> int:
        return max(0, max_items - await work.database.read(_queries.committed()))

    return room


async def _sweep(work: Work, sweep: Sweep) -> None:
    while not work.is_draining:
        await work.sleep(_SWEEP_INTERVAL / _submitter.SERVER_RATE)
        try:
            await sweep.find_duplicates()
        except AignosticsError:
            continue  # the next one sees what this one did not


async def _last_sweep(work: Work, sweep: Sweep, submitter: Submitter) -> None:
    """Sweep until no second run can come any more."""
    doubted = await work.database.read(_queries.doubted())
    # Where the server gives no date, as where it can't be asked, all the time is waited here.
    since = Moment((await submitter.platform.moment()).uptime, doubted)
    while True:
        now = await submitter.platform.moment(fresh=True)
        await work.patiently(sweep.find_duplicates)
        left = 0.0 if doubted is None else submitter.patience.late - now.since(since)
        if left <= 0 or work.is_draining:
            return
        work.journal.tell(EventType.WAITING, text=f"for second runs, {left:.0f} s more")
        await work.sleep(min(left, _SWEEP_INTERVAL) / _submitter.SERVER_RATE)
