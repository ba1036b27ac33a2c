"""`bulk list`: the jobs of this machine."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from ...bulk import ItemOutcome, KnownJob, list_jobs
from .._options import Json
from .._output import count, human_moment, note, print_json, print_table
from ._text import standing


async def list_(
    *,
    all_: Annotated[
        bool,
        Parameter(
            name="--all", negative=(), show_default=False, help="Also list jobs that were moved or deleted."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """List your jobs on this machine, and how each stands.

    Needs no sign-in. A job is known from its creation on, and a moved one again once a command that works on
    it, such as 'bulk resume' or 'bulk verify', has opened it. --json prints all of them, with a problem for
    those that are not there.

    Example: `aignostics-async bulk list --all`
    """
    jobs = await list_jobs()
    if as_json:
        print_json([_facts(job) for job in jobs])
        return
    shown = [job for job in jobs if all_ or job.summary is not None]
    if shown:
        columns = ("folder", "slides", "done", "begun", "how it stands")
        print_table(columns, [_row(job) for job in shown], whole="folder")
    else:
        note("there is no job; 'bulk run' creates one")
    if len(shown) < len(jobs):
        note(
            f"{count(len(jobs) - len(shown), 'more job')} can't be read where it was; --all lists these, too"
        )


def _row(job: KnownJob) -> tuple[object, ...]:
    if job.summary is None:
        return job.folder, None, None, None, job.problem
    created = job.summary.job.created_at
    return (
        job.folder,
        f"{job.summary.audit.taken_in:,}",
        f"{job.summary.audit.outcomes[ItemOutcome.DONE]:,}",
        None if created is None else human_moment(created),
        standing(job.summary, job.holder)[0],
    )


def _facts(job: KnownJob) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "folder": str(job.folder),
        "worked_on_by": job.holder,
        "problem": job.problem,
        "summary": None if job.summary is None else job.summary.plain(),
    }
