"""Errors of bulk jobs."""

from __future__ import annotations

from ._base import AignosticsError


class JobError(AignosticsError):
    """A bulk job can't be opened or can't continue; the base class of all errors of bulk jobs.

    The message says what to do. Nothing that was done is lost.
    """


class JobBusy(JobError):
    """Another process works on the job, or another `BulkJob` of this process.

    Wait until it ends, or read the job with `JobObserver` meanwhile.
    """


class JobRefused(JobError):
    """A bulk job can't be used with this client, folder, release or run.

    It was made for another account, server or application version, or by a newer release; the folder holds
    another job; or a run is not the job's. The message says which. No run was created or changed.
    """


class JobDatabaseError(JobError):
    """The database of a job can't be read or written, for example because the disk is full.

    The message says what to do. A step that could not be written left no trace.
    """


class JobStopped(JobError):
    """A bulk job stopped before its end; fix what the message names, then call `run` again.

        except JobStopped as stopped:
            print(stopped, stopped.cause)

    `cause` is the error behind it, or None. What was done is recorded and is not done again.
    """

    def __init__(self, message: str, *, cause: AignosticsError | None = None) -> None:
        super().__init__(f"the job stopped: {message}; then resume it")
        self.cause = cause


class JobStateError(JobError):
    """The current state of the job does not permit this step; nothing was changed.

    For example, `BulkJob.resolve` raises it for a chunk without an open decision.
    """
