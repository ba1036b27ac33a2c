"""What is done to a job that is open while it does not run: decide, correct, verify, cancel, clean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from .._identifiers import as_uuid
from ..errors import UsageError
from . import _corrections, _maintenance
from ._assembly import make_reconciler
from ._corrections import CorrectionReport
from ._identity import verify_identity
from ._plan import check_server, results_folder
from ._store import open_store
from .database import _queries, _retries
from .reconciliation._platform import PlatformClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._client import Client
    from .._core._clock import Clock
    from ..storage import Store, StoreAddress
    from ._plan import JobPlan
    from .database._database import Database
    from .database._job_folder import JobFolder
    from .database._queries import JobRow


class MaintainedJob:
    """The methods of `BulkJob` that adopt, retry, correct, resolve, verify, cancel and clean.

    They are called on an open `BulkJob`, which says what they raise before and after its block.
    """

    plan: JobPlan
    _directory: JobFolder
    _clock: Clock
    _database: Database
    _job: JobRow
    _is_at_work = False

    async def adopt(self, client: Client) -> list[str]:
        """Adopt runs of this job's items that its database does not know, and return their ids.

            adopted = await job.adopt(client)

        Use it after restoring the database from a copy, or after a copy of the folder was used. `run` adopts
        by itself where it can prove either. The list is empty if there is no such run. Unsent items that are
        in a run which can't be adopted are held: see `held_items`. Runs that were adopted before an error or
        a cancellation stay adopted, so the call can be repeated.

        Costs a few requests, a listing of the runs since the job was created, and the results of each unknown
        one. A run of which a replica may have shown only a part is read again, by default every 30 s for 15
        minutes (`ReconciliationTimeouts.replica_lag` and `ambiguity`).

        Raises JobError if a run that may be the job's can't be read, JobRefused for another server, user or
        organization, JobDatabaseError if the database can't be read or written, UsageError during `run`, and
        the errors of requests that `Pager` names.
        """
        self._check_idle()
        await verify_identity(self._database, client, self.plan)
        version = await client.applications.version(self.plan.application_version)
        platform = PlatformClient(client, version, self._clock)
        reconciler = make_reconciler(self._job, self.plan, self._database, client, platform)
        return await _maintenance.adopt(reconciler, self._clock, patience=self.plan.timeouts.ambiguity)

    async def retry(
        self, *, failed: bool = False, rerun: bool = False, only: Sequence[str] = (), dry_run: bool = False
    ) -> int:
        """Let quarantined items continue, and return how many do.

            await job.retry(failed=True, only=["lung/**"])

        By default nothing is billed again that no earlier call permitted. With `failed=True` (False by
        default), items whose run ended or vanished without results of them continue, too; with `rerun=True`
        (False by default), items that are held because another run has, or may get, results of the same
        slide. Both get new runs, which are billed. `only` is a list of references or patterns of them, with
        the syntax of `SelectionRule`; by default it is empty and selects all items.

        All items are released in one transaction, for `run` to continue. If any item continues, the job is no
        longer cancelled. With `dry_run=True` (False by default) nothing changes, and the number is that of
        the items that would continue. Sends no request. Raises UsageError for an `only` that is a single
        text, holds anything but texts, or a pattern that `SelectionRule` refuses, and JobDatabaseError if the
        database can't be read or written.
        """
        numbers = await self._database.read(_corrections.numbers_of(only))
        if dry_run:
            return await self._database.read(_retries.count_retries(failed=failed, rerun=rerun, only=numbers))
        return await self._database.write(_retries.retry(failed=failed, rerun=rerun, only=numbers))

    async def correct(
        self,
        client: Client,
        *,
        mpp: float | None = None,
        manifest: str | os.PathLike[str] | None = None,
        only: Sequence[str] = (),
        failed: bool = False,
        rerun: bool = False,
        dry_run: bool = False,
    ) -> CorrectionReport:
        """Retry items with another resolution or other metadata, checked as they were by `create_job`.

            report = await job.correct(client, manifest="slides.csv", only=["lung/**"])

        `only`, `failed` and `rerun` select items as for `retry`, without those that have results. A line of
        `manifest`, a CSV file as for `Sources`, corrects the selected item whose file or folder it names; its
        reference stays.
        `mpp`, from 0.05 to 5 µm per pixel, applies to every selected item whose line sets no `mpp`; a line,
        file or folder that could not be taken when the job was created needs a line of its own. A line that
        could not becomes one with a slide that the job does not have, wherever it is by now. What the job's
        `Sources` say of all slides holds for it, too: where references come from, `mpp`, `include_label` and
        `metadata`. A resolution that differs from the file's own by more than 2 % is a fault unless
        `mpp_source` is set. `manifest` and `mpp` are None by default; at least one is required.

        Corrected items without a fault continue, in one transaction; all others stay as they were. The
        `CorrectionReport` has the faults. A fault of the manifest or one of its lines keeps all items back,
        as does an error. With `dry_run=True` (False by default) nothing changes, and `released` counts those
        that would continue. Costs one request, and reading each corrected slide, with the plan's `decode` all
        its pixels.

        Raises UsageError without `mpp` and `manifest`, for a `manifest` that is no path, for an `only` that
        `retry` refuses, or during `run`; ConfigurationError for an implausible `mpp`, a version that can't be
        used, without the `slides` extra, or if the processes that read slides can't be started or 20 in a row
        are lost; JobRefused for another server; JobDatabaseError if the database can't be read or written;
        and the errors of requests that `Pager` names.
        """
        self._check_idle()
        check_server(client, self.plan)
        told = _corrections.Corrections(mpp, manifest, only=only, failed=failed, rerun=rerun)
        return await _corrections.correct(self._database, client, self.plan, told, dry_run=dry_run)

    async def count_billable_retries(
        self, *, failed: bool = False, rerun: bool = False, only: Sequence[str] = ()
    ) -> int:
        """Return how many items `retry` would allow to be billed again; change nothing.

            if await job.count_billable_retries(failed=True) <= 10:
                await job.retry(failed=True)

        The arguments, their defaults and the errors are those of `retry`. Sends no request.
        """
        numbers = await self._database.read(_corrections.numbers_of(only))
        query = _retries.count_billable_retries(failed=failed, rerun=rerun, only=numbers)
        return await self._database.read(query)

    async def held_items(self) -> Mapping[str, str]:
        """Return the items that are held for a decision, as a mapping from reference to run id.

            for reference, run_id in (await job.held_items()).items():
                print(reference, "is in run", run_id, "already")

        The run is another one, which has an item of the same slide or reference, so a new run may be billed
        again; `retry(rerun=True)` permits that. The mapping is empty if no item is held. Sends no request.
        Raises JobDatabaseError if the database can't be read.
        """
        return await self._database.read(_queries.held_items())

    async def resolve(self, intent: int, *, run_id: str | None, client: Client) -> None:
        """Record a person's decision about a chunk that may or may not have a run.

            await job.resolve(7, run_id=None, client=client)

        `intent` is the number of the chunk, as in `ReportedRun.intent`. `run_id` names its run, which must be
        of the job's version and hold no other items. None states that there is no run: the chunk is sent
        again and billed; if the job was cancelled meanwhile, its items are quarantined instead.

        The decision stays open if the call raises. Costs a few requests, reading the run and its results, and
        under contract 1.8 marking it; with None no request is sent. Raises JobRefused for a run that can't be
        the chunk's, for a client of another server, and with a `run_id` for another user or organization;
        JobStateError without an open decision; UsageError for a `run_id` that is not a UUID, or a `client`
        that is none; InvalidItems if an item of the run can't be read; JobDatabaseError if the database can't
        be read or written; and the errors of requests that `Pager` names.
        """
        check_server(client, self.plan)
        if run_id is not None:
            as_uuid(run_id, "run id")  # before a request is sent
            await verify_identity(self._database, client, self.plan)
        await _maintenance.resolve(self._database, client, self.plan, intent, run_id=run_id)

    async def resolve_duplicate(self, run_id: str, *, client: Client | None) -> None:
        """Record a decision about a second run of a chunk: with a client, cancel it; with None, let it run.

            for duplicate in (await JobObserver("job/").decisions()).duplicates:
                await job.resolve_duplicate(duplicate.run_id, client=client)

        A run that ended or vanished in the meantime is no error. The decision stays open if the call raises.
        Costs a few requests, and what `Run.cancel` costs; with None no request is sent. Raises JobRefused for
        a client of another server, user or organization, which would find no such run; UsageError for a
        `client` that is none; JobStateError for a run that is no second run of a chunk; JobDatabaseError if
        the database can't be read or written; and the errors of requests that `Pager` names.
        """
        if client is not None:
            await verify_identity(self._database, client, self.plan)
        await _maintenance.resolve_duplicate(self._database, client, run_id)

    async def verify(self) -> list[Path]:
        """Read all output files again, and return the paths of those that are missing or changed.

            for path in await job.verify():
                print(path, "is downloaded again by the next run")

        A file has changed if its size or recorded CRC32C differs; one that can't be read counts as missing.
        The items of these files are no longer done, and `run` downloads the files again. The list is empty if
        every file is whole. Reads every output file once, in threads, and sends no request. Raises
        JobDatabaseError if the database can't be read or written.
        """
        return await _maintenance.verify(self._database, results_folder(self.plan, self._directory))

    async def cancel(self, client: Client) -> int:
        """Quarantine unsent items, cancel the known runs of the job, and return how many runs were cancelled.

            cancelled = await job.cancel(client)

        Results are kept. A chunk that may or may not have a run, and a second run of a chunk, wait for a
        person's decision: see `resolve` and `resolve_duplicate`. `retry` lets the quarantined items continue.
        From another process use `JobObserver.request_cancel`.

        Costs a few requests, and one or two per run that is not final. If one run can't be cancelled, the
        others are cancelled nevertheless, and the first error is raised at the end; the call can be repeated.
        Raises JobRefused for another server, user or organization, and then nothing was changed;
        JobDatabaseError if the database can't be read or written; JobError if the folder can't be written;
        UsageError during `run`; and the errors of requests that `Pager` names.
        """
        self._check_idle()
        await verify_identity(self._database, client, self.plan)
        return await self._cancel(client)

    async def _cancel(self, client: Client) -> int:
        cancelled = await _maintenance.cancel(self._database, client)
        await to_thread.run_sync(self._directory.forget, self._directory.cancel)
        return cancelled

    async def clean(
        self, client: Client, *, store: Store | StoreAddress | str | None = None, dry_run: bool = False
    ) -> int:
        """Delete the uploaded slides of items that are done from the store, and return how many.

            deleted = await job.clean(client)

        `store` replaces the plan's own; None, the default, uses that. Each deletion is recorded, so after an
        error or a cancellation a later call deletes the rest. Costs a request per slide, and one or two to
        the API for a store of the platform. With `dry_run=True` (False by default) nothing is deleted, and
        the number is that of the slides that would be.

        Raises JobRefused for a client of another server, ConfigurationError for a store that can't be opened
        or can't delete, and what a store of your own raises; TransferError if a request to the store fails;
        UsageError for a `client` that is none, or is not open if there is something to delete;
        JobDatabaseError if the database can't be read or written; and for a store of the platform
        NotInContract under contract 1.0, and the errors of requests that `Pager` names.
        """
        check_server(client, self.plan)
        opened = open_store(client, self.plan, store)
        return await _maintenance.clean(self._database, opened, dry_run=dry_run)

    def _check_idle(self) -> None:
        if self._is_at_work:
            raise UsageError("`run` is running on this job; wait until it returns")
