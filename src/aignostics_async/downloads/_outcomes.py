"""The outcome of each file of a download, and the report of all files."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from ..errors import AignosticsError, ChecksumMissing, ItemFailed, run_error
from ..models import InvalidItem, ItemResult, ItemStatus, RunDetails


class FileStatus(StrEnum):
    """The status of an output file: whether it was downloaded, and whether its bytes are verified.

        missing = [file for file in report.files if file.status is FileStatus.FAILED]

    The values are the names: VERIFIED (downloaded, with the promised CRC32C), PRESENT (already there with it,
    so not downloaded), UNVERIFIED (downloaded, and no checksum was promised) and FAILED (not downloaded;
    `FileOutcome.error` says why).
    """

    VERIFIED = "VERIFIED"
    """Downloaded, and the bytes have the promised CRC32C."""
    PRESENT = "PRESENT"
    """Already in the folder with the promised bytes, so not downloaded."""
    UNVERIFIED = "UNVERIFIED"
    """Downloaded, but neither the platform nor the storage promised a checksum."""
    FAILED = "FAILED"
    """Not downloaded; `FileOutcome.error` is the reason."""


@frozen
class FileOutcome:
    """The outcome of one output artifact of a download.

        for file in report.files:
            print(file.reference, file.artifact, file.path, file.status, file.error)

    `reference` is that of the item, and `artifact` the name of the output. `path` is where the file is, or
    would be if it failed. `status` is a `FileStatus`. If the download failed, `size` (in bytes) is 0,
    `crc32c` (in wire form, base64) is None, and `error` is its AignosticsError, else None; these are the
    defaults. `media_type` is `OutputArtifact.mime_type`; None, the default, if it is not known.
    """

    reference: str
    """The reference of the item."""
    artifact: str
    """The name of the output artifact."""
    path: Path
    """The path of the file, whether or not it exists."""
    status: FileStatus
    """Whether the file is there and verified."""
    size: int = 0
    """The size in bytes; 0, the default, if the download failed."""
    crc32c: str | None = None
    """The CRC32C of the file in wire form; None, the default, if the download failed."""
    error: AignosticsError | None = None
    """The reason of a failure; None, the default, unless the status is FAILED."""
    media_type: str | None = None
    """The media type, as `OutputArtifact.mime_type` has it; None, the default, if it is not known."""

    @property
    def is_verified(self) -> bool:
        """Whether the bytes were compared with a promised checksum: the status is VERIFIED or PRESENT."""
        return self.status in (FileStatus.VERIFIED, FileStatus.PRESENT)


@frozen
class DownloadReport:
    """The result of `Run.download`: the run, its items, and one outcome for each output file.

        report = await run.download("results/")
        report.raise_for_failures()

    `run` and `items` are the `RunDetails` and a tuple of `ItemResult` as last read, and `folder` is the
    target folder. `files` is a tuple with a `FileOutcome` for each output file of an item that succeeded, in
    the order of items and artifacts. `invalid` is a tuple with an `InvalidItem` for each item that can't be
    read, empty by default.
    """

    run: RunDetails
    """The run as last read."""
    folder: Path
    """The folder that was passed to `Run.download`."""
    items: tuple[ItemResult, ...]
    """The items as last read."""
    files: tuple[FileOutcome, ...]
    """The outcome of each output file of the items that succeeded."""
    invalid: tuple[InvalidItem, ...] = ()
    """The items that can't be read, with the reason; empty by default."""

    def of(self, reference: str) -> tuple[FileOutcome, ...]:
        """Return the outcomes of the files of one item, in the order of `files`.

            for file in report.of("case-7"):
                print(file.path, file.status)

        Empty for an unknown reference, and for an item without output files.
        """
        return tuple(file for file in self.files if file.reference == reference)

    @property
    def unverified(self) -> tuple[FileOutcome, ...]:
        """The outcomes of the files that were downloaded without a promised checksum, as a tuple; empty if
        there are none.
        """
        return tuple(file for file in self.files if file.status is FileStatus.UNVERIFIED)

    def failures(self, *, allow_unverified: bool = False) -> tuple[AignosticsError, ...]:
        """Return an error for each failure, as a tuple; empty if there is none.

            for error in report.failures(allow_unverified=True):
                print(type(error).__name__, error)

        In this order, failures are: a run that was cancelled or rejected (RunCancelled, RunFailed); an item
        without results that is final, or whose run is (ItemFailed); an item that can't be read
        (AignosticsError); and a file that could not be downloaded (`FileOutcome.error`) or, unless
        `allow_unverified` is True (False by default), that has no promised checksum (ChecksumMissing).
        """
        ended = run_error(self.run)
        failures: list[AignosticsError] = [] if ended is None else [ended]
        failures += [
            ItemFailed(reference=item.reference, status=item.status, error=item.error)
            for item in self.items
            if item.status != ItemStatus.SUCCEEDED
            # A pending item is no failure while its run continues.
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

            try:
                report.raise_for_failures(allow_unverified=True)
            except* TransferError as group:
                print(group.exceptions)

        A file without a promised checksum is a failure unless `allow_unverified` is True (False by default).
        """
        failures = self.failures(allow_unverified=allow_unverified)
        if failures:
            raise ExceptionGroup(f"{len(failures)} failures in run {self.run.run_id}", failures)

    def to_json(self) -> str:
        """Return the report as the text of a JSON object, without any signed URL.

            Path("report.json").write_text(report.to_json(), encoding="utf-8")

        Its keys are:

        - `run_id`, `application_version_id` and `status`, the text of a `RunStatus`
        - `items`, a list of objects with `reference`, `status`, the text of an `ItemStatus`, and `error`
        - `files`, a list of objects with `reference`, `artifact`, `path` relative to the folder, `status`,
          the text of a `FileStatus`, `size` in bytes, `checksum_base64_crc32c` and `error`

        Both lists have the order of the report; items that can't be read are left out. `error` is null
        without one, and so is an unknown checksum. Raises ValueError if a path is not in the folder, as only
        a report made by hand has it.
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
