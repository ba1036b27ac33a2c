"""`bulk run` and `bulk resume`: work on a job until its end, or until it is to pause."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

from attrs import define

from ... import Client, ProgressBars, read_api_root
from ...bulk import (
    BulkJob,
    JobEvent,
    JobObserver,
    JobStatus,
    PreflightReport,
    Summary,
    can_create_job,
    create_job,
)
from ...errors import JobStopped
from .._confirm import confirm
from .._failures import exit_status
from .._options import (
    Bwlimit,
    Deadline,
    DueDate,
    Endpoint,
    Flag,
    Json,
    PollInterval,
    Whole,
    as_time,
    client,
    settings_of,
)
from .._output import count, discard, err, is_quiet, note, print_json_line, show, text
from .._progress import JobProgress, preflight_progress
from .._rehearsal import DryRun, continuation_of_job, rehearsed
from .._signals import drained_by_signals
from ._engine_options import EngineOptions
from ._job_options import JobOptions
from ._plan import preflight, report_text
from ._text import event_line, event_style, is_routine, summary_json, summary_text

_DRAINING = (
    "What is under way is finished, then this stops; 'bulk resume' continues. A second signal stops at once, "
    "and loses nothing either."
)


async def run(
    directory: Path,
    application_version: str,
    /,
    *places: str,
    options: JobOptions,
    engine: EngineOptions | None = None,
    quarantine_faulty: Annotated[bool, Flag] = False,
    allow_rerun: Annotated[bool, Flag] = False,
    dry_run: DryRun = False,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    as_json: Json = False,
) -> int:
    """Check slides, create a job in a folder, and work on it until all results are downloaded.

    Ends with 0 if all is done, 3 if some slides have no results, 4 if a person has to decide about a run, 6
    if slides have faults and nothing was begun, and 75 if 'bulk resume' has to continue. Without a terminal,
    and with --json, standard output is one JSON object per line for each event.

    Example: `aignostics-async bulk run job/ he-tme:v1.0.0 slides/ --store s3://bucket/prefix --max-items 300`

    Parameters
    ----------
    directory
        The job's own folder; it is created.
    application_version
        The application version, such as he-tme:v1.0.0; see 'applications'.
    places
        Folders, slide files, and patterns such as 'slides/**/*.svs'.
    quarantine_faulty
        Continue without the slides that have faults; the report lists them.
    allow_rerun
        Run slides again that were run with this version before. Each is billed again.
    """
    plan, sources = options.plan(read_api_root(os.environ), application_version), options.sources(places)
    engine = engine or EngineOptions()
    stages = engine.open(options.endpoint)
    if dry_run:
        results = directory / "results"
        return await preflight(
            plan,
            sources,
            client(poll_interval, bwlimit),
            endpoint=options.endpoint,
            engine=engine,
            results=results,
            as_json=as_json,
        )
    display = _Display(lines=as_json or not sys.stdout.isatty())
    async with client(poll_interval, bwlimit) as session:
        store = engine.store(session, plan.store, options.endpoint)
        with ExitStack() as stack:
            progress = stack.enter_context(preflight_progress())

            def consent(report: PreflightReport) -> None:
                stack.close()  # a question and a bar do not go together
                _ask(display, report, allow_rerun=allow_rerun)

            report = await create_job(
                directory,
                plan,
                sources,
                session,
                store=store,
                quarantine_faulty=quarantine_faulty,
                consent=consent,
                progress=progress,
                engine=stages,
            )
        if not can_create_job(report, quarantine_faulty=quarantine_faulty):
            display.preflight(report, is_needed=True)
            if can_create_job(report, quarantine_faulty=True):
                note(f"--quarantine-faulty continues with {count(report.ready, 'slide')}")
            return report.exit_status
        async with BulkJob.open(directory) as job:
            return await _work(job, session, display, {"store": store, "engine": stages})


async def resume(
    directory: Path,
    /,
    *,
    endpoint: Endpoint = None,
    engine: EngineOptions | None = None,
    chunk_size: Whole | None = None,
    due_date: DueDate = None,
    deadline: Deadline = None,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Continue a job, whatever ended it; ends like 'bulk run'.

    Nothing is uploaded, submitted or downloaded a second time.

    Example: `aignostics-async bulk resume job/ --chunk-size 10`

    Parameters
    ----------
    directory
        The job's folder.
    chunk_size
        Items per run from now on, 500 at most. Runs that were requested already keep their size.
    """
    settings_of(poll_interval, bwlimit)
    changed = {"chunk_size": chunk_size, "due_date": as_time(due_date), "deadline": as_time(deadline)}
    observer = JobObserver(directory)
    engine = engine or EngineOptions()
    stages = engine.open(endpoint)
    if dry_run:
        rehearsed(*continuation_of_job(await observer.summary()), as_json=as_json)
        return 0
    display = _Display(lines=as_json or not sys.stdout.isatty())
    async with BulkJob.open(directory) as job, client(poll_interval, bwlimit, job=job) as session:
        store = engine.store(session, job.plan.store, endpoint)
        return await _work(job, session, display, {"store": store, "engine": stages, **changed})


@define
class _Display:
    """Shows a job at work: JSON lines for a program, text for a person, and bars on a terminal."""

    lines: bool
    """Whether standard output is for a program; text goes to standard error then."""
    bars: ProgressBars | None = None

    def preflight(self, report: PreflightReport, *, is_needed: bool) -> None:
        """Show the report of the preflight; to a quiet command only if a person needs it."""
        if self.lines:
            self._line({"what": "outlook", "outlook": json.loads(report.to_json())})
        if is_needed or not is_quiet():
            show(*report_text(report), stream=self._stream)

    def event(self, event: JobEvent) -> None:
        """Show an event."""
        known = event.as_dict()
        if self.lines:
            self._line(known)
        if self.bars is not None:
            if not is_routine(event.type):
                self.bars.print(event_line(known), style=event_style(event.type))
        elif not self.lines and not is_quiet():
            show(text(event_line(known), event_style(event.type)))

    def say(self, words: str) -> None:
        """Show a sentence to a person."""
        if self.bars is not None:
            self.bars.print(words, style="bold")
        else:
            err(words)

    def end(self, summary: Summary, status: int) -> None:
        """Show how the job stands at the end of the command."""
        if self.lines:
            self._line({"what": "summary", **summary_json(summary), "exit_status": status})
        show(*summary_text(summary, None), stream=self._stream)

    async def run(self, job: BulkJob, session: Client, options: Mapping[str, Any]) -> Summary:
        """Run the job with some options, and show it."""
        if is_quiet() or not sys.stderr.isatty():
            return await job.run(session, **options, listener=self.event)
        with ProgressBars() as bars:
            self.bars, progress = bars, JobProgress(bars)
            follower = asyncio.create_task(progress.follow(job))
            try:
                summary = await job.run(session, **options, listener=self.event, progress=progress)
                await progress.show(job)
            finally:
                self.bars = None
                follower.cancel()
                await asyncio.gather(follower, return_exceptions=True)
        return summary

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if self.lines else sys.stdout

    def _line(self, record: Mapping[str, Any]) -> None:
        try:
            print_json_line(record)
        except OSError:
            discard(sys.stdout)  # its reader is gone; the job continues


def _ask(display: _Display, report: PreflightReport, *, allow_rerun: bool) -> None:
    """Show what a job will cost, and ask before slides are billed again."""
    again = 0 if report.earlier is None else len(report.earlier.again)
    display.preflight(report, is_needed=again > 0)
    if again:
        confirm(
            f"{count(again, 'slide')} of these {'was' if again == 1 else 'were'} run with "
            f"{report.plan.application_version} before, and will be billed again",
            yes=allow_rerun,
            option="--allow-rerun",
        )


async def _work(job: BulkJob, session: Client, display: _Display, options: Mapping[str, Any]) -> int:
    def drain() -> None:
        job.drain()
        display.say(_DRAINING)

    with drained_by_signals(drain) as signals:
        try:
            summary = await display.run(job, session, options)
        except asyncio.CancelledError:
            if len(signals) < 2:
                raise
            return 128 + signals[-1]
        except JobStopped as error:
            display.end(await job.summary(), exit_status(error))
            raise
    status = _status(summary)
    display.end(summary, status)
    return status


def _status(summary: Summary) -> int:
    """Return the exit status of a job that has finished or was drained."""
    is_drained = summary.job.finished_at is None and summary.status is not JobStatus.LOST
    return JobStatus.UNFINISHED.exit_status if is_drained else summary.status.exit_status
