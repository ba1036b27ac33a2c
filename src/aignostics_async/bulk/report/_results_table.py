"""The result files of a job as one table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from anyio import to_thread

from ..._core._arguments import as_path
from ...downloads._outcomes import FileOutcome, FileStatus
from ...downloads._results_table import write_table
from .._plan import JobPlan, results_folder
from ..database._job_folder import JobFolder
from ..database._queries import output_path
from ..database._writer import Execute
from ._consistent_view import consistent_view

_FILES = (
    "SELECT items.reference, outputs.name, outputs.path, outputs.status, outputs.size, outputs.crc32c "
    "FROM outputs JOIN items ON items.number = outputs.item "
    "WHERE outputs.path IS NOT NULL AND outputs.status IN (?, ?, ?) "
    "ORDER BY items.reference, outputs.name, outputs.artifact_id"
)
_THERE = (FileStatus.VERIFIED, FileStatus.PRESENT, FileStatus.UNVERIFIED)


async def write_results_table(job: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Write one table of the result files of a job, and return how many lines it has.

        await write_results_table("job/", "results.parquet")

    `job` is the folder of the job. The suffix of `target` selects the format, `.csv` or `.parquet`; the table
    is that of `aignostics_async.write_table`, sorted by reference and name, with the media types of the
    suffixes. It has the files that are downloaded so far. The count is without the header, and 0 if no file
    is downloaded.

    It can be called at any time, and does not delay a process that works on the job. The file is replaced
    atomically. Raises JobError if there is no job, it can't be read or its creation was not finished;
    JobDatabaseError if its database can't be read; UsageError for what is no path; and what `write_table`
    raises.
    """
    path = as_path(target, "the file of the table")
    return await to_thread.run_sync(_write, JobFolder(job), path)


def _write(folder: JobFolder, target: Path) -> int:
    with consistent_view(folder.database) as execute:
        (plan,) = execute("SELECT plan FROM job").fetchone()
        return write_table(_files(execute, results_folder(JobPlan.from_json(plan), folder)), target)


def _files(execute: Execute, results: Path) -> Iterator[FileOutcome]:
    for reference, name, path, status, size, crc32c in execute(_FILES, _THERE):
        place = output_path(path, results)
        yield FileOutcome(reference, name, place, FileStatus(status), size or 0, crc32c)
