"""The last stage: downloads and verifies every output of an item before the item is done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ..._core._tasks import run_all
from ..._internals import checksum_cache, transfer_engine
from ...downloads._artifact import DownloadRequest, download_artifact
from ...downloads._outcomes import FileOutcome
from ...downloads._run_download import file_names
from ...errors import TransferInterrupted
from ..database import _run_commands
from ..database._journal import EventType
from ..database._run_commands import OutputFile
from ..database._samples import Stage
from ..database._states import ItemState

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...models import ItemResult
    from ...transfer._progress import TransferEvent
    from ..database._queries import ItemRow
    from ._context import JobContext

_FILES_AT_ONCE = 8


@frozen
class Downloading:
    """Downloads the outputs of items."""

    context: JobContext

    async def __call__(self, row: ItemRow) -> None:
        """Take an item from SUCCEEDED to DONE; raises the error of a file that could not be downloaded."""
        item = await self._look(row)
        names = file_names(item.output_artifacts)
        folder = self.context.results / self.context.folders[row.number]
        run = self.context.client.run(row.run_id or "")
        client, root = self.context.client, self.context.results

        async def bring(wanted: DownloadRequest) -> FileOutcome:
            return await download_artifact(
                run,
                wanted,
                engine=transfer_engine(client),
                checksums=checksum_cache(client),
                progress=self._counting(),
            )

        jobs = [
            partial(bring, DownloadRequest(item, artifact, folder / names[artifact.artifact_id], root))
            for artifact in item.output_artifacts
        ]
        outcomes = await run_all(jobs, limit=_FILES_AT_ONCE)
        files = [
            _as_output_file(artifact.artifact_id, outcome)
            for artifact, outcome in zip(item.output_artifacts, outcomes, strict=True)
        ]
        failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        state = ItemState.DONE if failed is None else ItemState.SUCCEEDED
        is_done = await self.context.database.write(_run_commands.take_files(row.number, state, files))
        if failed is not None:
            raise failed
        if not is_done:
            raise TransferInterrupted("more outputs were listed meanwhile", name=row.reference)
        self.context.meter.count(Stage.DOWNLOAD, items=1)
        self.context.journal.emit(EventType.ITEM_DONE, reference=row.reference, run_id=row.run_id)

    async def _look(self, row: ItemRow) -> ItemResult:
        """Return the item as it is listed now, with fresh URLs."""
        async for item in self.context.client.run(row.run_id or "").results(item_ids=[row.item_id or ""]):
            if not item.output_artifacts:
                break
            return evolve(item, reference=row.reference)
        raise TransferInterrupted("the platform lists no outputs of it", name=row.reference)

    def _counting(self) -> Callable[[TransferEvent], None]:
        passing = self.context.meter.passing(Stage.DOWNLOAD)

        def tell(event: TransferEvent) -> None:
            if event.kind in ("advanced", "finished"):
                passing(event.done)
            self.context.progress(event)

        return tell


def _as_output_file(artifact_id: str, outcome: FileOutcome) -> OutputFile:
    return OutputFile(
        artifact_id=artifact_id,
        name=outcome.artifact,
        status=outcome.status,
        path=str(outcome.path),
        size=outcome.size,
        crc32c=outcome.crc32c,
        fault=None if outcome.error is None else str(outcome.error),
    )
