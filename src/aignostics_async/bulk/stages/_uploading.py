"""The second stage: uploads slides to the object store, each under a key that is fixed before its first byte.

So an upload that was finished before an interruption is found and not repeated, and no two slides share a
key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ..._core._file_names import safe_name
from ...slides._packing import object_name
from ...slides.workers._probed_slide import ProbedSlide
from ..database import _commands
from ..database._journal import EventType
from ..database._samples import Stage
from ..database._states import ItemState
from ..engines._tasks import UploadTask

if TYPE_CHECKING:
    from ..database._queries import ItemRow
    from ..engines._protocol import OpenEngine
    from ._context import JobContext
    from ._probing import Probing


@frozen
class Uploading:
    """Has slides uploaded, those of several files as one zip."""

    context: JobContext
    engine: OpenEngine
    reading: Probing

    async def __call__(self, row: ItemRow) -> None:
        """Take an item from READY, or from SENDING after an interruption, to STORED."""
        if row.state is ItemState.FOUND:
            await self.reading(row)  # the file has changed
            return
        task = self._task(row)
        if row.state is ItemState.READY:
            command = _commands.move_item(row.number, ItemState.SENDING, key=task.key)
            await self.context.database.write(command)
        stored = await self.engine.run(task, self.context.counting(Stage.UPLOAD))
        command = _commands.move_item(
            row.number,
            ItemState.STORED,
            uri=stored.uri,
            etag=stored.etag,
            crc32c=stored.crc32c,
            stored_size=stored.size,
            is_store_verified=stored.verified,
        )
        await self.context.database.write(command)
        self.context.meter.count(Stage.UPLOAD, items=1)
        doubt = None if stored.verified else "the store did not confirm its checksum"
        self.context.journal.emit(EventType.UPLOADED, reference=row.reference, text=doubt)

    def _task(self, row: ItemRow) -> UploadTask:
        probed = ProbedSlide.from_dict(row.info or {})
        alias = row.reference if "is_pseudonym" in row.overrides else None
        name = object_name(probed.info, alias)
        key = f"{self.context.plan.prefix}/{self.context.job_id}/{row.uuid}/{safe_name(name)}"
        return UploadTask(
            number=row.number,
            reference=row.reference,
            path=row.path,
            slide=probed,
            key=row.key or key,
            file_name=name,
            alias=alias,
        )
