"""The fourth stage: watches the runs of the job and records the results of their items."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attrs import field, frozen

from ..._core._display_text import with_code
from ..._core._tasks import plain_task_group
from ..._internals import watch_new_run
from ...errors import APIStatusError, JobStopped
from ...errors._api import ABSENCES
from ...models import ItemStatus
from ..database import _queries, _run_commands
from ..database._journal import EventType
from ..database._run_commands import ExpectedOutput
from ..database._samples import Stage
from ..database._states import ItemState
from ..reconciliation._tags import plain
from ._signals import StageId

if TYPE_CHECKING:
    from ..._core._tasks import PlainTaskGroup
    from ...models import ItemResult, RunDetails
    from ..database._queries import OwnRun
    from ._context import JobContext
    from ._submitting import Submitting

_LOOKS = 3
"""How often a final run is watched again if its results don't show every item as final."""


@frozen(kw_only=True)
class Monitoring:
    """Watches every run of the job until its end."""

    context: JobContext
    submitting: Submitting
    tag: str
    _in_flight: set[str] = field(factory=set, init=False)
    _ended: list[bool] = field(factory=list, init=False)

    @property
    def is_done(self) -> bool:
        """Whether no further result can come."""
        return bool(self._ended)

    async def run(self) -> None:
        """Work until every run of the job is over, or the job drains."""
        async with plain_task_group() as group:
            while not self.context.is_draining:
                signal = self.context.signals.next(StageId.MONITORING)
                is_last = self.submitting.is_done
                await self._start(group)
                if is_last and not self._in_flight:
                    break
                await signal.wait()
            # The next process sees what happens to the runs meanwhile.
            group.cancel_scope.cancel()
        self._ended.append(True)
        self.context.signals.notify_from(StageId.MONITORING)

    async def _start(self, group: PlainTaskGroup) -> None:
        for run in await self.context.database.read(_queries.runs_under_way()):
            if run.run_id not in self._in_flight:
                self._in_flight.add(run.run_id)
                group.start_soon(self._one, run)

    async def _one(self, run: OwnRun) -> None:
        try:
            await self.context.with_retries(lambda: self._follow(run))
        except JobStopped as error:
            self.context.stop(error)
        finally:
            self._in_flight.discard(run.run_id)
            self.context.signals.notify_from(StageId.MONITORING)

    async def _follow(self, run: OwnRun) -> None:
        for look in range(1, _LOOKS + 1):
            try:
                details = await self._watch(run)
                await self._end(run, details)
            except ABSENCES as error:
                # A replica may be far behind, and a run that is given up here is billed again.
                if look == _LOOKS:
                    await self._lose(run, error)
                await self.context.sleep(self.context.plan.timeouts.replica_lag)
                if self.context.is_draining:
                    return
            else:
                return

    async def _lose(self, run: OwnRun, error: APIStatusError) -> None:
        lost = await self.context.database.write(_run_commands.lose_run(run.run_id, time.time()))
        self.context.journal.emit(
            EventType.RUN_ENDED, run_id=run.run_id, text=f"{error}; {lost} slides were quarantined"
        )

    async def _watch(self, run: OwnRun) -> RunDetails:
        """Record the results of a run's items until it is final, and return its details."""
        for _ in range(_LOOKS):
            # A replica may not know it yet.
            async for change in watch_new_run(self.context.client, run.run_id):
                if change.item is not None:
                    await self._take(run, change.item)
            if not change.items_incomplete:
                break
        return change.details

    async def _take(self, run: OwnRun, item: ItemResult) -> None:
        if not item.status.is_final:
            return
        succeeded = item.status == ItemStatus.SUCCEEDED
        reference = plain(item.reference, self.tag)
        error = with_code(item.error, item.error_code)
        command = _run_commands.take_result(
            run.run_id,
            reference,
            item_id=item.item_id,
            state=ItemState.SUCCEEDED if succeeded else ItemState.FAILED,
            status=str(item.status),
            error=error,
            outputs=_outputs(item),
        )
        if await self.context.database.write(command):
            self.context.meter.count(Stage.ANALYSIS, items=1)
            self.context.signals.notify(StageId.DOWNLOADING)
            if not succeeded:
                self.context.journal.emit(
                    EventType.ITEM_FAILED, reference=reference, run_id=run.run_id, text=error
                )

    async def _end(self, run: OwnRun, details: RunDetails) -> None:
        # Not all outputs of an item need to be listed when it succeeds; at the end of the run they are. And
        # an item that a stale listing did not show as final must not count as failed.
        items = [item async for item in self.context.client.run(run.run_id).results()]
        for item in items:
            await self._take(run, item)
        outputs = {
            plain(item.reference, self.tag): _outputs(item)
            for item in items
            if item.status == ItemStatus.SUCCEEDED
        }
        await self.context.database.write(_run_commands.know_outputs(run.run_id, outputs))
        await self.context.database.write(_run_commands.end_run(run.run_id, str(details.status), time.time()))
        self.context.journal.emit(EventType.RUN_ENDED, run_id=run.run_id, text=str(details.status))


def _outputs(item: ItemResult) -> list[ExpectedOutput]:
    return [ExpectedOutput(artifact.artifact_id, artifact.name) for artifact in item.output_artifacts]
