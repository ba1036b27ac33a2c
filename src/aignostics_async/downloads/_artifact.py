"""One output artifact to its place, whatever comes of it: the step that a download of a run repeats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ..errors import AignosticsError, TransferError
from ..models import ItemResult, OutputArtifact
from ..transfer._download import fetch_file, make_room
from ..transfer._partial_file import local_error
from ..transfer._progress import (
    Progress,
    ProgressReporter,
    TransferEvent,
    ignore,
)
from ._outcomes import FileOutcome, FileStatus

if TYPE_CHECKING:
    from .._core._crc32c import Crc32c
    from ..transfer._cancel_token import CancelToken
    from ..transfer._engine import Engine
    from ._checksum_cache import ChecksumCache
    from ._listing import RunReader


@frozen
class DownloadRequest:
    """An artifact of an item, the file that it becomes, and the folder that the file must not leave."""

    item: ItemResult
    artifact: OutputArtifact
    path: Path
    root: Path

    @property
    def name(self) -> str:
        """What the file is called in errors."""
        return f"{self.item.reference}/{self.artifact.name}"

    def outcome(self, status: FileStatus, size: int = 0, crc32c: str | None = None) -> FileOutcome:
        """Return an outcome of this file."""
        return FileOutcome(self.item.reference, self.artifact.name, self.path, status, size, crc32c)

    def failure(self, error: AignosticsError) -> FileOutcome:
        """Return the outcome of this file when it could not be brought."""
        return evolve(self.outcome(FileStatus.FAILED), error=error)


async def download_artifact(
    run: RunReader,
    wanted: DownloadRequest,
    *,
    engine: Engine,
    checksums: ChecksumCache,
    progress: Progress | None = None,
) -> FileOutcome:
    """Bring one artifact to its path and tell what became of it; a failure is an outcome too.

    A file that stands there with the promised bytes is left alone, and read for that only once. Costs no
    API request unless the listed URL is refused.
    """
    following = ProgressReporter(
        progress or ignore,
        TransferEvent("started", "download", wanted.item.reference, wanted.artifact.name),
    )
    try:
        with following:
            outcome = await _present(wanted, engine, checksums)
            if outcome is None:
                outcome = await _fetched(run, wanted, engine, following)
    except AignosticsError as error:
        outcome = wanted.failure(error)
    except OSError as error:
        outcome = wanted.failure(local_error(error, wanted.path, str(wanted.path)))
    following.end("failed" if outcome.error else "finished", outcome.size)
    return outcome


async def _present(wanted: DownloadRequest, engine: Engine, checksums: ChecksumCache) -> FileOutcome | None:
    """Make the file's folder, and return an outcome if the file stands there with the promised bytes."""
    promise = wanted.artifact.crc32c

    def look(_token: CancelToken) -> Crc32c | None:
        make_room(wanted.root, wanted.path)
        return None if promise is None else checksums.checksum(wanted.path)

    there = await engine.run_file_io(look)
    if there is None or there.wire != promise:
        return None
    return wanted.outcome(FileStatus.PRESENT, size=there.length, crc32c=there.wire)


async def _fetched(
    run: RunReader, wanted: DownloadRequest, engine: Engine, following: ProgressReporter
) -> FileOutcome:
    fetched = await fetch_file(
        engine,
        _Url(run, wanted).get,
        wanted.path,
        name=wanted.name,
        expected=wanted.artifact.crc32c,
        progress=following.advance,
    )
    status = FileStatus.VERIFIED if fetched.verified else FileStatus.UNVERIFIED
    return wanted.outcome(status, size=fetched.size, crc32c=fetched.crc32c)


class _Url:
    """The signed URL of an artifact: the listed one first, then a fresh one for each further question."""

    def __init__(self, run: RunReader, wanted: DownloadRequest) -> None:
        self._run = run
        self._wanted = wanted
        self._used = False

    async def get(self) -> str:
        """Return a URL to try."""
        listed = self._wanted.artifact
        if not self._used and listed.download_url is not None:
            self._used = True
            return listed.download_url
        async for item in self._run.results(item_ids=[self._wanted.item.item_id]):
            for artifact in item.output_artifacts:
                if artifact.artifact_id == listed.artifact_id and artifact.download_url:
                    return artifact.download_url
        raise TransferError(
            "the platform offers no URL for it any more; were the results deleted?", name=self._wanted.name
        )
