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
    """A run request with faults; no run was requested.

        try:
            run = await client.runs.submit(version, items, store=store)
        except InvalidSubmission as error:
            for fault in error.faults:
                print(fault.reference, fault.artifact, fault.problem)

    `faults` is a tuple of `Fault`, at least one. `Runs.submit` checks before it uploads anything, and again,
    with the signed URLs, before it requests the run; `Runs.create` before its only request for a run. Fix the
    faults and call it again.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listing = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"the run was not submitted, {count} to fix first:\n{listing}")


class SubmissionUnknown(AignosticsError):
    """A run request whose outcome is unknown: the run may exist, and sending it again may bill it twice.

        try:
            run = await client.runs.create(version, items)
        except SubmissionUnknown as lost:
            found = await client.runs.find(
                references=lost.references, since=lost.sent_at, submission=lost.submission
            )

    Raised by `Runs.create` and `Runs.submit` if the reply was lost, or proves neither outcome. Look for the
    run with `Runs.find`, and once more some minutes later if it is not there.

    `references` is a tuple of the references of the items, in their order, `application_version_id` the id of
    the version, `sent_at` the time of the request by this machine's clock, aware, in UTC, and `reason` what
    happened, as text. `status` is the HTTP status of a response that proves nothing, or None, the default,
    without one. `submission` identifies the request for `Runs.find`; it is None, the default, under contract
    1.0.
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
        number = len(self.references)
        items = f"{number} item" if number == 1 else f"{number} items"
        super().__init__(
            f"whether the run of {items} with {application_version_id}, sent at "
            f"{sent_at.isoformat(timespec='seconds')}, was created is unknown: {reason}. Do not send it "
            f"again unless client.runs.find(references=error.references, since=error.sent_at{marked}) finds "
            "nothing some minutes later."
        )


class _RunEnded(AignosticsError):
    def __init__(self, message: str, *, details: RunDetails) -> None:
        super().__init__(message)
        self.details = details


class RunFailed(_RunEnded):
    """A run that the platform rejected or cancelled.

        try:
            await run.wait()
        except RunFailed as error:
            print(error.details.status, error.details.error)

    Raised by `Run.wait`, and by `DownloadReport.raise_for_failures` in an ExceptionGroup. `details` is the
    final `RunDetails` of the run. Look at the errors of its items before you submit it again; items that have
    succeeded can still be downloaded.
    """


class RunCancelled(_RunEnded):
    """A run that its user cancelled.

        try:
            await run.wait()
        except RunCancelled as error:
            print(error.details.terminated_at)

    Raised by `Run.wait`, and by `DownloadReport.raise_for_failures` in an ExceptionGroup. `details` is the
    final `RunDetails` of the run. Items that have succeeded can still be downloaded.
    """


class ItemFailed(AignosticsError):
    """An item that ended, or whose run ended, without results.

        try:
            report.raise_for_failures()
        except* ItemFailed as group:
            print([error.reference for error in group.exceptions])

    `DownloadReport.raise_for_failures` raises it in an ExceptionGroup. `reference` is the item's reference,
    `status` its last `ItemStatus`, and `error` the platform's message, or None without one. After ERROR_USER,
    fix the slide; after another status, submit the item again.
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

    The error is RunCancelled if the user cancelled the run, and RunFailed if the platform rejected or
    cancelled it. Sends no request.
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
