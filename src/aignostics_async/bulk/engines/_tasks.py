"""The tasks of a job: each does the work of one stage on one item, and knows nothing of the database."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio
import anyio.to_thread
from attrs import evolve, frozen

from ..._core._tasks import run_all
from ..._inputs import Slide
from ..._internals import checksum_cache, transfer_engine
from ...downloads._artifact import DownloadRequest, download_artifact
from ...downloads._outcomes import FileOutcome
from ...downloads._run_download import file_names
from ...errors import AignosticsError, LocalFileChanged, TransferError, TransferInterrupted
from ...models import ItemResult, OutputArtifact
from ...slides._fingerprints import measure
from ...slides._packing import one_file
from ...slides.workers._probed_slide import ProbedSlide
from ...storage import Stored, put_once
from ...storage._object_store import file_size
from ...storage._upload import sent_checksum
from ...transfer.progress._events import Progress, ProgressReporter, TransferEvent
from ..database._run_commands import OutputFile
from ..database._samples import Stage
from ._protocol import StageTools

_FILES_AT_ONCE = 8


@frozen
class ProbeTask:
    """Reads what a slide says of itself."""

    stage: ClassVar[Stage] = Stage.PROBE
    number: int
    slide: Slide
    reference: str = ""
    file_name: str = ""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The slide."""
        return (Path(self.slide.path), *map(Path, self.slide.files))

    async def perform(self, tools: StageTools, progress: Progress) -> ProbedSlide:  # noqa: ARG002
        """Read it; raises SlideError."""
        return await tools.prober.probe(self.slide)


@frozen
class UploadTask:
    """Uploads a slide under its key, one of several files as one zip."""

    stage: ClassVar[Stage] = Stage.UPLOAD
    number: int
    reference: str
    path: str
    """What names the slide in errors."""
    slide: ProbedSlide
    key: str
    file_name: str
    alias: str | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of the slide."""
        return self.slide.info.files

    async def perform(self, tools: StageTools, progress: Progress) -> Stored:
        """Return the object in the store, with its checksum; raises LocalFileChanged for another file."""
        await self._check()
        async with one_file(self.slide.info, alias=self.alias) as source:
            stored = await self._put(tools, source, progress)
            if stored.crc32c is None:  # the store does not say, so the file is read once more
                stored = evolve(stored, crc32c=await sent_checksum(source))
        await self._check()
        return stored

    async def _put(self, tools: StageTools, source: Path, progress: Progress) -> Stored:
        size = await file_size(source)
        started = TransferEvent("started", "upload", self.reference, self.file_name, total=size)
        with ProgressReporter(progress, started) as reporter:
            try:
                stored = await put_once(tools.store(), self.key, source, progress=reporter.advance)
            except AignosticsError:
                reporter.end("failed", 0)
                raise
            reporter.end("finished", size, verified=stored.verified)
        return stored

    async def _check(self) -> None:
        """Raise LocalFileChanged if the slide has changed since it was probed."""
        try:
            _, fingerprint = await anyio.to_thread.run_sync(measure, self.slide.info.files)
        except OSError as error:
            raise TransferError(f"it can't be read ({error.strerror})", name=self.path) from None
        if fingerprint != self.slide.fingerprint:
            raise LocalFileChanged("it changed after it was read, and is read again", name=self.path)


@frozen
class DownloadedItem:
    """The output files of an item, and the first error among them."""

    files: tuple[OutputFile, ...]
    error: AignosticsError | None


@frozen
class DownloadTask:
    """Downloads and verifies every output of an item."""

    stage: ClassVar[Stage] = Stage.DOWNLOAD
    number: int
    reference: str
    run_id: str
    item_id: str
    folder: Path
    root: Path
    """The folder that no file may leave."""
    file_name: str = ""
    paths: tuple[Path, ...] = ()

    async def perform(self, tools: StageTools, progress: Progress) -> DownloadedItem:
        """Return what became of each file; raises what concerns all of them."""
        item = await self._look(tools)
        names = file_names(item.output_artifacts)
        jobs = [
            partial(self._bring, tools, progress, item, artifact, self.folder / names[artifact.artifact_id])
            for artifact in item.output_artifacts
        ]
        outcomes = await run_all(jobs, limit=_FILES_AT_ONCE)
        files = [
            _as_output_file(artifact.artifact_id, outcome)
            for artifact, outcome in zip(item.output_artifacts, outcomes, strict=True)
        ]
        return DownloadedItem(tuple(files), next((each.error for each in outcomes if each.error), None))

    async def _bring(
        self, tools: StageTools, progress: Progress, item: ItemResult, artifact: OutputArtifact, path: Path
    ) -> FileOutcome:
        return await download_artifact(
            tools.client.run(self.run_id),
            DownloadRequest(item, artifact, path, self.root),
            engine=transfer_engine(tools.client),
            checksums=checksum_cache(tools.client),
            progress=progress,
        )

    async def _look(self, tools: StageTools) -> ItemResult:
        """Return the item as it is listed now, with fresh URLs."""
        async for item in tools.client.run(self.run_id).results(item_ids=[self.item_id]):
            # A server may ignore the filter.
            if item.item_id == self.item_id and item.output_artifacts:
                return evolve(item, reference=self.reference)
        raise TransferInterrupted("the platform lists no outputs of it", name=self.reference)


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
