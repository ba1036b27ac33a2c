"""`bulk status`, `watch` and `report`: how a job stands, whether or not a process works on it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import anyio
from cyclopts import Parameter

from ...bulk import JobObserver, Summary
from .._options import Json
from .._output import count, note, out, print_json, print_json_line, show, text
from ._text import event_line, event_style, summary_json, summary_text

_INTERVAL = 0.5  # seconds


async def status(directory: Path, /, *, as_json: Json = False) -> None:
    """Show how a job stands and what to do next.

    Reads only the job's folder, also while a process works on the job, and needs no sign-in. Ends with 0
    however the job stands; --json includes the exit status that 'bulk run' would end with.

    Example: `aignostics-async bulk status job/`

    Parameters
    ----------
    directory
        The job's folder.
    """
    observer = JobObserver(directory)
    _show_summary(observer, await observer.summary(), as_json=as_json)


async def watch(directory: Path, /, *, as_json: Json = False) -> int:
    """Follow the events of a job until no process works on it, and end with its exit status.

    Begins with the latest events. Interrupting it does not affect the job.

    Example: `aignostics-async bulk watch job/`

    Parameters
    ----------
    directory
        The job's folder.
    """
    observer = JobObserver(directory)
    lines = as_json or not sys.stdout.isatty()
    while True:
        # Checked first: events that the process writes before its end are read after this check.
        is_worked_on = observer.holder() is not None
        for event in observer.new_events():
            _show_event(event, lines=lines)
        if not is_worked_on:
            break
        await anyio.sleep(_INTERVAL)
    summary = await observer.summary()
    if not lines:
        _show_summary(observer, summary, as_json=False)
    return summary.exit_status


async def report(
    directory: Path,
    /,
    *files: Path,
    pictures: Annotated[
        bool, Parameter(show_default=False, help="Show slide thumbnails, as by default.")
    ] = True,
) -> None:
    """Write report files with the outcome of every slide so far.

    The suffix of a file decides its format: .csv, .json or .html. Needs no sign-in.

    Example: `aignostics-async bulk report job/ report.html slides.csv`

    Parameters
    ----------
    directory
        The job's folder.
    files
        The files to write; report.html in the job's folder by default.
    """
    from ...bulk import write_report

    observer = JobObserver(directory)
    targets = files or (observer.path / "report.html",)
    await write_report(observer.database, *targets, pictures=pictures)
    for target in targets:
        out(str(target))


async def results(directory: Path, target: Path, /) -> None:
    """Write one table of all result files of a job: reference, artifact, path, checksum, media type, size.

    The suffix decides the format: .csv, or .parquet with the extra `parquet`. Works at any time, and needs no
    sign-in.

    Example: `aignostics-async bulk results job/ results.parquet`

    Parameters
    ----------
    directory
        The job's folder.
    target
        The file to write.
    """
    from ...bulk import write_results_table

    number = await write_results_table(JobObserver(directory).path, target)
    note(f"{count(number, 'file')} in {target}")


def _show_summary(observer: JobObserver, summary: Summary, *, as_json: bool) -> None:
    holder = observer.holder()
    if as_json:
        print_json({"worked_on_by": holder, **summary_json(summary)})
    else:
        show(*summary_text(summary, holder))


def _show_event(event: Mapping[str, Any], *, lines: bool) -> None:
    if lines:
        print_json_line(event)
    else:
        show(text(event_line(event), event_style(event.get("what"))))
