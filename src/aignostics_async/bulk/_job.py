"""A bulk job: opened by one process at a time, run until everything is done, resumed at any time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from anyio import to_thread

from .._client import Client
from .._core._arguments import check_kind
from .._core._clock import SYSTEM_CLOCK, Clock
from .._core._misuse import explains_misuse
from .._core._tasks import plain_task_group
from .._internals import contract_facts
from ..contracts._lines import OLDEST
from ..errors import JobError
from ..transfer.progress._events import check_callback, ignore
from ._assembly import begin_work
from ._expiry_monitor import monitor_expiry
from ._generation import record_stop
from ._maintained_job import MaintainedJob
from ._plan import JobPlan, check_server, replace_values, results_folder, run_options
from ._request_monitor import monitor_requests
from ._stage_progress import StageProgress, stage_progress
from ._store import address_of, open_store, record_checksums
from .database import _commands, _job_commands, _queries
from .database._database import close_database, open_database
from .database._job_folder import JobFolder, has_database
from .database._job_registry import register_folder
from .database._journal import EventType, Journal
from .engines._local import LocalEngine
from .engines._protocol import StageEngine
from .preflight._requirements import Requirements
from .reconciliation._platform import PlatformClient
from .report._summary import Summary, read_summary
from .stages._callbacks import CallbackGuard
from .stages._context import JobContext
from .stages._pipeline import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from ..storage import Store, StoreAddress
    from ..transfer.progress._events import Progress
    from .database._journal import Listener
    from .database._queries import JobRow
    from .database._states import ItemState
    from .engines._protocol import OpenEngine


@explains_misuse("use a job in `async with BulkJob.open(...) as job:`", inside=("_database", "_job", "plan"))
class BulkJob(MaintainedJob):
    """A job in a folder: thousands of slides, one run for each chunk of them, and every result in a folder.

        async with Client.from_env() as client:
            await create_job("job/", plan, Sources(places=["slides/"]), client)
            async with BulkJob.open("job/") as job:
                summary = await job.run(client)

    If the process ends for any reason, opening and running the job again continues it. Without a person's
    consent no item is billed twice; docs/explanation/exactly-once.md says what this depends on. The folder
    holds no token and no signed URL. One `BulkJob` at a time can open it.

    `plan` is the `JobPlan` of the job. Before the `async with` block is entered, all other properties and
    methods but `open` and `drain` raise UsageError. After its end, those that read or write the database
    raise JobDatabaseError.
    """

    def __init__(self, directory: str | os.PathLike[str], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._directory = JobFolder(directory)
        self._clock = clock
        self._context: JobContext | None = None
        self._is_to_drain = False

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> Self:
        """Return the job in a folder, to be entered with `async with`.

            async with BulkJob.open("job/") as job:
                print(await job.states())

        The call itself does no I/O, and raises UsageError for what is no path. Entering the block locks the
        folder, checks the database, which is read as a whole, and migrates one that an older release wrote;
        leaving it closes the database and releases the lock.

        Entering raises JobError if the folder holds no job or can't be read or locked, and on Windows;
        JobBusy if another process or another `BulkJob` works on the job; JobRefused if a newer release wrote
        it; JobDatabaseError if its database can't be used; and ConfigurationError if the system gives no
        thread.
        """
        return cls(directory)

    async def __aenter__(self) -> Self:
        if not has_database(self._directory.database):
            raise JobError(f"there is no job in {self._directory.path}; create one first, or pass its folder")
        self._directory.acquire()
        try:
            self._database = await open_database(self._directory.database)
            try:
                self._job: JobRow = await self._database.read(_queries.job())
                self.plan = JobPlan.from_json(self._job.plan)
                await to_thread.run_sync(register_folder, self.id, self._directory.path)
            except BaseException:
                await close_database(self._database)
                raise
        except BaseException:
            self._directory.release()
            raise
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        try:
            await close_database(self._database)
        finally:
            self._directory.release()

    @property
    def id(self) -> str:
        """The id of the job, a UUID as text. Raises UsageError before the block is entered."""
        return self._job.id

    @property
    def contract(self) -> str:
        """The contract under which the job was created: `"1.0"` or `"1.8"`.

        It is `"1.0"` for a job that was created before there were two. Raises UsageError before the block is
        entered.
        """
        return self.plan.contract or OLDEST

    @property
    def results(self) -> Path:
        """The absolute path of the folder for output files: that of the plan, or `results` in the job's.

        It may not exist yet. Raises UsageError before the block is entered.
        """
        return results_folder(self.plan, self._directory)

    async def summary(self) -> Summary:
        """Return a summary of the job at this moment.

            print((await job.summary()).status.name)

        It can be called during `run`. Counts all items in the database. Raises JobDatabaseError if the
        database can't be read.
        """
        return await self._database.read(read_summary)

    async def states(self) -> Mapping[ItemState, int]:
        """Return the number of items in each state, as a mapping from `ItemState`.

            (await job.states()).get(ItemState.DONE, 0)

        A state without items is absent. It can be called during `run`. Costs one query of the database, and
        raises JobDatabaseError if it can't be read.
        """
        return await self._database.read(_queries.counts())

    async def stage_progress(self) -> list[StageProgress]:
        """Return the progress of the five stages, in order: read, uploaded, in a run, analysed, downloaded.

            for stage in await job.stage_progress():
                print(stage.stage, stage.items, "of", stage.total)

        It can be called during `run`. Costs one query of the database, and raises JobDatabaseError if it
        can't be read.
        """
        return stage_progress(await self.states())

    async def run(
        self,
        client: Client,
        *,
        store: Store | StoreAddress | str | None = None,
        listener: Listener | None = None,
        progress: Progress | None = None,
        chunk_size: int | None = None,
        due_date: datetime | None = None,
        deadline: datetime | None = None,
        engine: StageEngine | None = None,
    ) -> Summary:
        """Work until nothing is left to do, or until a drain, pause or cancellation; return the summary.

            summary = await job.run(client, listener=lambda event: print(event.to_json()))

        `store` replaces the plan's own for this call; None, the default, uses that. `chunk_size` (items of
        one run, from 1 to 500), `due_date` and `deadline` (aware times) replace those of the plan from now
        on, also for chunks that were not sent yet; None, the default, keeps them. `listener` is called with
        each `JobEvent`, and `progress` with each `TransferEvent`; both are plain functions, called in the
        event loop, and None by default. `engine` reads and uploads the slides, and downloads their outputs;
        None, the default, is `LocalEngine()`, this machine.

        The call can be cancelled, and the process killed, at any moment; a later call continues, as after any
        error. If a callback raises, nothing more is sent, and the exception is raised once the request in
        flight is recorded. Costs reading and uploading each slide, a request per run, a listing of the runs
        since the job was created each minute, and what watching and downloading the runs cost.

        Raises JobRefused for another server, user or organization; JobStopped if the job can't continue (its
        `cause` is the error behind it); JobDatabaseError if the database can't be read or written, and
        another JobError if the folder can't be used; UsageError if `run` is running already, a callback is
        async, or an argument is of another kind; ConfigurationError for an invalid value or store, an
        unusable version, or a user without home folder; NotInContract for a `due_date` or `deadline` under
        contract 1.0; what `engine` raises when it is opened; and after `JobObserver.request_cancel` the
        errors of requests that `Pager` names.
        """
        self._check_idle()
        check_server(client, self.plan)
        check_kind(engine or LocalEngine(), StageEngine, "engine")
        check_callback(listener)
        check_callback(progress)
        plan = replace_values(self.plan, chunk_size=chunk_size, due_date=due_date, deadline=deadline)
        if plan != self.plan:
            contract_facts(client).check_options(run_options(plan))  # before the plan is kept
        guard = CallbackGuard(self._abort)
        journal = Journal(self._directory.events, None if listener is None else guard.guarded(listener))
        self._is_at_work = True
        try:
            if plan != self.plan:
                await self._database.write(_commands.unseal(plan.to_json()))
                self.plan = plan
            opened = open_store(client, self.plan, store)
            context = JobContext(
                job_id=self.id,
                plan=self.plan,
                results=self.results,
                folders=await self._database.read(_queries.folder_names()),
                database=self._database,
                client=client,
                store=opened,
                journal=journal,
                progress=guard.guarded(progress or ignore),
                clock=self._clock,
            )
            stages = context.engine_setup(address_of(self.plan, store))
            summary = await self._run(context, (engine or LocalEngine()).open(stages))
            self.plan = await record_checksums(self._database, self.plan, opened)
            if guard.failure is not None:
                raise guard.failure
            return summary
        except BaseException as error:
            failure = guard.failure if guard.failure is not None and isinstance(error, Exception) else error
            journal.emit(EventType.STOPPED, text=str(failure) or type(failure).__name__)
            await record_stop(self._database, self._directory, failure)
            if failure is error:
                raise
            raise failure from None
        finally:
            journal.close()
            self._context, self._is_at_work, self._is_to_drain = None, False, False

    def _abort(self) -> None:
        """End the work, since a callback has failed."""
        self._is_to_drain = True
        if self._context is not None:
            self._context.abort()

    async def _run(self, context: JobContext, engine: AbstractAsyncContextManager[OpenEngine]) -> Summary:
        client, journal = context.client, context.journal
        await to_thread.run_sync(self._directory.begin_work)
        if self.plan.results is None:
            await to_thread.run_sync(self._directory.make_results)
        self._context = context
        journal.emit(EventType.STARTED)
        if self._is_to_drain or self._is_cancel_requested():
            self.drain()
        version_id = self.plan.application_version
        version = await context.with_retries(lambda: client.applications.version(version_id))
        context.requirements = Requirements.of(self.plan, version)
        platform = PlatformClient(client, version, self._clock, run_options(self.plan))
        ended = (await self._database.read(_queries.job())).finished_at
        submitter, reconciler = await begin_work(
            context, self._job, platform, is_cancelled=self._is_cancel_requested
        )
        async with engine as opened, plain_task_group() as group:
            group.start_soon(monitor_requests, self._directory, self._database, self.drain)
            group.start_soon(monitor_expiry, self._database, journal)
            await run_pipeline(context, engine=opened, submitter=submitter, reconciler=reconciler)
            group.cancel_scope.cancel()
        if self._is_cancel_requested():
            await self._cancel(client)
        return await self._end(context, ended)

    def drain(self) -> None:
        """Let `run` finish what is under way, begin nothing new, and return.

            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, job.drain)

        Returns at once. Call it in the event loop, any number of times; if `run` is not running, it applies
        to the next call.
        """
        self._is_to_drain = True  # also if it has not begun anything yet
        if self._context is not None and not self._context.is_draining:
            self._context.journal.emit(EventType.DRAINING)
            self._context.drain()

    def _is_cancel_requested(self) -> bool:
        """Whether another process has cancelled the job; checked before each request for a run."""
        self._directory.keep_lock()
        if is_requested := self._directory.cancel.exists():
            self.drain()
        return is_requested

    async def _end(self, context: JobContext, ended: float | None) -> Summary:
        if not context.is_draining:
            await self._database.write(_job_commands.finish_job(ended, time.time()))
        summary = await self.summary()
        context.journal.emit(EventType.FINISHED, text=summary.status.name)
        return summary
