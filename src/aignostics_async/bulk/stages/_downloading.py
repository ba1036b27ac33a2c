"""The last stage: downloads and verifies every output of an item before the item is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ...errors import ResultsDeleted, TransferInterrupted
from ..database import _run_commands
from ..database._journal import EventType
from ..database._samples import Stage
from ..database._states import ItemState
from ..engines._tasks import DownloadTask

if TYPE_CHECKING:
    from ..database._queries import ItemRow
    from ..engines._protocol import OpenEngine
    from ._context import JobContext

_ANALYSE_AGAIN = "'bulk retry --failed' has it analysed again"


@frozen
class Downloading:
    """Has the outputs of items downloaded."""

    context: JobContext
    engine: OpenEngine

    async def __call__(self, row: ItemRow) -> None:
        """Take an item from SUCCEEDED to DONE; raises the error of a file that could not be downloaded."""
        task = DownloadTask(
            number=row.number,
            reference=row.reference,
            run_id=row.run_id or "",
            item_id=row.item_id or "",
            folder=self.context.results / self.context.folders[row.number],
            root=self.context.results,
        )
        found = await self.engine.run(task, self.context.counting(Stage.DOWNLOAD))
        state = ItemState.DONE if found.error is None else ItemState.SUCCEEDED
        command = _run_commands.take_files(row.number, state, found.files)
        is_done = await self.context.database.write(command)
        if isinstance(found.error, ResultsDeleted):
            # Without its id a retry does not download the item again, but has it analysed.
            await self.context.quarantine(row, str(found.error), _ANALYSE_AGAIN, item_id=None)
            return
        if found.error is not None:
            raise found.error
        if not is_done:
            raise TransferInterrupted("more outputs were listed meanwhile", name=row.reference)
        self.context.meter.count(Stage.DOWNLOAD, items=1)
        self.context.journal.emit(EventType.ITEM_DONE, reference=row.reference, run_id=row.run_id)
