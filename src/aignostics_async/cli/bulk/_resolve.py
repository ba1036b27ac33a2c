"""`bulk resolve`: list and make the decisions about runs that only a person can make."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ...bulk import BulkJob, JobObserver, PendingDecisions, ReportedDuplicate, ReportedRun
from ...errors import UsageError
from .._options import Json, Whole, client
from .._output import count, human_moment, jsonable, out, print_json, print_outcome
from .._rehearsal import DryRun, rehearsed

_NOTHING_OPEN = "no decision is open; 'bulk resolve' lists those that are"
_Choice = Annotated[bool, Parameter(negative=(), show_default=False)]


async def resolve(
    directory: Path,
    chunk: Whole | None = None,
    /,
    *,
    run: str | None = None,
    none: _Choice = False,
    duplicate: str | None = None,
    cancel: _Choice = False,
    leave: _Choice = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Decide about a run that may or may not exist, or about a run that exists twice.

    Without options it lists the open decisions with their choices, and the slides that are held because an
    earlier run has results of them.

    Example: `aignostics-async bulk resolve job/ 7 --none --dry-run`

    Parameters
    ----------
    directory
        The job's folder.
    chunk
        The number of the chunk of slides that may or may not have a run.
    run
        The id of the chunk's run. It is compared with the chunk, and the job continues with it.
    none
        The chunk has no run: it is submitted again, and billed twice if it had one after all. In a cancelled
        job its slides are quarantined instead.
    duplicate
        The id of a run that was created a second time.
    cancel
        Cancel the second run: its pending slides cost nothing.
    leave
        Let the second run continue.
    """
    observer = JobObserver(directory)
    if chunk is None and duplicate is None:
        _expect(not (run or none or cancel or leave), "give the chunk's number, or --duplicate")
        decisions = await observer.decisions()
        if as_json:
            print_json(jsonable(decisions))
        else:
            _list(observer, decisions)
    elif duplicate is not None:
        _expect(chunk is None and not (run or none), "--duplicate takes --cancel or --leave alone")
        _expect(cancel != leave, "--duplicate takes either --cancel or --leave")
        facts = {"run_id": duplicate, "cancelled": cancel}
        if dry_run:
            open_ones = (each.run_id for each in (await observer.decisions()).duplicates)
            _expect(duplicate in open_ones, f"about run {duplicate} {_NOTHING_OPEN}")
            words = f"run {duplicate} would be {'cancelled' if cancel else 'left to run'}"
            rehearsed(words, facts, as_json=as_json)
            return
        await _resolve_duplicate(directory, duplicate, cancel=cancel)
        words = f"run {duplicate} {'is cancelled, or was over' if cancel else 'is left to run'}"
        print_outcome(words, facts, as_json=as_json)
    elif chunk is not None:
        _expect(not (cancel or leave), "--cancel and --leave are for --duplicate")
        _expect((run is not None) != none, "a chunk takes either --run RUN_ID or --none")
        facts = {"chunk": chunk, "run_id": run}
        if dry_run:
            chunks = (each.intent for each in (await observer.decisions()).chunks)
            _expect(chunk in chunks, f"about chunk {chunk} {_NOTHING_OPEN}")
            again = "would be submitted again, and billed twice if it has a run after all"
            words = f"chunk {chunk} {again if run is None else f'would continue with run {run}'}"
            rehearsed(words, facts, as_json=as_json)
            return
        async with BulkJob.open(directory) as job, client(job=job) as session:
            await job.resolve(chunk, run_id=run, client=session)
        decided = "has no run" if run is None else f"has run {run}"
        print_outcome(f"chunk {chunk} {decided}; 'bulk resume' continues", facts, as_json=as_json)


def _expect(condition: object, advice: str) -> None:
    if not condition:
        raise UsageError(advice)


async def _resolve_duplicate(directory: Path, run_id: str, *, cancel: bool) -> None:
    async with BulkJob.open(directory) as job:
        if cancel:
            async with client(job=job) as session:
                await job.resolve_duplicate(run_id, client=session)
        else:
            await job.resolve_duplicate(run_id, client=None)


def _list(observer: JobObserver, decisions: PendingDecisions) -> None:
    command = f"aignostics-async bulk resolve {shlex.quote(str(observer.path))}"
    for chunk in decisions.chunks:
        for line in _chunk_lines(chunk, command, is_cancelled=chunk.intent in decisions.cancelled):
            out(line)
    for duplicate in decisions.duplicates:
        for line in _duplicate_lines(duplicate, command):
            out(line)
    for line in _held_lines(decisions.held, shlex.quote(str(observer.path))):
        out(line)
    if not (decisions.chunks or decisions.duplicates or decisions.held):
        out("there is nothing to decide")


def _chunk_lines(chunk: ReportedRun, command: str, *, is_cancelled: bool) -> Iterator[str]:
    yield (
        f"chunk {chunk.intent}, {count(chunk.items, 'slide')}, requested {count(chunk.requests, 'time')}: "
        f"{chunk.reason or 'it is unknown whether it has a run'}"
    )
    yield "  If one of your runs on the platform has exactly its slides, name it; nothing is billed again:"
    yield f"    {command} {chunk.intent} --run RUN_ID"
    if is_cancelled:
        yield "  If there is none, its slides are quarantined, like all that were not sent:"
    else:
        yield "  If there is none, it is submitted again. If there was one after all, it is billed twice:"
    yield f"    {command} {chunk.intent} --none"


def _duplicate_lines(duplicate: ReportedDuplicate, command: str) -> Iterator[str]:
    chunk = "a chunk" if duplicate.intent is None else f"chunk {duplicate.intent}"
    created = _minute(duplicate.submitted_at)
    yield f"run {duplicate.run_id} of {created} is a second one of {chunk}"
    yield "  To cancel it, which costs nothing for slides that it has not started:"
    yield f"    {command} --duplicate {duplicate.run_id} --cancel"
    yield "  To let it continue, and pay for it:"
    yield f"    {command} --duplicate {duplicate.run_id} --leave"


def _held_lines(held: Mapping[str, str], folder: str) -> Iterator[str]:
    """Say which slides are held, by the run that has them."""
    by_run: dict[str, list[str]] = {}
    for reference, run_id in held.items():
        by_run.setdefault(run_id, []).append(reference)
    for run_id, references in by_run.items():
        yield f"run {run_id} has {count(len(references), 'slide')} of this job, which would be billed again:"
        yield from (f"    {reference}" for reference in references)
    if held:
        yield "  To use the results of such a run, which costs nothing, leave its slides and download it:"
        yield "    aignostics-async runs download RUN_ID FOLDER"
        yield "  To have them analysed and billed again; --only REFERENCE names some of them:"
        yield f"    aignostics-async bulk retry {folder} --rerun"


def _minute(when: datetime | None) -> str:
    return "unknown time" if when is None else human_moment(when)
