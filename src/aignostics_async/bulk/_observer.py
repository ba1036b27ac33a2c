"""Observation of a job from outside, whether or not a process works on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread
from attrs import frozen

from ..errors import UsageError
from .database._commands import is_cancelled
from .database._job_folder import JobFolder, has_database
from .database._journal import Tail
from .database._queries import held_items
from .report._consistent_view import consistent_view
from .report._rows import ReportedDuplicate, ReportedRun, read_ambiguous, read_duplicates
from .report._sanitizing import told
from .report._summary import Summary, read_summary


@frozen
class PendingDecisions:
    """The decisions about a job's runs and slides that a person has to make.

        decisions = await JobObserver("job/").decisions()
        for chunk in decisions.chunks:
            print(chunk.intent, chunk.reason)
        for reference, run_id in decisions.held.items():
            print(reference, "is in run", run_id, "already")

    `chunks` is a tuple of `ReportedRun`: those that may or may not have a run; answer with `BulkJob.resolve`.
    `cancelled` is a frozenset of the `intent` numbers of those among them that are not sent again, because
    the job was cancelled. `duplicates` is a tuple of `ReportedDuplicate`: second runs of a chunk; answer with
    `BulkJob.resolve_duplicate`. `held` maps the reference of each held slide to the id of another run that
    has, or may get, its results; answer with `BulkJob.retry`. Each is empty if nothing is pending.
    """

    chunks: tuple[ReportedRun, ...]
    """Chunks that may or may not have a run."""
    duplicates: tuple[ReportedDuplicate, ...]
    """Second runs of a chunk that were neither cancelled nor left to run."""
    cancelled: frozenset[int]
    """The numbers (`ReportedRun.intent`) of those `chunks` that were undecided when the job was cancelled.

    One of them that has no run is not sent again.
    """
    held: Mapping[str, str]
    """Slides that are held because another run has, or may get, results of them: a mapping from reference to
    id of that run.

    `BulkJob.retry(rerun=True)` has them analysed again, which is billed.
    """


class JobObserver:
    """A reader of a job's folder that does not open the job.

        observer = JobObserver("job/")
        print((await observer.summary()).status)

    It needs no client, and another process can work on the job meanwhile. Only `request_pause` and
    `request_cancel` ask for a change. A database without a write-ahead log, as on network file systems, is
    copied at each reading. Raises UsageError if there is no job in the folder, or it is no path, and
    JobError if the folder can't be read.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._folder = JobFolder(directory)
        if not has_database(self._folder.database):
            raise UsageError(f"there is no job in {self.path}; 'bulk run' creates one; or pass its folder")
        self._tail = Tail(self._folder.events)

    @property
    def path(self) -> Path:
        """The path of the job's folder, relative if it was passed so."""
        return self._folder.path

    @property
    def database(self) -> Path:
        """The path of the job's database, which `write_report` accepts in place of a folder."""
        return self._folder.database

    def holder(self) -> str | None:
        """Return a description of the process that works on the job, or None if there is none.

            observer.holder()  # "process 4711 of lab-7"

        It is None, too, if the lock's file can't be opened or locked. Takes the job's lock for a moment if it
        is free.
        """
        return self._folder.holder()

    async def summary(self) -> Summary:
        """Return a summary of the job as of one moment.

            summary = await JobObserver("job/").summary()
            print(summary.status.name, summary.audit.outcomes)

        Counts in the database, in a thread, which may take a second for a large job. Raises JobError if the
        folder can't be read, the job is gone or its creation was not finished; and JobDatabaseError if the
        database can't be read.
        """
        return await to_thread.run_sync(self._read_summary)

    async def decisions(self) -> PendingDecisions:
        """Return the decisions that a person has to make about runs and slides.

            decisions = await JobObserver("job/").decisions()
            print(len(decisions.chunks), len(decisions.duplicates), len(decisions.held))

        Reads the database, and sends no request. Raises what `summary` raises.
        """
        return await to_thread.run_sync(self._read_decisions)

    def new_events(self) -> list[Mapping[str, Any]]:
        """Return the events since the last call; the first call returns the latest ones, 20 at most.

            for event in observer.new_events():
                print(event.get("what"), event.get("reference"), event.get("text"))

        The list is in the order of the events, and empty if there are none or the file can't be read. Each
        event is a mapping with `at` (seconds since the epoch), `what` (the value of an `EventType`) and, if
        known, `reference`, `run_id` and `text`, without secrets. Somebody may have edited the file, so any
        key may be missing or hold any value.

        Blocks while it reads: the last 20 kB of the file at first, then what was appended.
        """
        return [
            {name: told(value) if isinstance(value, str) else value for name, value in event.items()}
            for event in self._tail.read()
        ]

    def request_pause(self) -> None:
        """Ask the process that works on the job to finish what is under way and stop.

            observer.request_pause()

        Creates a file. The process usually reacts within a second. Has no effect if no process works on the
        job. Raises JobError if the folder can't be written.
        """
        self._folder.request(self._folder.pause)

    def request_cancel(self) -> None:
        """Ask the process that works on the job to create no further run and to cancel the job's runs.

            observer.request_cancel()

        Creates a file. The process usually reacts within a second, and finishes a request in flight first. If
        no process works on the job, the next `BulkJob.run` cancels the runs. Raises JobError if the folder
        can't be written.
        """
        self._folder.request(self._folder.cancel)

    def _read_summary(self) -> Summary:
        with consistent_view(self._folder.database) as execute:
            return read_summary(execute)

    def _read_decisions(self) -> PendingDecisions:
        with consistent_view(self._folder.database) as execute:
            chunks = tuple(read_ambiguous(execute))
            duplicates = tuple(each for each in read_duplicates(execute) if each.done is None)
            held = {told(reference): run_id for reference, run_id in held_items()(execute).items()}
        cancelled = frozenset(each.intent for each in chunks if is_cancelled(each.reason))
        return PendingDecisions(chunks, duplicates, cancelled, held)
