"""`bulk run` and `bulk resume`: working on a job until its end, or until somebody wants it to pause."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from attrs import define
from cyclopts import Parameter
from rich.text import Text

from .._core._display_text import count
from .._core._tasks import plain_task_group
from .._environment import read_api_root
from ..bulk import BulkJob, create_job
from ..bulk._create import can_create_job
from ..bulk.report._audit import JobStatus
from ..errors import JobStopped
from ._bulk_options import JobOptions
from ._bulk_plan import look, looking, render
from ._bulk_progress import JobBars
from ._bulk_text import (
    event_line,
    facts,
    job_folder,
    print_text,
    standing,
)
from ._common import Bwlimit, Json, PollInterval, client, mute, print_line
from ._confirm import confirm
from ._signals import drained_by_signals
from ._status import exit_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._client import Client
    from ..bulk import JobEvent, PreflightReport, Summary

_DRAINING = (
    "What was begun is brought to an end, then this stops; 'bulk resume' goes on. A second signal stops at "
    "once, which loses nothing either."
)


async def run(
    directory: Path,
    application_version: str,
    /,
    *places: str,
    options: JobOptions,
    set_aside_faulty: Annotated[bool, Parameter(negative=())] = False,
    allow_rerun: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    as_json: Json = False,
) -> int:
    """Look ahead, make a job in a folder, and work on it until every slide has its results at home.

    Ends with 0 when all is done, 3 if some slides have no results, 4 if somebody has to decide about a run, 6
    if a slide has faults and nothing was begun, 75 if 'bulk resume' has to go on. Where standard output is no
    terminal, what happens comes there as one line of JSON each.

    Parameters
    ----------
    directory
        The job's own folder; it is made.
    application_version
        What to run, such as h-e-tme:v1.2.3.
    places
        Folders, slide files, and patterns of them such as 'slides/**/*.svs'.
    set_aside_faulty
        Go on without the slides that have faults; they are in the report.
    allow_rerun
        Run slides again that were run with this version before. Each is billed again.
    dry_run
        Look ahead only, as 'bulk plan' does.
    """
    plan, sources = options.plan(read_api_root(os.environ), application_version), options.sources(places)
    if dry_run:
        return await look(plan, sources, results=directory / "results", as_json=as_json)
    shown = _Shown(lines=as_json or not sys.stdout.isatty())
    async with client(poll_interval, bwlimit) as session:
        with ExitStack() as stack:
            progress = stack.enter_context(looking())

            def consent(outlook: PreflightReport) -> None:
                stack.close()  # a question and a bar do not go together
                _ask(shown, outlook, allow_rerun=allow_rerun)

            outlook = await create_job(
                directory,
                plan,
                sources,
                session,
                quarantine_faulty=set_aside_faulty,
                consent=consent,
                progress=progress,
            )
        if not can_create_job(outlook, quarantine_faulty=set_aside_faulty):
            shown.outlook(outlook)
            if can_create_job(outlook, quarantine_faulty=True):
                shown.say(f"--set-aside-faulty goes on with the {outlook.ready:,} others")
            return outlook.exit_status
        async with BulkJob.open(directory) as job:
            return await _work(job, session, shown)


async def resume(
    directory: Path,
    /,
    *,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    as_json: Json = False,
) -> int:
    """Go on with a job, whatever ended it; ends as 'bulk run' does.

    Nothing that was uploaded, submitted or brought home is so a second time.

    Parameters
    ----------
    directory
        The job's folder.
    """
    job_folder(directory)
    shown = _Shown(lines=as_json or not sys.stdout.isatty())
    async with BulkJob.open(directory) as job, client(poll_interval, bwlimit) as session:
        return await _work(job, session, shown)


@define
class _Shown:
    """Shows a job at work: to a program as lines of JSON, to a person as text, and as bars on a terminal."""

    lines: bool
    """Whether standard output is for a program; texts go to standard error then."""
    bars: JobBars | None = None

    def outlook(self, outlook: PreflightReport) -> None:
        """Show what is ahead."""
        if self.lines:
            self._tell({"what": "outlook", "outlook": json.loads(outlook.to_json())})
        print_text(render(outlook), self._stream)

    def event(self, event: JobEvent) -> None:
        """Show what has happened."""
        if self.lines:
            self._tell(event.as_dict())
        if self.bars is not None:
            self.bars.event(event)
        elif not self.lines:
            print_text(event_line(event.as_dict()), sys.stdout)

    def say(self, words: str) -> None:
        """Say something to a person."""
        if self.bars is not None:
            self.bars.say(Text(words, style="bold"))
        else:
            print(words, file=sys.stderr, flush=True)

    def end(self, summary: Summary, status: int) -> None:
        """Show how the job stands when nobody works on it any more."""
        if self.lines:
            self._tell({"what": "summary", **facts(summary), "exit_status": status})
        print_text(standing(summary, None), self._stream)

    async def run(self, job: BulkJob, session: Client) -> Summary:
        """Let the job run, and show it."""
        if not sys.stderr.isatty():
            return await job.run(session, listener=self.event)
        with JobBars() as bars:
            self.bars = bars
            try:
                async with plain_task_group() as group:
                    group.start_soon(bars.follow, job)
                    summary = await job.run(session, listener=self.event, progress=bars.progress)
                    group.cancel_scope.cancel()
                await bars.show(job)
            finally:
                self.bars = None
        return summary

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if self.lines else sys.stdout

    def _tell(self, record: Mapping[str, Any]) -> None:
        try:
            print_line(record)
        except OSError:
            mute()  # whoever read has had enough; the job goes on


def _ask(shown: _Shown, outlook: PreflightReport, *, allow_rerun: bool) -> None:
    """Tell what a job will have billed, and refuse to have slides billed again unless that is meant."""
    shown.outlook(outlook)
    again = 0 if outlook.earlier is None else len(outlook.earlier.again)
    if again:
        confirm(
            f"{count(again, 'slide')} of these {'was' if again == 1 else 'were'} run with "
            f"{outlook.plan.application_version} before, and will be billed again",
            yes=allow_rerun,
            option="--allow-rerun",
        )


async def _work(job: BulkJob, session: Client, shown: _Shown) -> int:
    def drain() -> None:
        job.drain()
        shown.say(_DRAINING)

    with drained_by_signals(drain) as came:
        try:
            summary = await shown.run(job, session)
        except asyncio.CancelledError:
            if len(came) < 2:
                raise
            return 128 + came[-1]
        except JobStopped as error:
            shown.end(await job.summary(), exit_status(error))
            raise
    status = _status(summary)
    shown.end(summary, status)
    return status


def _status(summary: Summary) -> int:
    """Return the exit status of a job whose work is over, or was cut short. Pure."""
    is_drained = summary.job.finished_at is None and summary.status is not JobStatus.LOST
    return JobStatus.UNFINISHED.exit_status if is_drained else summary.status.exit_status
