"""Errors of runs and their submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models import RunDetails, RunStatus
from ._base import AignosticsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..models import Fault


class InvalidSubmission(AignosticsError):
    """A run request has faults; no run was requested.

        except InvalidSubmission as error:
            for fault in error.faults:
                print(fault.reference, fault.artifact, fault.problem)

    `faults` is a tuple of all faults of all items, each a `Fault`. `runs.submit` checks before it uploads
    anything, and again, with the signed URLs, before it requests the run.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listing = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"the run was not submitted, {count} to fix first:\n{listing}")


class SubmissionUnknown(AignosticsError):
    """The reply to a run request was lost: the run may exist, and sending it again may bill it twice.

        except SubmissionUnknown as lost:
            found = await client.runs.find(
                references=lost.references, since=lost.sent_at, submission=lost.submission
            )

    Look for the run with `Runs.find`, once more some minutes later if it is not there. `references` are those
    of the items, `application_version_id` is the version, `sent_at` the time of the request in UTC, and
    `reason` what happened. `status` is the HTTP status of a response that proves nothing, or None without
    one. `submission` is what the request has marked its run with, so that `Runs.find` tells it from any
    other; None under contract 1.0.
    """

    def __init__(
        self,
        *,
        references: Sequence[str],
        application_version_id: str,
        sent_at: datetime,
        reason: str,
        status: int | None = None,
        submission: str | None = None,
    ) -> None:
        self.submission = submission
        self.references = tuple(references)
        self.application_version_id = application_version_id
        self.sent_at = sent_at
        self.reason = reason
        self.status = status
        marked = "" if submission is None else ", submission=error.submission"
        super().__init__(
            f"whether the run of {len(self.references)} items with {application_version_id}, sent at "
            f"{sent_at.isoformat(timespec='seconds')}, was created is unknown: {reason}. Do not send it "
            f"again unless client.runs.find(references=error.references, since=error.sent_at{marked}) finds "
            "nothing some minutes later."
        )


class _RunEnded(AignosticsError):
    def __init__(self, message: str, *, details: RunDetails) -> None:
        super().__init__(message)
        self.details = details


class RunFailed(_RunEnded):
    """The platform rejected or cancelled the run; finished items can still be downloaded.

    `Run.wait` raises it, and `DownloadReport.raise_for_failures` in an ExceptionGroup. `details` is the final
    `RunDetails`.
    """


class RunCancelled(_RunEnded):
    """The run was cancelled by its user; finished items can still be downloaded.

    `Run.wait` raises it, and `DownloadReport.raise_for_failures` in an ExceptionGroup. `details` is the final
    `RunDetails`.
    """


class ItemFailed(AignosticsError):
    """An item ended without results.

    `DownloadReport.raise_for_failures` raises it in an ExceptionGroup. `reference` is the item's reference.
    `status`, a value of `ItemStatus`, and `error` (None without a message) are those of the platform.
    """

    def __init__(self, *, reference: str, status: str, error: str | None) -> None:
        super().__init__(f"item {reference!r} ended as {status}: {error or 'no reason was given'}")
        self.reference = reference
        self.status = status
        self.error = error


def run_error(details: RunDetails) -> RunFailed | RunCancelled | None:
    """Return the error for a run that was rejected or cancelled; None if it completed or is not final.

        if (error := run_error(await run.details())) is not None:
            raise error

    RunCancelled if the user cancelled the run, RunFailed if the platform rejected or cancelled it.
    """
    if details.status == RunStatus.CANCELED_USER:
        return RunCancelled(
            f"run {details.run_id} was cancelled; items that had finished can be downloaded",
            details=details,
        )
    if details.status in (RunStatus.REJECTED, RunStatus.CANCELED_SYSTEM):
        return RunFailed(
            f"run {details.run_id} ended as {details.status}; look at its items' errors before you submit "
            "it again",
            details=details,
        )
    return None
