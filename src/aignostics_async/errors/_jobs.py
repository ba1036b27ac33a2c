"""Errors of bulk jobs."""

from __future__ import annotations

from ._base import AignosticsError


class JobError(AignosticsError):
    """A bulk job can't be opened, or can't go on."""


class JobBusy(JobError):
    """Another process works on the job."""


class JobRefused(JobError):
    """The job was made for another account, server or application version, or by a newer release."""


class JobDatabaseError(JobError):
    """The database of a job can't be written or read."""


class JobStopped(JobError):
    """A job stopped before its end: fix what it names, then resume it. `cause` is the error behind it."""

    def __init__(self, message: str, *, cause: AignosticsError | None = None) -> None:
        super().__init__(f"the job stopped: {message}; then resume it")
        self.cause = cause


class JobStateError(JobError):
    """A step that the current state does not allow; nothing was changed."""
