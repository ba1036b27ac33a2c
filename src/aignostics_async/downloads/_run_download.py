"""Bringing a run's output artifacts home, each item's as soon as it succeeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from .._core._file_names import distinct_names, extension
from .._core._tasks import plain_task_group
from ..errors import AignosticsError
from ..models import ItemResult, ItemStatus, OutputArtifact
from ._artifact import DownloadRequest, download_artifact
from ._outcomes import DownloadReport, FileOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence

    from ..transfer._engine import Engine
    from ..transfer._progress import Progress
    from ._checksum_cache import ChecksumCache
    from ._listing import Listing, RunReader


async def download_results(
    run: RunReader,
    listings: AsyncIterator[Listing],
    folder: Path,
    *,
    engine: Engine,
    checksums: ChecksumCache,
    progress: Progress | None,
) -> DownloadReport:
    """Download what the listings show as succeeded, and return one outcome per file."""
    files = _Files(folder)
    # Twice the connections, so that none of them waits for a file that is being checked or named.
    limiter = anyio.CapacityLimiter(2 * engine.settings.limits.transfers)
    failure: AignosticsError | None = None

    async def bring(wanted: DownloadRequest) -> None:
        async with limiter:
            files.take(
                wanted,
                await download_artifact(run, wanted, engine=engine, checksums=checksums, progress=progress),
            )

    async with plain_task_group() as group:
        try:
            async for listing in listings:
                for wanted in files.not_started(listing):
                    group.start_soon(bring, wanted)
        except AignosticsError as error:
            failure = error  # the files that are under way are still brought to their end
    if failure is not None:
        raise failure
    return DownloadReport(
        listing.details, folder, listing.items, files.outcomes_of(listing.items), listing.invalid
    )


class _Files:
    """The files of a run: what was started, and what became of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: set[tuple[str, str]] = set()
        self._outcomes: dict[tuple[str, str], FileOutcome] = {}

    def not_started(self, listing: Listing) -> Iterator[DownloadRequest]:
        """Give a path to each artifact of the items that have succeeded since the last listing."""
        for item, artifact, path in artifact_paths(listing.items, self._folder):
            key = (item.item_id, artifact.artifact_id)
            # Artifacts of an item need not all be listed at once.
            if item.status == ItemStatus.SUCCEEDED and key not in self._started:
                self._started.add(key)
                yield DownloadRequest(item, artifact, path, self._folder)

    def take(self, wanted: DownloadRequest, outcome: FileOutcome) -> None:
        """Keep what became of a file."""
        self._outcomes[wanted.item.item_id, wanted.artifact.artifact_id] = outcome

    def outcomes_of(self, items: Sequence[ItemResult]) -> tuple[FileOutcome, ...]:
        """Return the outcomes in the order of items and artifacts, whatever finished first."""
        keys = [(item.item_id, artifact.artifact_id) for item in items for artifact in item.output_artifacts]
        return tuple(self._outcomes[key] for key in keys if key in self._outcomes)


def artifact_paths(
    items: Collection[ItemResult], folder: Path
) -> Iterator[tuple[ItemResult, OutputArtifact, Path]]:
    """Give each artifact of all items of a run its path: a folder for each item, no name twice."""
    folders = distinct_names({item.item_id: item.reference for item in items})
    for item in items:
        names = file_names(item.output_artifacts)
        for artifact in item.output_artifacts:
            yield item, artifact, folder / folders[item.item_id] / names[artifact.artifact_id]


def file_names(artifacts: Iterable[OutputArtifact]) -> dict[str, str]:
    """Return the file name of each artifact of an item, by its id."""
    return distinct_names({artifact.artifact_id: _file_name(artifact) for artifact in artifacts})


def _file_name(artifact: OutputArtifact) -> str:
    suffix = extension(artifact.mime_type)
    return artifact.name if artifact.name.lower().endswith(suffix) else artifact.name + suffix
