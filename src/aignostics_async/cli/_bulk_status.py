"""`bulk status`, `watch` and `report`: how a job stands, while a process works on it or not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
from cyclopts import Parameter

from ..bulk.database._job_folder import JobFolder
from ..bulk.database._journal import Tail
from ..bulk.report._consistent_view import consistent_view
from ..bulk.report._summary import Summary, read_summary
from ._bulk_text import (
    event_line,
    facts,
    job_folder,
    print_text,
    standing,
)
from ._common import Json, print_json, print_line

_INTERVAL = 0.5  # seconds


async def status(directory: Path, /, *, as_json: Json = False) -> None:
    """Tell how a job stands, and what to do next; from its database alone, also while a process works on it.

    Needs no sign-in. Ends with 0 however the job stands; its exit status is told with --json.

    Parameters
    ----------
    directory
        The job's folder.
    """
    folder = job_folder(directory)
    _print(folder, await _read(folder), as_json=as_json)


async def watch(directory: Path, /, *, as_json: Json = False) -> int:
    """Follow what happens in a job until no process works on it any more; ends as the job then stands.

    Shows some of what was before, and is only an onlooker: interrupting it leaves the job alone.

    Parameters
    ----------
    directory
        The job's folder.
    """
    folder = job_folder(directory)
    lines, tail = as_json or not sys.stdout.isatty(), Tail(folder.events)
    while True:
        # Asked first: what is written before the process ends is read after it.
        is_worked_on = folder.holder() is not None
        for event in tail.read():
            _show(event, lines=lines)
        if not is_worked_on:
            break
        await anyio.sleep(_INTERVAL)
    summary = await _read(folder)
    if not lines:
        _print(folder, summary, as_json=False)
    return summary.exit_status


async def report(
    directory: Path, /, *files: Path, pictures: Annotated[bool, Parameter(help="Pictures of slides.")] = True
) -> None:
    """Write what became of every slide into files, at any time: .csv, .json or .html, by their suffixes.

    Needs no sign-in.

    Parameters
    ----------
    directory
        The job's folder.
    files
        Where to; report.html in the job's folder if none is given.
    """
    from ..bulk.report._write import write_report

    folder = job_folder(directory)
    targets = files or (folder.path / "report.html",)
    await write_report(folder.database, *targets, pictures=pictures)
    for target in targets:
        print(target)


async def _read(folder: JobFolder) -> Summary:
    def read() -> Summary:
        with consistent_view(folder.database) as execute:
            return read_summary(execute)

    return await anyio.to_thread.run_sync(read)


def _print(folder: JobFolder, summary: Summary, *, as_json: bool) -> None:
    holder = folder.holder()
    if as_json:
        print_json({"worked_on_by": holder, **facts(summary)})
    else:
        print_text(standing(summary, holder), sys.stdout)


def _show(event: Mapping[str, Any], *, lines: bool) -> None:
    if lines:
        print_line(event)
    else:
        print_text(event_line(event), sys.stdout)
