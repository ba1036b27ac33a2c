"""The output artifacts of one run, each item's as soon as it succeeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from .._core._file_names import distinct_names, extension
from .._core._tasks import plain_task_group
from ..errors import AignosticsError
from ..models import ItemResult, ItemStatus, OutputArtifact
from ..transfer.progress._events import guard_progress
from ._artifact import DownloadRequest, download_artifact
from ._outcomes import DownloadReport, FileOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence

    from ..transfer._engine import Engine
    from ..transfer.progress._events import Progress
    from ._checksum_cache import ChecksumCache
    from ._listing import RunReader, RunResults


async def download_results(
    run: RunReader,
    listings: AsyncIterator[RunResults],
    folder: Path,
    *,
    engine: Engine,
    checksums: ChecksumCache,
    progress: Progress | None,
) -> DownloadReport:
    """Download what the listings show as succeeded, and return one outcome per file.

    What `progress` raises ends the download and is raised; async callbacks are refused with UsageError.
    """
    files = _Files(folder)
    # Twice the connections, so that none of them waits for a file that is being checked or named.
    limiter = anyio.CapacityLimiter(2 * engine.settings.limits.transfers)
    failure: AignosticsError | None = None

    with guard_progress(progress) as report:

        async def download(request: DownloadRequest) -> None:
            async with limiter:
                outcome = await download_artifact(
                    run, request, engine=engine, checksums=checksums, progress=report
                )
                files.add(request, outcome)

        async with plain_task_group() as group:
            try:
                async for listing in listings:
                    for request in files.not_started(listing):
                        group.start_soon(download, request)
            except AignosticsError as error:
                failure = error  # the files under way are still downloaded
    if failure is not None:
        raise failure
    return DownloadReport(
        listing.details, folder, listing.items, files.outcomes_of(listing.items), listing.invalid
    )


class _Files:
    """The files of a run: which were started, and their outcomes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: set[tuple[str, str]] = set()
        self._outcomes: dict[tuple[str, str], FileOutcome] = {}

    def not_started(self, listing: RunResults) -> Iterator[DownloadRequest]:
        """Yield a request for each artifact of the items that have succeeded since the last listing."""
        for item, artifact, path in artifact_paths(listing.items, self._folder):
            key = (item.item_id, artifact.artifact_id)
            # Artifacts of an item need not all be listed at once.
            if item.status == ItemStatus.SUCCEEDED and key not in self._started:
                self._started.add(key)
                yield DownloadRequest(item, artifact, path, self._folder)

    def add(self, request: DownloadRequest, outcome: FileOutcome) -> None:
        """Keep the outcome of a file."""
        self._outcomes[request.item.item_id, request.artifact.artifact_id] = outcome

    def outcomes_of(self, items: Sequence[ItemResult]) -> tuple[FileOutcome, ...]:
        """Return the outcomes in the order of items and artifacts, whatever finished first."""
        keys = [(item.item_id, artifact.artifact_id) for item in items for artifact in item.output_artifacts]
        return tuple(self._outcomes[key] for key in keys if key in self._outcomes)


def artifact_paths(
    items: Collection[ItemResult], folder: Path
) -> Iterator[tuple[ItemResult, OutputArtifact, Path]]:
    """Yield each artifact of all items of a run with its path: a folder for each item, no name twice."""
    folders = distinct_names({item.item_id: item.reference for item in items})
    for item in items:
        names = file_names(item.output_artifacts)
        for artifact in item.output_artifacts:
            yield item, artifact, folder / folders[item.item_id] / names[artifact.artifact_id]


def file_names(artifacts: Iterable[OutputArtifact]) -> dict[str, str]:
    """Return the file name of each artifact of an item, by artifact id."""
    return distinct_names({artifact.artifact_id: _file_name(artifact) for artifact in artifacts})


def _file_name(artifact: OutputArtifact) -> str:
    suffix = extension(artifact.mime_type)
    return artifact.name if artifact.name.lower().endswith(suffix) else artifact.name + suffix
