"""All stages at once: some slides are probed while others are uploaded, analysed or downloaded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from ..._core._tasks import plain_task_group
from ...errors import AignosticsError, JobStopped
from ..database import _queries
from ..database._journal import EventType
from ..database._samples import Stage
from ..database._states import ItemState
from ._billing import BillingGuard
from ._downloading import Downloading
from ._monitoring import Monitoring
from ._probing import Probing
from ._signals import StageId
from ._stage import ItemStage
from ._submitting import Submitting
from ._uploading import Uploading

if TYPE_CHECKING:
    from ..engines._protocol import OpenEngine
    from ..reconciliation._duplicates import Reconciler
    from ..reconciliation._submitter import Submitter
    from ._context import JobContext

_SWEEP_INTERVAL = 60.0  # seconds


async def run_pipeline(
    context: JobContext, *, engine: OpenEngine, submitter: Submitter, reconciler: Reconciler
) -> None:
    """Work until nothing is left to do or the job drains; raises JobStopped if it can't continue."""
    read = Probing(context, engine)
    probing = ItemStage(
        context,
        StageId.PROBING,
        [ItemState.FOUND],
        read,
        window=partial(engine.window, Stage.PROBE),
        sends=True,
    )
    uploading = ItemStage(
        context,
        StageId.UPLOADING,
        [ItemState.SENDING, ItemState.READY],
        Uploading(context, engine, read),
        window=partial(engine.window, Stage.UPLOAD),
        before=probing,
        sends=True,
        room=None if context.plan.max_items is None else _room(context, context.plan.max_items),
    )
    billing = BillingGuard(context)
    await billing.record_missing()
    submitting = Submitting(
        context=context,
        platform=submitter.platform,
        submitter=submitter,
        uploading=uploading,
        billing=billing,
        tag=reconciler.tag,
        since=reconciler.since,
    )
    monitoring = Monitoring(context=context, submitting=submitting, tag=reconciler.tag)
    downloading = ItemStage(
        context,
        StageId.DOWNLOADING,
        [ItemState.SUCCEEDED],
        Downloading(context, engine),
        window=partial(engine.window, Stage.DOWNLOAD),
        before=monitoring,
    )
    async with plain_task_group() as background:
        background.start_soon(_until_stopped, context, lambda: context.meter.keep(context.database))
        background.start_soon(_sweep, context, reconciler)
        async with plain_task_group() as group:
            for stage in (probing, uploading, submitting, monitoring, downloading):
                group.start_soon(_until_stopped, context, stage.run)
        background.cancel_scope.cancel()
    if not context.is_draining:
        await _until_stopped(context, lambda: _last_sweep(context, reconciler, submitter))
    if context.stopped:
        raise context.stopped[0]


async def _until_stopped(context: JobContext, run: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the work; if it fails, drain the others and keep the error."""
    try:
        await run()
    except JobStopped as error:
        context.stop(error)
    except AignosticsError as error:
        context.stop(JobStopped(str(error), cause=error))


def _room(context: JobContext, max_items: int) -> Callable[[], Awaitable[int]]:
    async def room() -> int:
        return max(0, max_items - await context.database.read(_queries.committed()))

    return room


async def _sweep(context: JobContext, reconciler: Reconciler) -> None:
    while not context.is_draining:
        await context.sleep(_SWEEP_INTERVAL)
        try:
            await reconciler.find_duplicates()
        except AignosticsError:
            continue  # the next one sees what this one missed


async def _last_sweep(context: JobContext, reconciler: Reconciler, submitter: Submitter) -> None:
    """Search for second runs until none can appear any more."""
    while True:
        left = await submitter.left_to_search()
        await context.with_retries(reconciler.find_duplicates)
        if left <= 0 or context.is_draining:
            return
        context.journal.emit(EventType.WAITING, text=f"for second runs, {left:.0f} s more")
        await context.sleep(min(left, _SWEEP_INTERVAL))
