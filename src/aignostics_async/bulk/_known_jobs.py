"""The jobs of this user on this machine, and how each stands."""

from __future__ import annotations

from pathlib import Path

from anyio import to_thread
from attrs import frozen

from ..errors import JobError, UsageError
from ._observer import JobObserver
from .database._job_registry import registered_folders
from .report._summary import Summary

_GONE = "it was moved or deleted"


@frozen
class KnownJob:
    """A job that this user has created or opened on this machine.

        for job in await list_jobs():
            print(job.folder, job.problem or job.summary.status.name)

    `job_id` is the id of the job, and `folder` where it was when it was opened last. `holder` describes the
    process that works on it; None, the default, if none is known. `summary` is a `Summary`, and None, the
    default, if and only if `problem` says why the job can't be read in its folder; else `problem` is None,
    the default.
    """

    job_id: str
    """The id of the job."""
    folder: Path
    """The folder where it was when it was opened last."""
    summary: Summary | None = None
    """How it stands; None, the default, if it is not there or can't be read."""
    holder: str | None = None
    """The process that works on it, such as `"process 4711 of lab-7"`; None, the default, without one."""
    problem: str | None = None
    """Why there is no summary, such as `"it was moved or deleted"`; None, the default, with one."""


async def list_jobs() -> tuple[KnownJob, ...]:
    """Return the jobs of this user on this machine, the newest first, then those that can't be read.

        for job in await list_jobs():
            print(job.folder, job.problem or job.summary.status.name)

    The tuple has a `KnownJob` for each job that was created here or opened by `BulkJob.open`, as far as the
    user's state folder has its path. Sends no request. Costs what `summary` and `holder` of a `JobObserver`
    cost, for each job. Raises ConfigurationError for a user without home folder.
    """
    known = [await _look(job_id, folder) for job_id, folder in await to_thread.run_sync(_registered)]
    return tuple(sorted(known, key=_age))


def _registered() -> list[tuple[str, Path]]:
    try:
        return list(registered_folders())
    except OSError:
        return []


async def _look(job_id: str, folder: Path) -> KnownJob:
    try:
        observer = await to_thread.run_sync(JobObserver, folder)
        summary = await observer.summary()
        holder = await to_thread.run_sync(observer.holder)
    except UsageError:
        return KnownJob(job_id, folder, problem=_GONE)
    except JobError as error:
        return KnownJob(job_id, folder, problem=str(error))
    if summary.job.job_id != job_id:
        return KnownJob(job_id, folder, problem=f"{_GONE}; another job is there now")
    return KnownJob(job_id, folder, summary, holder)


def _age(known: KnownJob) -> float:
    created = None if known.summary is None else known.summary.job.created_at
    return 0.0 if created is None else -created.timestamp()
