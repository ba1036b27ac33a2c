"""Creation of a job, after a preflight: the job exists whole, or not at all."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve

from ..errors import JobRefused
from ..transfer.progress._events import call_plain, check_callback
from .database import _commands, _job_commands, _run_commands
from .database._database import Database, check_whole
from .database._job_folder import HighWaterMark, HighWaterMarkFile, JobFolder, changing
from .database._job_registry import register_folder
from .database._states import ItemState
from .preflight._findings import Finding
from .preflight._preflight import Keep, PreflightProgress, check_parts, run_preflight
from .preflight.sources._discovery import shown
from .preflight.sources._sources import as_kept
from .reconciliation._matching import CLOCK_SKEW
from .reconciliation._platform import PlatformClient
from .stages._probing import as_columns, describe_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._client import Client
    from ..slides.workers._probed_slide import ProbedSlide
    from ..storage import Store, StoreAddress
    from ._plan import JobPlan
    from .engines._protocol import StageEngine
    from .preflight._report import PreflightReport
    from .preflight.sources._slide_entry import SlideEntry
    from .preflight.sources._sources import Sources

_SHUFFLE_KEYS = 2**40
_A_DAY = 86400.0


async def create_job(
    directory: str | os.PathLike[str],
    plan: JobPlan,
    sources: Sources,
    client: Client,
    *,
    store: Store | StoreAddress | str | None = None,
    quarantine_faulty: bool = False,
    consent: Callable[[PreflightReport], None] | None = None,
    progress: Callable[[PreflightProgress], None] | None = None,
    engine: StageEngine | None = None,
) -> PreflightReport:
    """Run the preflight, create the job if nothing would fail, and return the report.

        report = await create_job("job/", plan, Sources(places=["slides/"]), client)
        if not report.is_clear:
            print(report.to_json())

    `directory` is the job's folder, which is created if it is missing. `store` replaces the plan's own; None,
    the default, uses that. With `quarantine_faulty=True` (False by default), slides with faults become
    quarantined items of the job. `can_create_job` tells from the report whether the job was created.

    `consent` is called with the report just before the job is created, and prevents the creation by raising.
    If it returns, slides in `PreflightReport.earlier.again` may be billed again. Without `consent` (None, the
    default) the job holds slides whose content was analysed before, and a person decides about them: see
    `BulkJob.held_items`. Slides of which only the reference is in an earlier run are sent and billed again.
    `progress` is called with a `PreflightProgress` after each slide that was read; None, the default, reports
    nothing. Both callbacks are plain functions, which are called in the event loop. `engine` reads the
    slides; None, the default, is this machine.

    After an error or a cancellation there is no job in the folder, unless there was one before. Costs what
    `run_preflight` costs, two requests, and a listing of the newest runs.

    Raises JobError on Windows, for a folder that can't be made, locked or written, or if the user's state
    folder can't be written; JobRefused if the folder holds a job already; JobBusy if another process uses it;
    JobDatabaseError if its database can't be written; ConfigurationError for a user without home folder;
    UsageError for an async callback or an argument of another kind; and what `run_preflight` and the
    callbacks raise.
    """
    check_parts(plan, sources, client, store, engine)
    check_callback(consent)
    check_callback(progress)
    plan = evolve(plan, contract=client.contract)
    folder = JobFolder(directory)
    folder.make()
    folder.acquire()
    try:
        if folder.database.exists():
            raise JobRefused(f"there is a job in {folder.path} already; resume it, or choose another folder")
        with _draft(folder) as draft:
            with _open(draft) as database:
                job_id = await _begin(database, plan, client)
                await database.write(_job_commands.set_job(sources=as_kept(sources)))
                report = await run_preflight(
                    plan,
                    sources,
                    client,
                    store=store,
                    results=folder.results,
                    keep=_keeper(database, job_id),
                    progress=progress,
                    engine=engine,
                )
                await database.write(_commands.renumber())
                left_out = [
                    (shown(each.path), each.reason, each.detail, each.is_slide) for each in report.left_out
                ]
                await database.write(_job_commands.record_left_out(left_out))
                if plan.checksums == "auto":
                    decided = evolve(plan, checksums=report.store.checksums or "auto")
                    await database.write(_job_commands.set_job(plan=decided.to_json()))
            if can_create_job(report, quarantine_faulty=quarantine_faulty):
                if consent is not None:
                    call_plain(consent, report)
                    await _allow_rebilling(draft, report)
                check_whole(draft)
                # The mark tells the first process that this database is no copy.
                await to_thread.run_sync(HighWaterMarkFile(job_id).write, HighWaterMark(0, 0))
                await to_thread.run_sync(register_folder, job_id, folder.path)
                # Last, since a cancellation from then on would leave the job that it has to prevent.
                with changing(folder.database):
                    draft.replace(folder.database)
        return report
    finally:
        folder.release()


async def _allow_rebilling(draft: Path, report: PreflightReport) -> None:
    """Write down that a person agreed to have the slides billed again that were analysed before."""
    if report.earlier is not None and report.earlier.again:
        with _open(draft) as database:
            await database.write(_commands.allow_rebilling(report.earlier.again))


def can_create_job(report: PreflightReport, *, quarantine_faulty: bool) -> bool:
    """Return whether `create_job` creates a job after a preflight with this report, unless `consent` prevents
    it.

        report = await create_job("job/", plan, sources, client, quarantine_faulty=True)
        if not can_create_job(report, quarantine_faulty=True):
            print("there is no job:", report.faults)

    With `quarantine_faulty=False` any fault prevents the creation. With True, only a fault of the whole job
    (`Finding.slide` is None) does, or a report without a slide that is `ready`. Sends no request.
    """
    of_all = [fault for fault in report.faults if fault.slide is None]
    return report.is_clear or (quarantine_faulty and not of_all and report.ready > 0)


async def _begin(database: Database, plan: JobPlan, client: Client) -> str:
    """Write down the job, and the runs that existed before it; return its id."""
    job_id = str(uuid.uuid4())
    version = await client.applications.version(plan.application_version)
    platform = PlatformClient(client, version)
    # The job searches for runs triggered after it, so a Date that is ahead must not hide them.
    begun = min((await platform.moment(fresh=True)).server or time.time() - _A_DAY, time.time())
    # Runs from before the job are not its own.
    await database.write(_run_commands.record_runs(await platform.runs(begun - CLOCK_SKEW)))
    await database.write(_job_commands.create_job(job_id, plan.to_json(), begun))
    return job_id


def _keeper(database: Database, job_id: str) -> Keep:
    """Return what adds slides to the job as they are probed."""
    # The order is random and the job's own, so that no other job has the same chunks.
    shuffle = Random(job_id)

    async def keep(entry: SlideEntry, probed: ProbedSlide | Finding, faults: Sequence[Finding]) -> None:
        state, columns = ItemState.READY, {}
        if not isinstance(probed, Finding):
            columns = as_columns(probed)
        if faults:
            state = ItemState.QUARANTINED
            columns["fault"], columns["remedy"] = describe_findings(faults)
        item = entry.as_item(shuffle.randrange(_SHUFFLE_KEYS), state, columns)
        await database.write(_commands.add_items([item]))

    return keep


@contextmanager
def _draft(folder: JobFolder) -> Iterator[Path]:
    """Give the path of a draft of the database, which is removed in any case."""
    draft = folder.path / "draft.sqlite3"
    _remove(draft)  # of a process that was killed
    try:
        yield draft
    finally:
        _remove(draft)


@contextmanager
def _open(path: Path) -> Iterator[Database]:
    database = Database(path).open()
    try:
        yield database
    finally:
        database.close()


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        part = database.with_name(database.name + suffix)
        with changing(part):
            part.unlink(missing_ok=True)
