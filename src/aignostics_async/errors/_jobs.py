"""Errors of bulk jobs."""

from __future__ import annotations

from collections.abc import Sequence

from ._base import AignosticsError, ConfigurationError


class JobError(AignosticsError):
    """The base class of the errors of bulk jobs: a job can't be opened or can't continue.

    It is itself raised on Windows, for a folder without a job, or one that can't be made, read, written or
    locked, for a run of a copied job that can't be read whole, and for an unexpected error on a worker of a
    cluster. The message says what is wrong.
    """


class JobBusy(JobError):
    """A job on which another process works, or another `BulkJob` of this process.

    Raised when a job is created, or opened to be changed, and by `BulkJob.run` if another process has taken
    the lock whose file was deleted. Wait until the other one ends; `JobObserver` can read the job meanwhile.
    """


class JobRefused(JobError):
    """A job that can't be used with this client, folder or release, or a run that is not its chunk's.

    Raised by `create_job` if the folder holds a job already; when a job is opened that a newer release wrote,
    and by `JobPlan.from_json` for a plan with a key that this release does not know; by `BulkJob.run` and
    others that take a client, if they find that it is another server's or account's; and by `BulkJob.resolve`
    if the run is not the chunk's, or is about to be cancelled. The message says which. No run was created.
    Use what the job was created with, another folder, or the run of the chunk.
    """


class JobDatabaseError(JobError):
    """A database of a job that can't be read or written, for example because the disk is full.

    The message says what to do. A step that could not be written was not recorded, not even in part.
    """


class JobStopped(JobError):
    """A bulk job that stopped before its end.

        try:
            await job.run(client)
        except JobStopped as stopped:
            print(stopped, stopped.cause)

    Raised by `BulkJob.run`. `cause` is the AignosticsError that stopped the job, or None. Fix what the
    message names, then call `run` again, which continues.
    """

    def __init__(self, message: str, *, cause: AignosticsError | None = None) -> None:
        super().__init__(f"the job stopped: {message}; then resume it")
        self.cause = cause


class JobStateError(JobError):
    """A step that the current state of the job does not permit; the job was not changed.

    For example, `BulkJob.resolve` raises it for a chunk without an open decision. Read the job's state before
    you try again.
    """


class ClusterLost(JobError):
    """The cluster that runs the stages of a bulk job is gone, does not answer, or can't run tasks.

    Raised by `BulkJob.run`, `create_job` and `run_preflight`; once `BulkJob.run` has begun its work, it is
    the `cause` of a JobStopped. What `BulkJob.run` has done is recorded. Make the call again once the cluster
    is there, or with another engine.
    """


class ClusterRefused(ConfigurationError):
    r"""A cluster that can't be used as it is.

        try:
            await job.run(client, engine=engine)
        except ClusterRefused as refused:
            print(refused, *refused.differences, sep="\n")

    Raised by `BulkJob.run`, `create_job` and `run_preflight` with a `DaskEngine`, before any slide is read:
    for a scheduler or worker on another machine without TLS; for an address, certificates or a scheduler file
    that can't be used; and for scheduler or workers with other versions of Python or of a package than this
    process. If such a worker joins `run` later, it is the `cause` of a JobStopped. `differences` is a tuple
    of texts, one for each other version; empty for any other reason.
    """

    def __init__(self, message: str, *, differences: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.differences = tuple(differences)
