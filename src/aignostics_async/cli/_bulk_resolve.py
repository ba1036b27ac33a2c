"""`bulk resolve`: what only a person can decide about runs, told with its choices, and decided."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .._core._display_text import count, visible
from ..bulk import BulkJob
from ..bulk._maintenance import is_cancelled
from ..bulk.database._job_folder import JobFolder
from ..bulk.report._consistent_view import consistent_view
from ..bulk.report._formatting import minute
from ..bulk.report._rows import ReportedDuplicate, ReportedRun, read_ambiguous, read_duplicates
from ..errors import UsageError
from ._bulk_text import job_folder
from ._common import client

_Choice = Annotated[bool, Parameter(negative=())]


async def resolve(
    directory: Path,
    chunk: int | None = None,
    /,
    *,
    run: str | None = None,
    none: _Choice = False,
    duplicate: str | None = None,
    cancel: _Choice = False,
    leave: _Choice = False,
) -> None:
    """Decide about a run of which nobody can say whether it exists, or about one that exists twice.

    With the folder alone it lists what is to be decided, with the choices.

    Parameters
    ----------
    directory
        The job's folder.
    chunk
        The number of the chunk of slides that may have a run or not.
    run
        The id of its run: it is compared with the chunk, and the job goes on with it.
    none
        You have looked, and it has none: it is submitted again, and billed twice if it had one after all.
        In a job that was cancelled its slides are set aside.
    duplicate
        The id of a run that was created a second time.
    cancel
        Cancel that second run: its pending slides cost nothing.
    leave
        Let that second run go on.
    """
    folder = job_folder(directory)
    if chunk is None and duplicate is None:
        _expect(not (run or none or cancel or leave), "give the chunk's number, or --duplicate")
        _list(folder)
    elif duplicate is not None:
        _expect(chunk is None and not (run or none), "--duplicate takes --cancel or --leave alone")
        _expect(cancel != leave, "--duplicate takes either --cancel or --leave")
        await _settle(directory, duplicate, cancel=cancel)
    elif chunk is not None:
        _expect(not (cancel or leave), "--cancel and --leave are for --duplicate")
        _expect((run is not None) != none, "a chunk takes either --run RUN_ID or --none")
        async with BulkJob.open(directory) as job, client() as session:
            await job.resolve(chunk, run_id=run, client=session)
        settled = "has no run" if run is None else f"has run {run}"
        print(f"chunk {chunk} {settled}; 'bulk resume' goes on")


def _expect(condition: object, advice: str) -> None:
    if not condition:
        raise UsageError(advice)


async def _settle(directory: Path, run_id: str, *, cancel: bool) -> None:
    async with BulkJob.open(directory) as job:
        if cancel:
            async with client() as session:
                await job.resolve_duplicate(run_id, client=session)
        else:
            await job.resolve_duplicate(run_id, client=None)
    print(f"run {run_id} {'is cancelled, or was over' if cancel else 'is left to go on'}")


def _list(folder: JobFolder) -> None:
    command = f"aignostics-async bulk resolve {shlex.quote(str(folder.path))}"
    with consistent_view(folder.database) as execute:
        lines = [line for row in read_ambiguous(execute) for line in _ambiguous(row, command)]
        lines += [
            line
            for twin in read_duplicates(execute)
            if twin.done is None
            for line in _duplicate(twin, command)
        ]
    print("\n".join(lines) if lines else "there is nothing to decide")


def _ambiguous(row: ReportedRun, command: str) -> Iterator[str]:
    yield (
        f"chunk {row.intent}, {count(row.items, 'slide')}, asked for {count(row.requests, 'time')}: "
        f"{visible(row.reason or 'nobody can say whether it has a run')}"
    )
    yield "  If a run of yours on the platform has exactly its slides, name it; nothing is paid again:"
    yield f"    {command} {row.intent} --run RUN_ID"
    if is_cancelled(row.reason):
        yield "  If there is none, its slides are set aside, as all are that were not sent:"
    else:
        yield "  If there is none, it is submitted again. Was there one after all, it is paid twice:"
    yield f"    {command} {row.intent} --none"


def _duplicate(row: ReportedDuplicate, command: str) -> Iterator[str]:
    chunk = "a chunk" if row.intent is None else f"chunk {row.intent}"
    yield f"run {row.run_id} of {minute(row.submitted_at)} UTC is a second one of {chunk}"
    yield "  To cancel it, which costs nothing for the slides that it has not begun:"
    yield f"    {command} --duplicate {row.run_id} --cancel"
    yield "  To let it go on, and pay for it:"
    yield f"    {command} --duplicate {row.run_id} --leave"
