"""Reports as files, each of them whole, and all of one moment of the job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

import anyio

from ..._core._arguments import as_path
from ..._core._atomic_file import atomic_file
from ...errors import JobError, UsageError
from ..database._job_folder import JobFolder
from ._consistent_view import consistent_view
from ._data_files import write_csv, write_json
from ._summary import Summary, read_summary
from .html._page import write_html
from .html._tables import Pictures
from .html._thumbnails import take_pictures


class ReportFormat(StrEnum):
    """What a report is for."""

    CSV = "csv"
    """A spreadsheet: one line for each item."""
    JSON = "json"
    """A script: the summary, the runs, and the items."""
    HTML = "html"
    """A person: one page that needs nothing beside it."""

    @classmethod
    def of(cls, path: Path) -> ReportFormat:
        """Return the form that a file's suffix names, or raise UsageError."""
        try:
            return cls(path.suffix[1:].lower())
        except ValueError:
            suffixes = ", ".join(f".{form}" for form in cls)
            raise UsageError(
                f"{path} names no format of a report; use one of the suffixes {suffixes}"
            ) from None


async def write_report(
    job: str | os.PathLike[str], *targets: str | os.PathLike[str], pictures: bool = True
) -> Summary:
    """Write a report of a job to files, and return its summary.

        await write_report("job/", "report.html", "items.csv", "report.json")

    `job` is the job's folder, or the path of a database. The suffix of each target selects its format: .csv,
    .json or .html. The CSV file has a line for each item. The JSON file is an object: `summary` is as
    returned by `Summary.plain`, and `duplicates`, `runs`, `left_out` and `items` are lists of objects. An
    HTML page shows pictures of up to 400 slides if the `slides` extra is installed, read by processes within
    about a minute; `pictures=False` (True by default) leaves them out.

    It can be called at any time, and does not delay a process that works on the job. All files show the same
    moment, are readable by their owner only (on POSIX systems), and are each replaced atomically.

    Raises JobError if there is no job, it can't be read, its creation was not finished, or a file can't be
    written; JobDatabaseError if the database can't be read; and UsageError for any other suffix, or what is
    no path.
    """
    place = as_path(job, "the folder of a job")
    # Unlike `Path.is_dir`, it raises nothing for a path that can't be looked at; reading it does.
    database = JobFolder(place).database if await anyio.to_thread.run_sync(os.path.isdir, place) else place
    paths = [as_path(target, "the file of a report") for target in targets]
    forms = {path: ReportFormat.of(path) for path in paths}
    taken = await take_pictures(database) if pictures and ReportFormat.HTML in forms.values() else {}
    return await anyio.to_thread.run_sync(write_forms, database, forms, taken)


def write_forms(database: Path, targets: Mapping[Path, ReportFormat], pictures: Pictures) -> Summary:
    """Write reports, blocking, and return what they say of the job as a whole; raises JobError."""
    try:
        with ExitStack() as stack:
            files = {path: stack.enter_context(atomic_file(path)) for path in targets}
            with consistent_view(database) as execute:
                summary = read_summary(execute)
                for path, form in targets.items():
                    if form is ReportFormat.CSV:
                        write_csv(execute, files[path])
                    elif form is ReportFormat.JSON:
                        write_json(execute, summary, files[path])
                    else:
                        write_html(execute, summary, pictures, files[path])
            return summary
    except OSError as error:
        names = ", ".join(map(str, targets))
        raise JobError(
            f"{names} can't be written ({error.strerror}); the previous files are unchanged. Make room, or "
            "choose another folder"
        ) from None
