"""What a person does to a job: `bulk pause`, `retry`, `adopt`, `verify`, `cancel` and `clean`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .._core._display_text import count
from ..bulk import BulkJob
from ..errors import UsageError
from ._bulk_text import job_folder
from ._common import client
from ._confirm import Yes, confirm

_SOME_ARE_BAD = 3


async def pause(directory: Path, /) -> None:
    """Let the process that works on a job bring to an end what it has begun, and then stop.

    Parameters
    ----------
    directory
        The job's folder.
    """
    folder = job_folder(directory)
    holder = folder.holder()
    if holder is None:
        raise UsageError(f"nobody works on the job in {directory}, so there is nothing to pause")
    folder.pause.touch(mode=0o600)
    print(
        f"{holder} begins nothing new, and ends with 75 when what it has begun is at an end. Runs that the "
        "platform has go on there. 'bulk resume' goes on with the job."
    )


async def retry(
    directory: Path, /, *, failed: Annotated[bool, Parameter(negative=())] = False, yes: Yes = False
) -> None:
    """Let slides that were set aside go on from where they were; 'bulk resume' then works on them.

    What they had cost already they don't cost again.

    Parameters
    ----------
    directory
        The job's folder.
    failed
        Submit also those again that the platform has ended without results; they are billed again.
    """
    job_folder(directory)
    async with BulkJob.open(directory) as job:
        billed = await job.count_billable_retries() if failed else 0
        if billed:
            confirm(
                f"{count(billed, 'item')} that had a run and ended without results will be billed again",
                yes=yes,
            )
        number = await job.retry(failed=failed)
        left = 0 if failed else await job.count_billable_retries()
    print(
        f"{count(number, 'slide')} will go on with 'bulk resume'" if number else "there is nothing to retry"
    )
    if left:
        print(
            f"{count(left, 'slide')} ended without results at the platform; --failed submits them again, and "
            "they are billed again",
            file=sys.stderr,
        )


async def adopt(directory: Path, /) -> None:
    """Make runs that the platform has and the job's database has forgotten the job's own.

    For a database that was brought back from a copy; 'bulk resume' does so by itself where it can tell.

    Parameters
    ----------
    directory
        The job's folder.
    """
    job_folder(directory)
    async with BulkJob.open(directory) as job, client() as session:
        adopted = await job.adopt(session)
    for run_id in adopted:
        print(run_id)
    print(f"{count(len(adopted), 'run')} adopted", file=sys.stderr)


async def verify(directory: Path, /) -> int:
    """Read every result of a job again and compare it with its checksum.

    Ends with 3, and prints their names, if files are gone or changed; 'bulk resume' then brings them anew.

    Parameters
    ----------
    directory
        The job's folder.
    """
    job_folder(directory)
    async with BulkJob.open(directory) as job:
        bad = await job.verify()
    for path in bad:
        print(path)
    if bad:
        print(
            f"{count(len(bad), 'file')} gone or changed; 'bulk resume' brings what it lacks anew",
            file=sys.stderr,
        )
        return _SOME_ARE_BAD
    print("every result is as it came", file=sys.stderr)
    return 0


async def cancel(directory: Path, /, *, yes: Yes = False) -> None:
    """Cancel all runs of a job, and send nothing any more.

    Items that the platform has not begun cost nothing then. Results that are at home stay.

    Parameters
    ----------
    directory
        The job's folder.
    """
    job_folder(directory)
    async with BulkJob.open(directory) as job, client() as session:
        confirm("all runs of the job will be cancelled, and what is not sent will be set aside", yes=yes)
        cancelled = await job.cancel(session)
    print(f"{count(cancelled, 'run')} cancelled; 'bulk resume' brings home what was done before")


async def clean(directory: Path, /, *, yes: Yes = False) -> None:
    """Delete the uploaded slides whose results are at home from the object store.

    The slides here and the results stay; slides that failed stay too, for 'bulk retry'.

    Parameters
    ----------
    directory
        The job's folder.
    """
    job_folder(directory)
    async with BulkJob.open(directory) as job, client() as session:
        confirm(f"the uploaded slides of this job in {job.plan.store} will be deleted", yes=yes)
        deleted = await job.clean(session)
    print(f"{count(deleted, 'object')} deleted")
