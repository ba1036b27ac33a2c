"""Bringing a run's output artifacts home, each item's as soon as it succeeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from attrs import evolve

from .._crc32c import Crc32c, read_checksum
from .._errors import AignosticsError, TransferError
from .._tasks import plain_task_group
from ..models import ItemResult, ItemStatus, OutputArtifact
from ._download import fetch_file, local_error, make_room
from ._names import distinct_names, extension
from ._outcomes import DownloadReport, FileOutcome, FileStatus
from ._progress import Progress, TransferEvent, ignore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from .._config import Settings
    from .._http import StoragePool
    from ..resources._run import Run
    from ..watch._poll import Look


async def download_results(
    run: Run,
    looks: AsyncIterator[Look],
    folder: Path,
    *,
    storage: StoragePool,
    settings: Settings,
    progress: Progress | None,
) -> DownloadReport:
    """Download what the looks show as succeeded, and return one outcome per file."""
    task = _Download(run, folder, storage, settings, progress)
    failure: AignosticsError | None = None
    async with plain_task_group() as group:
        try:
            async for look in looks:
                for item, artifact, path in task.not_started(look):
                    group.start_soon(task.bring, item, artifact, path)
        except AignosticsError as error:
            failure = error  # the files that are under way are still brought to their end
    if failure is not None:
        raise failure
    return DownloadReport(look.details, folder, look.items, task.outcomes_of(look.items), look.invalid)


def _file_name(artifact: OutputArtifact) -> str:
    suffix = extension(artifact.mime_type)
    return artifact.name if artifact.name.lower().endswith(suffix) else artifact.name + suffix


def _checksum_if_there(path: Path) -> Crc32c | None:
    """Return the checksum of a file, or None if there is none that can be read."""
    try:
        return read_checksum(path)
    except OSError:
        return None


def _typed(error: AignosticsError | OSError, path: Path) -> AignosticsError:
    return local_error(error, path, str(path)) if isinstance(error, OSError) else error


class _Download:
    """A download under way: what was started, and what became of it."""

    def __init__(
        self,
        run: Run,
        folder: Path,
        storage: StoragePool,
        settings: Settings,
        progress: Progress | None,
    ) -> None:
        self._outcomes: dict[tuple[str, str], FileOutcome] = {}
        self._run = run
        self._folder = folder
        self._storage = storage
        self._settings = settings
        self._progress = progress or ignore
        self._limiter = anyio.CapacityLimiter(settings.limits.transfers)
        self._started: set[tuple[str, str]] = set()

    def not_started(self, look: Look) -> Iterator[tuple[ItemResult, OutputArtifact, Path]]:
        """Give a path to each artifact of the items that have succeeded since the last look."""
        folders = distinct_names({item.item_id: item.reference for item in look.items})
        for item in look.items:
            if item.status != ItemStatus.SUCCEEDED:
                continue
            files = distinct_names(
                {artifact.artifact_id: _file_name(artifact) for artifact in item.output_artifacts}
            )
            for artifact in item.output_artifacts:
                key = (item.item_id, artifact.artifact_id)
                if key in self._started:  # artifacts of an item need not all be listed at once
                    continue
                self._started.add(key)
                yield item, artifact, self._folder / folders[item.item_id] / files[artifact.artifact_id]

    def outcomes_of(self, items: Sequence[ItemResult]) -> tuple[FileOutcome, ...]:
        """Return the outcomes in the order of items and artifacts, whatever finished first."""
        keys = [(item.item_id, artifact.artifact_id) for item in items for artifact in item.output_artifacts]
        return tuple(self._outcomes[key] for key in keys if key in self._outcomes)

    async def bring(self, item: ItemResult, artifact: OutputArtifact, path: Path) -> None:
        """Bring one file; a failure is its outcome and does not touch its neighbours."""
        async with self._limiter:
            event = TransferEvent("started", "download", item.reference, artifact.name)
            self._progress(event)
            try:
                outcome = await self._outcome(item, artifact, path, event)
            except (AignosticsError, OSError) as error:
                outcome = FileOutcome(
                    item.reference, artifact.name, path, FileStatus.FAILED, error=_typed(error, path)
                )
            self._outcomes[item.item_id, artifact.artifact_id] = outcome
            over = evolve(event, kind="failed" if outcome.error else "finished")
            self._progress(evolve(over, done=outcome.size, total=outcome.size))

    async def _outcome(
        self, item: ItemResult, artifact: OutputArtifact, path: Path, event: TransferEvent
    ) -> FileOutcome:
        done = FileOutcome(item.reference, artifact.name, path, FileStatus.PRESENT)
        make_room(self._folder, path)
        if artifact.crc32c is not None:
            there = await anyio.to_thread.run_sync(_checksum_if_there, path)
            if there is not None and there.wire == artifact.crc32c:
                return evolve(done, size=there.length, crc32c=there.wire)
        fetched = await fetch_file(
            self._storage,
            _Url(self._run, item, artifact).get,
            path,
            name=f"{item.reference}/{artifact.name}",
            expected=artifact.crc32c,
            retries=self._settings.retries,
            progress=lambda count, total: self._progress(
                evolve(event, kind="advanced", done=count, total=total)
            ),
        )
        status = FileStatus.VERIFIED if fetched.verified else FileStatus.UNVERIFIED
        return evolve(done, status=status, size=fetched.size, crc32c=fetched.crc32c)


class _Url:
    """The signed URL of an artifact: the listed one first, then a fresh one for each further try."""

    def __init__(self, run: Run, item: ItemResult, artifact: OutputArtifact) -> None:
        self._run = run
        self._item = item
        self._artifact = artifact
        self._used = False

    async def get(self) -> str:
        """Return a URL to try."""
        if not self._used and self._artifact.download_url is not None:
            self._used = True
            return self._artifact.download_url
        async for item in self._run.results(item_ids=[self._item.item_id]):
            for artifact in item.output_artifacts:
                if artifact.artifact_id == self._artifact.artifact_id and artifact.download_url:
                    return artifact.download_url
        raise TransferError(
            "the platform offers no URL for it any more; were the results deleted?",
            name=f"{self._item.reference}/{self._artifact.name}",
        )
