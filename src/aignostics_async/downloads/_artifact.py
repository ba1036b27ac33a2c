"""One output artifact to its file: the step that every download repeats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from .._core._secret import SecretText
from ..errors import AignosticsError, ResultsDeleted, TransferError
from ..models import ItemResult, OutputArtifact
from ..transfer._download import fetch_file
from ..transfer.files._file_io import unwritable
from ..transfer.files._target_folder import make_room
from ..transfer.progress._events import (
    Progress,
    ProgressReporter,
    TransferEvent,
    guard_progress,
)
from ._outcomes import FileOutcome, FileStatus

if TYPE_CHECKING:
    from .._core._crc32c import Crc32c
    from ..transfer._engine import Engine
    from ._checksum_cache import ChecksumCache
    from ._listing import RunReader

_DELETED_BY = {"USER": " by a user", "SYSTEM": " by the platform, which keeps them for 30 days"}


@frozen
class DownloadRequest:
    """An output artifact to download, and the path of its file.

        request = DownloadRequest(item, artifact, root / "case-7" / "tissue.tiff", root)

    `item` is the `ItemResult` that has the `artifact`, an `OutputArtifact`. `root` is the folder that `path`
    must not leave. Creating a request does no I/O.
    """

    item: ItemResult
    """The item of the artifact."""
    artifact: OutputArtifact
    """The artifact, with its signed URL."""
    path: Path
    """The path of the file."""
    root: Path
    """The folder that the path must not leave."""

    @property
    def name(self) -> str:
        """The name of the file in errors: `{reference}/{artifact name}`.

        UnsafePath, and ChecksumMissing of `DownloadReport.failures`, name the path instead.
        """
        return f"{self.item.reference}/{self.artifact.name}"

    def outcome(self, status: FileStatus, size: int = 0, crc32c: str | None = None) -> FileOutcome:
        """Return an outcome of this file without an error.

        `status` is a `FileStatus`. `size` is in bytes, 0 by default. `crc32c` is in wire form (base64), None
        by default.
        """
        return FileOutcome(
            self.item.reference,
            self.artifact.name,
            self.path,
            status,
            size,
            crc32c,
            media_type=self.artifact.mime_type,
        )

    def failure(self, error: AignosticsError) -> FileOutcome:
        """Return an outcome of this file with the status FAILED and an error; its size is 0, and its CRC32C
        None.
        """
        return evolve(self.outcome(FileStatus.FAILED), error=error)


async def download_artifact(
    run: RunReader,
    request: DownloadRequest,
    *,
    engine: Engine,
    checksums: ChecksumCache,
    progress: Progress | None = None,
) -> FileOutcome:
    """Download one artifact to its path and return the outcome; a failure is an outcome, too.

    A file that is there with the promised bytes is left alone, and read for that once. Costs no API request
    unless the listed URL is refused. What `progress` raises ends the download and is raised.
    """
    with guard_progress(progress) as report:
        started = TransferEvent("started", "download", request.item.reference, request.artifact.name)
        reporter = ProgressReporter(report, started)
        try:
            with reporter:
                outcome = await _fetch(run, request, engine, checksums, reporter)
        except AignosticsError as error:
            outcome = request.failure(error)
        except OSError as error:
            outcome = request.failure(unwritable(error, request.path, request.name))
        reporter.end("failed" if outcome.error else "finished", outcome.size)
        return outcome


async def _fetch(
    run: RunReader,
    request: DownloadRequest,
    engine: Engine,
    checksums: ChecksumCache,
    reporter: ProgressReporter,
) -> FileOutcome:
    artifact, path = request.artifact, request.path

    async def fresh() -> str:
        if artifact.deleted_by is None:
            url = await run.artifact_url(request.item.item_id, artifact.artifact_id)
            if url is not None:
                return url
        raise _without_url(artifact, request.name)

    def find() -> Crc32c | None:
        """Return the checksum of a file that is there as promised."""
        found = None if artifact.crc32c is None else checksums.checksum(path)
        return found if found is not None and found.wire == artifact.crc32c else None

    fetched = await fetch_file(
        engine,
        fresh,
        path,
        name=request.name,
        expected=artifact.crc32c,
        listed=None if artifact.download_url is None else SecretText(artifact.download_url),
        prepare=lambda: make_room(engine.checked_folders, request.root, path, request.name),
        find=find,
        progress=reporter.advance,
    )
    status = FileStatus.VERIFIED if fetched.verified else FileStatus.UNVERIFIED
    if not fetched.is_new:
        status = FileStatus.PRESENT
    return request.outcome(status, size=fetched.size, crc32c=fetched.crc32c)


def _without_url(artifact: OutputArtifact, name: str) -> TransferError:
    """Return what it means that the platform gives no URL of an artifact."""
    if artifact.is_available:
        return TransferError(
            "the platform offers no URL for it any more; were the results deleted?", name=name
        )
    by = _DELETED_BY.get(artifact.deleted_by or "", "")
    return ResultsDeleted(f"its results were deleted{by}; a new analysis is billed", name=name)
