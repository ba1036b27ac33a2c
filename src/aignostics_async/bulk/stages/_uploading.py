"""The second stage: uploads slides to the object store, each under a key that is fixed before its first byte.

So an upload that was finished before an interruption is found and not repeated, and no two slides share a
key.
"""

from __future__ import annotations

import errno
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from attrs import frozen

from ..._core._crc32c import checksum_file
from ..._core._file_names import safe_name
from ...errors import (
    AignosticsError,
    DiskFull,
    LocalFileChanged,
    TransferError,
)
from ...slides import packed
from ...slides._fingerprints import measure
from ...storage import put_once
from ...transfer._progress import ProgressReporter, TransferEvent
from ..database import _commands
from ..database._journal import EventType
from ..database._samples import Stage
from ..database._states import ItemState
from ..preflight.slide_probe._result import ProbedSlide

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
        with ExitStack() as scratch:
            source = await self._source(row, probed, scratch)
            key = row.key
            if key is None:
                name = safe_name(source.name)
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

    async def _source(self, row: ItemRow, probed: ProbedSlide, scratch: ExitStack) -> Path:
        """Return the one file to send; a packed one is deleted with `scratch`."""
        await self._check(row, probed)
        if not probed.info.is_packed:
            return probed.info.files[0]
        folder = tempfile.gettempdir()
        try:
            folder = scratch.enter_context(tempfile.TemporaryDirectory(prefix="aignostics-async-"))
            return await packed(probed.info, Path(folder))
        except OSError as error:
            raise _local(error, folder, row.path) from None

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
            raise LocalFileChanged("it changed after it was read; it is looked at again", name=row.path)


def _local(error: OSError, scratch: str, path: str) -> TransferError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space is left to pack it in {scratch}; make room, or set TMPDIR", name=path)
    return TransferError(f"it can't be read, or packed in {scratch} ({error.strerror})", name=path)
