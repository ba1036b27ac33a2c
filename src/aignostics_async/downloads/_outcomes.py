"""The outcome of each file of a download, and the report of all."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from ..errors import AignosticsError, ChecksumMissing, ItemFailed, run_error
from ..models import InvalidItem, ItemResult, ItemStatus, RunDetails


class FileStatus(StrEnum):
    """Whether an output file is in the folder, and whether its bytes are verified."""

    VERIFIED = "VERIFIED"
    """Downloaded, and its bytes are the promised ones."""
    PRESENT = "PRESENT"
    """Was there already with the promised bytes; nothing was downloaded."""
    UNVERIFIED = "UNVERIFIED"
    """Downloaded, but no checksum was promised."""
    FAILED = "FAILED"
    """Not there; `FileOutcome.error` says why."""


@frozen
class FileOutcome:
    """The outcome of one output artifact.

    `size` is in bytes, and `crc32c` in wire form. `error` is set if and only if the status is FAILED.
    """

    reference: str
    artifact: str
    path: Path
    status: FileStatus
    size: int = 0
    crc32c: str | None = None
    error: AignosticsError | None = None

    @property
    def is_verified(self) -> bool:
        """Whether the file's bytes were compared with a promised checksum, now or earlier."""
        return self.status in (FileStatus.VERIFIED, FileStatus.PRESENT)


@frozen
class DownloadReport:
    """The result of a download: the run, its items, and one outcome for each output file.

    `invalid` lists items that can't be read.
    """

    run: RunDetails
    folder: Path
    items: tuple[ItemResult, ...]
    files: tuple[FileOutcome, ...]
    invalid: tuple[InvalidItem, ...] = ()

    def of(self, reference: str) -> tuple[FileOutcome, ...]:
        """Return the outcomes of the files of one item; empty for an unknown reference."""
        return tuple(file for file in self.files if file.reference == reference)

    @property
    def unverified(self) -> tuple[FileOutcome, ...]:
        """The files that were downloaded without a promised checksum."""
        return tuple(file for file in self.files if file.status is FileStatus.UNVERIFIED)

    def failures(self, *, allow_unverified: bool = False) -> tuple[AignosticsError, ...]:
        """Return an error for each failure.

        Failures are a run that did not complete, an item without results or one that can't be read, and a
        file that is missing or, unless `allow_unverified`, has no promised checksum.
        """
        ended = run_error(self.run)
        failures: list[AignosticsError] = [] if ended is None else [ended]
        failures += [
            ItemFailed(reference=item.reference, status=item.status, error=item.error)
            for item in self.items
            if item.status != ItemStatus.SUCCEEDED
            # While the run goes on, an item that is pending is no failure yet.
            and (item.status.is_final or self.run.status.is_final)
        ]
        failures += [
            AignosticsError(f"an item of the run can't be read: {entry.reason}") for entry in self.invalid
        ]
        for file in self.files:
            if file.error is not None:
                failures.append(file.error)
            elif file.status is FileStatus.UNVERIFIED and not allow_unverified:
                failures.append(
                    ChecksumMissing(
                        "the server gave no checksum; pass allow_unverified=True to take it as it is",
                        name=str(file.path),
                    )
                )
        return tuple(failures)

    def raise_for_failures(self, *, allow_unverified: bool = False) -> None:
        """Raise an ExceptionGroup of all `failures`; do nothing if there are none.

            report = await run.download("results/")
            report.raise_for_failures(allow_unverified=True)

        By default a file without a promised checksum is a failure.
        """
        failures = self.failures(allow_unverified=allow_unverified)
        if failures:
            raise ExceptionGroup(f"{len(failures)} failures in run {self.run.run_id}", failures)

    def to_json(self) -> str:
        """Return the report as a JSON object, without any URL.

        Its keys are `run_id`, `application_version_id`, `status`, `items` (each with `reference`, `status`
        and `error`) and `files` (each with `reference`, `artifact`, `path` relative to the folder, `status`,
        `size` in bytes, `checksum_base64_crc32c` and `error`). `error` is null without one, and so is an
        unknown checksum.
        """
        record = {
            "run_id": self.run.run_id,
            "application_version_id": self.run.application_version_id,
            "status": self.run.status,
            "items": [
                {"reference": item.reference, "status": item.status, "error": item.error}
                for item in self.items
            ],
            "files": [
                {
                    "reference": file.reference,
                    "artifact": file.artifact,
                    "path": file.path.relative_to(self.folder).as_posix(),
                    "status": file.status,
                    "size": file.size,
                    "checksum_base64_crc32c": file.crc32c,
                    "error": None if file.error is None else str(file.error),
                }
                for file in self.files
            ],
        }
        return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
