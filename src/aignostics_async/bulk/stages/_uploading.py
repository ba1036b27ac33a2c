"""The second stage: uploads slides to the object store, each under a key that is fixed before its first byte.

So an upload that was finished before an interruption is found and not repeated, and no two slides share a
key.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from attrs import frozen

from ..._core._crc32c import checksum_file
from ..._core._file_names import safe_name
from ...errors import (
    AignosticsError,
    LocalFileChanged,
    TransferError,
)
from ...slides._fingerprints import measure
from ...slides._packing import one_file, sent_name
from ...slides._probed_slide import ProbedSlide
from ...storage import put_once
from ...transfer._progress import ProgressReporter, TransferEvent
from ..database import _commands
from ..database._journal import EventType
from ..database._samples import Stage
from ..database._states import ItemState

if TYPE_CHECKING:
    from ...storage import Stored
    from ..database._queries import ItemRow
    from ._context import JobContext
    from ._probing import Probing


@frozen
class Uploading:
    """Uploads slides, those of several files as one zip."""

    context: JobContext
    reading: Probing

    async def __call__(self, row: ItemRow) -> None:
        """Take an item from READY, or from SENDING after an interruption, to STORED."""
        if row.state is ItemState.FOUND:
            await self.reading(row)  # the file has changed
            return
        probed = ProbedSlide.from_dict(row.info or {})
        await self._check(row, probed)
        alias = row.reference if "is_pseudonym" in row.overrides else None
        async with one_file(probed.info, alias=alias) as source:
            key = row.key
            if key is None:
                name = safe_name(sent_name(source, alias))
                key = f"{self.context.plan.prefix}/{self.context.job_id}/{row.uuid}/{name}"
            if row.state is ItemState.READY:
                await self.context.database.write(_commands.move_item(row.number, ItemState.SENDING, key=key))
            stored = await self._put(row, key, source)
            # If the store does not say, the file is read once more.
            checksum = stored.crc32c or (await checksum_file(source)).wire
        await self._check(row, probed)
        command = _commands.move_item(
            row.number,
            ItemState.STORED,
            uri=stored.uri,
            etag=stored.etag,
            crc32c=checksum,
            stored_size=stored.size,
            is_store_verified=stored.verified,
        )
        await self.context.database.write(command)
        self.context.meter.count(Stage.UPLOAD, items=1)
        doubt = None if stored.verified else "the store did not confirm its checksum"
        self.context.journal.emit(EventType.UPLOADED, reference=row.reference, text=doubt)

    async def _put(self, row: ItemRow, key: str, source: Path) -> Stored:
        size = (await anyio.Path(source).stat()).st_size
        started = TransferEvent("started", "upload", row.reference, source.name, total=size)
        following = ProgressReporter(self.context.progress, started)
        passing = self.context.meter.passing(Stage.UPLOAD)

        def advance(done: int) -> None:
            passing(done)
            following.advance(done)

        with following:
            try:
                stored = await put_once(self.context.store, key, source, progress=advance)
            except AignosticsError:
                following.end("failed", 0)
                raise
            following.end("finished", size, verified=stored.verified)
        return stored

    async def _check(self, row: ItemRow, probed: ProbedSlide) -> None:
        """Raise LocalFileChanged if the slide has changed since it was probed."""
        try:
            _, fingerprint = await anyio.to_thread.run_sync(measure, probed.info.files)
        except OSError as error:
            raise TransferError(f"it can't be read ({error.strerror})", name=row.path) from None
        if fingerprint != probed.fingerprint:
            raise LocalFileChanged("it changed after it was read, and is read again", name=row.path)
