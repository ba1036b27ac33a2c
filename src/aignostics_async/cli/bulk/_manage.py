"""Decisions about a job: `bulk pause`, `retry`, `adopt`, `verify`, `cancel` and `clean`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ...bulk import BulkJob, Finding, JobObserver
from ...errors import UsageError
from .._confirm import Yes, confirm
from .._options import Endpoint, Json, client
from .._output import count, err, human_money, note, out, print_json, print_outcome
from .._rehearsal import DryRun, cancellation_of_job, rehearsed

_SOME_ARE_BAD = 3
_HAS_FAULTS = 6


async def pause(directory: Path, /, *, as_json: Json = False) -> None:
    """Let the process that works on a job finish what it began, and stop.

    Example: `aignostics-async bulk pause job/`

    Parameters
    ----------
    directory
        The job's folder.
    """
    observer = JobObserver(directory)
    holder = observer.holder()
    if holder is None:
        raise UsageError(f"no process works on the job in {directory}, so there is nothing to pause")
    observer.request_pause()
    words = (
        f"{holder} begins nothing new, and ends with 75 once what it began is finished. Runs continue on the "
        "platform. 'bulk resume' continues the job."
    )
    print_outcome(words, {"worked_on_by": holder, "pause_requested": True}, as_json=as_json)


async def retry(
    directory: Path,
    /,
    *,
    failed: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    rerun: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    only: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    mpp: float | None = None,
    manifest: Path | None = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Let quarantined slides continue where they stopped; 'bulk resume' then works on them.

    Nothing that was paid for is paid again. With --mpp or --manifest the slides are read and checked as at
    the beginning; those with faults stay as they were, and it ends with 6.

    Example: `aignostics-async bulk retry job/ --mpp 0.25 --only 'lung/**'`

    Parameters
    ----------
    directory
        The job's folder.
    failed
        Also submit slides again that the platform ended without results; they are billed again.
    rerun
        Also submit slides that are held because of an earlier run; they are billed again.
    only
        A reference, or a pattern of them such as 'lung/**'. Without it, all slides.
    mpp
        µm per pixel, for all slides that go on and whose files say none that is plausible.
    manifest
        A corrected CSV file, as for 'bulk plan'. It counts for the slides that its lines name.
    """
    JobObserver(directory)
    async with BulkJob.open(directory) as job:
        billed = await job.count_billable_retries(failed=failed, rerun=rerun, only=only)
        if billed and not dry_run:
            confirm(
                f"{count(billed, 'item')} that had a run will be billed again{_at_cost(job, billed)}", yes=yes
            )
        faults: tuple[Finding, ...] = ()
        unused = 0
        if mpp is None and manifest is None:
            number = await job.retry(failed=failed, rerun=rerun, only=only, dry_run=dry_run)
        else:
            async with client(job=job) as session:
                report = await job.correct(
                    session, mpp=mpp, manifest=manifest, only=only, failed=failed, rerun=rerun,
                    dry_run=dry_run,
                )  # fmt: skip
            number, faults, unused = report.released, report.faults, report.unused
        left = 0 if failed else await job.count_billable_retries(failed=True, only=only)
        cost = _at_cost(job, billed)
    facts = {
        "released": number,
        "billed_again": billed,
        "faults": [str(fault) for fault in faults],
        "unused_lines": unused,
    }
    if dry_run:
        words = f"{count(number, 'slide')} would continue, {billed:,} of them billed again{cost}"
        rehearsed(words, facts, as_json=as_json)
    else:
        will = f"{count(number, 'slide')} will continue with 'bulk resume'"
        print_outcome(will if number else "there is nothing to retry", facts, as_json=as_json)
    for fault in faults:
        err(f"still quarantined: {fault}")
    if unused:
        note(f"lines of the manifest about other slides, or none: {unused:,}")
    if left:
        note(
            f"{count(left, 'slide')} ended without results at the platform; --failed submits them again, and "
            "they are billed again"
        )
    return _HAS_FAULTS if faults else 0


def _at_cost(job: BulkJob, items: int) -> str:
    """Return what items cost, as the end of a sentence, if the job knows a price."""
    if not items or job.plan.price is None:
        return ""
    return f", at {human_money(job.plan.price * items, job.plan.currency)}"


async def adopt(directory: Path, /, *, as_json: Json = False) -> None:
    """Add to a job's database the runs of the job that only the platform has.

    For a database that was restored from a copy; 'bulk resume' adopts runs by itself if it detects that.

    Example: `aignostics-async bulk adopt job/`

    Parameters
    ----------
    directory
        The job's folder.
    """
    JobObserver(directory)
    async with BulkJob.open(directory) as job, client(job=job) as session:
        adopted = await job.adopt(session)
    if as_json:
        print_json({"adopted": list(adopted)})
        return
    for run_id in adopted:
        out(run_id)
    note(f"{count(len(adopted), 'run')} adopted")


async def verify(directory: Path, /, *, as_json: Json = False) -> int:
    """Read every result of a job again and compare it with its checksum.

    Prints the names of missing and changed files and ends with 3; 'bulk resume' downloads them again.

    Example: `aignostics-async bulk verify job/`

    Parameters
    ----------
    directory
        The job's folder.
    """
    JobObserver(directory)
    async with BulkJob.open(directory) as job:
        bad = await job.verify()
    if as_json:
        print_json({"changed": [str(path) for path in bad]})
        return _SOME_ARE_BAD if bad else 0
    for path in bad:
        out(str(path))
    if bad:
        err(f"{count(len(bad), 'file')} gone or changed; 'bulk resume' downloads them again")
        return _SOME_ARE_BAD
    note("every result is unchanged")
    return 0


async def cancel(
    directory: Path, /, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Cancel all runs of a job, and create no further ones.

    Items that the platform has not started cost nothing. Downloaded results stay. If a process works on the
    job, that process cancels the runs: it finishes a request under way first, and creates no further run.

    Example: `aignostics-async bulk cancel job/ --dry-run`

    Parameters
    ----------
    directory
        The job's folder.
    """
    observer = JobObserver(directory)
    if dry_run:
        rehearsed(*cancellation_of_job(await observer.summary()), as_json=as_json)
        return
    confirm(
        "all runs of the job will be cancelled, and slides that are not sent will be quarantined", yes=yes
    )
    holder = observer.holder()  # after the answer, which may take long
    if holder is not None:
        observer.request_cancel()
        words = f"{holder} creates no further run and cancels those that exist; 'bulk watch' follows it"
        print_outcome(words, {"worked_on_by": holder, "cancel_requested": True}, as_json=as_json)
        return
    async with BulkJob.open(directory) as job, client(job=job) as session:
        cancelled = await job.cancel(session)
    words = f"{count(cancelled, 'run')} cancelled; 'bulk resume' downloads the results that exist"
    print_outcome(words, {"cancelled": cancelled}, as_json=as_json)


async def clean(
    directory: Path,
    /,
    *,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete uploaded slides from the object store once their results are downloaded.

    Local slides and results stay, and so do uploads of failed slides, for 'bulk retry'.

    Example: `aignostics-async bulk clean job/ --dry-run`

    Parameters
    ----------
    directory
        The job's folder.
    """
    JobObserver(directory)
    async with BulkJob.open(directory) as job, client(job=job) as session:
        if not dry_run:
            confirm(f"the uploaded slides of this job in {job.plan.store} will be deleted", yes=yes)
        store = session.store(job.plan.store, endpoint=endpoint)
        deleted = await job.clean(session, store=store, dry_run=dry_run)
    if dry_run:
        words = f"{count(deleted, 'object')} in {job.plan.store} would be deleted"
        rehearsed(words, {"deleted": deleted}, as_json=as_json)
        return
    print_outcome(f"{count(deleted, 'object')} deleted", {"deleted": deleted}, as_json=as_json)
