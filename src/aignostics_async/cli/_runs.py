"""`runs`: list, follow and cancel runs, and download their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import App, Parameter

from .. import Client, Conflict, DownloadReport, ItemResult, Run, RunDetails, RunStatus, write_table
from ..errors import UsageError
from ._applications import find_version, list_versions
from ._confirm import Yes, confirm
from ._options import (
    Bwlimit,
    Json,
    PollInterval,
    RunId,
    SelectedMetadata,
    TablePath,
    as_time,
    client,
    run_metadata,
)
from ._output import (
    count,
    err,
    human_moment,
    jsonable,
    note,
    out,
    print_document,
    print_json,
    print_json_line,
    print_table,
    with_code,
)
from ._progress import transfer_progress
from ._rehearsal import DryRun, cancellation_of_run, rehearsed

app = App(
    name="runs",
    help="List, follow and cancel runs, and download their results.\n\n"
    "Example: `aignostics-async runs list --limit 5`",
)

SOME_FAILED = 3
_UNSUCCESSFUL = (RunStatus.CANCELED_USER, RunStatus.CANCELED_SYSTEM, RunStatus.REJECTED)


@app.command(name="list")
async def list_runs(
    *,
    application: str | None = None,
    version: str | None = None,
    reference: str | None = None,
    metadata: SelectedMetadata = (),
    organization: str | None = None,
    limit: int = 20,
    as_json: Json = False,
) -> None:
    """List your runs, the newest first.

    Ends with 7 if there is no such application or version.

    Example: `aignostics-async runs list --application he-tme --limit 5`

    Parameters
    ----------
    application
        List only runs of this application.
    version
        List only runs of this application version, such as he-tme:v1.0.0.
    reference
        List only runs with an item of this reference. Needs contract 1.8.
    organization
        List all runs of this organization, not only yours; for administrators only.
    limit
        The maximum number of runs.
    """
    if limit < 1:
        raise UsageError(f"--limit must be 1 or more, not {limit}")
    runs: list[RunDetails] = []
    async with client() as session:
        listing = session.runs.list(
            application_id=application,
            application_version=version,
            reference=reference,
            metadata=run_metadata(metadata),
            organization=organization,
        )
        async for run in listing:
            runs.append(run)
            if len(runs) == limit:
                break
        if not runs:
            await _check_filters(session, application, version)
    if as_json:
        print_json([jsonable(run) for run in runs])
    else:
        print_table(("run", "version", "status", "triggered"), [_row(run) for run in runs], whole="run")


@app.command
async def show(run_id: RunId, /, *, as_json: Json = False) -> None:
    """Show a run and its items.

    Ends with 7 if there is no such run.

    Example: `aignostics-async runs show 6f2c1d0a-...`
    """
    async with client() as session:
        run = session.run(run_id)
        details = await run.details()
        items = [item async for item in run.results()]
    if as_json:
        print_json({**jsonable(details), "items": [jsonable(item) for item in items]})
        return
    out(f"{details.run_id}  {details.application_version_id}  {details.status}")
    for line in _facts(details):
        out(line)
    print_table(
        ("reference", "status", "queue place", "outputs", "error"),
        [
            (
                item.reference,
                item.status,
                item.queue_position_organization,
                _outputs(item),
                with_code(item.error, item.error_code),
            )
            for item in items
        ],
    )


@app.command
async def find(*references: str, version: str | None = None, as_json: Json = False) -> int:
    """Find the runs with exactly these references, for example after an interrupted submission.

    Ends with 3 if there are none, and with 7 if there is no such version.

    Example: `aignostics-async runs find case-7.svs case-8.svs --version he-tme:v1.1.0`

    Parameters
    ----------
    references
        The references of all items of the run. If you know only some, see 'runs list --reference'.
    version
        Search only runs of this application version, which is faster.
    """
    async with client() as session:
        found = await session.runs.find(references=references, application_version=version)
        if not found:
            await _check_filters(session, None, version)
            note("no run has exactly these references; 'runs list --reference' finds runs with one of them")
    if as_json:
        exact, possible = ([jsonable(run) for run in runs] for runs in (found.exact, found.possible))
        print_json({"exact": exact, "possible": possible})
    else:
        rows = [("exact", run) for run in found.exact] + [("possible", run) for run in found.possible]
        print_table(
            ("match", "run", "version", "status", "triggered"),
            [(match, *_row(run)) for match, run in rows],
            whole="run",
        )
    return 0 if found else SOME_FAILED


@app.command
async def watch(run_id: RunId, /, *, poll_interval: PollInterval = 30, as_json: Json = False) -> int:
    """Follow a run until it is final; JSON comes as one line per change.

    Ends with 3 if the run failed or was cancelled.

    Example: `aignostics-async runs watch 6f2c1d0a-...`
    """
    async with client(poll_interval) as session:
        run = session.run(run_id)
        await follow(run, as_json=as_json)
        details = await run.details()
        return SOME_FAILED if details.status in _UNSUCCESSFUL else 0


@app.command
async def cancel(run_id: RunId, /, *, dry_run: DryRun = False, as_json: Json = False) -> int:
    """Cancel a run: its pending items are not processed and cost nothing.

    Cancelling a cancelled run succeeds. Ends with 1 if the run ended otherwise before.

    Example: `aignostics-async runs cancel 6f2c1d0a-... --dry-run`
    """
    async with client() as session:
        run = session.run(run_id)
        if dry_run:
            details = await run.details()
            rehearsed(cancellation_of_run(details), {"run": jsonable(details)}, as_json=as_json)
            return 0
        try:
            await run.cancel()
        except Conflict:
            # The reply to an earlier attempt may be lost, or somebody else was faster.
            if (await run.details()).status != RunStatus.CANCELED_USER:
                raise
        details = await run.details()
    if as_json:
        print_json(jsonable(details))
    else:
        out(f"{details.run_id} is {details.status}")
    return 0


@app.command
async def cancel_matching(
    *,
    application: str | None = None,
    version: str | None = None,
    reference: str | None = None,
    metadata: SelectedMetadata = (),
    since: str | None = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cancel all of your runs that match, after showing them; their pending items cost nothing.

    A run must match every filter that is given, and not be over. Nothing is cancelled without --yes or your
    answer.

    Example: `aignostics-async runs cancel-matching --version he-tme:v1.0.0 --since 2026-11-29T18:00+01:00`

    Parameters
    ----------
    application
        Runs of this application.
    version
        Runs of this application version, such as he-tme:v1.0.0.
    reference
        Runs with an item of this reference.
    since
        Runs that were submitted at this time or later, such as 2026-11-29T18:00+01:00.
    """
    matching: list[str] = []

    def look(runs: Sequence[RunDetails]) -> bool:
        for run in runs:
            err("  ".join(map(str, _row(run))))
        matching.extend(run.run_id for run in runs)
        if dry_run:
            return False
        confirm(f"{count(len(runs), 'run')} will be cancelled", yes=yes)
        return True

    async with client() as session:
        cancelled = await session.runs.cancel_matching(
            look,
            application_id=application,
            application_version=version,
            reference=reference,
            metadata=run_metadata(metadata),
            since=as_time(since),
        )
    if dry_run:
        words = f"{count(len(matching), 'run')} would be cancelled"
        rehearsed(words, {"cancelled": matching}, as_json=as_json)
    elif as_json:
        print_json({"cancelled": list(cancelled)})
    else:
        out(f"{count(len(cancelled), 'run')} cancelled")


@app.command
async def delete_results(
    run_id: RunId, /, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Delete all output artifacts of a run permanently.

    Example: `aignostics-async runs delete-results 6f2c1d0a-... --dry-run`
    """
    if dry_run:
        async with client() as session:
            items = [item async for item in session.run(run_id).results()]
        files = sum(artifact.is_available for item in items for artifact in item.output_artifacts)
        words = f"{count(files, 'output')} of {count(len(items), 'item')} would be deleted permanently"
        rehearsed(words, {"run_id": run_id, "items": len(items), "outputs": files}, as_json=as_json)
        return
    confirm(f"this permanently deletes all results of {run_id}", yes=yes)
    async with client() as session:
        await session.run(run_id).delete_results()
    if as_json:
        print_json({"run_id": run_id, "results_deleted": True})
    else:
        out(f"the results of {run_id} are deleted")


@app.command
async def download(
    run_id: RunId,
    folder: Annotated[Path, Parameter(help="The folder for the files; created if it is missing.")],
    /,
    *,
    wait: Annotated[
        bool,
        Parameter(
            show_default=False,
            help="Wait until the run is final, as by default, or download what exists now.",
        ),
    ] = True,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    table: TablePath = None,
    as_json: Json = False,
) -> int:
    """Download all output artifacts of a run, each item's as soon as it succeeds.

    Files that are complete already are verified, not downloaded again. Ends with 3 if some items or files
    failed.

    Example: `aignostics-async runs download 6f2c1d0a-... results/ --table results.csv`
    """
    if table is not None:
        # A format that there is not is refused now, not after hours of waiting.
        with TemporaryDirectory() as scratch:
            write_table((), Path(scratch, table.name))
    async with client(poll_interval, bwlimit) as session:
        return await download_results(session.run(run_id), folder, wait=wait, table=table, as_json=as_json)


async def follow(run: Run, *, as_json: bool) -> None:
    """Print the status changes of a run until it is final."""
    async for change in run.watch():
        if as_json:
            record = {"reference": change.reference, "old": change.old, "new": change.new}
            print_json_line({"run_id": change.run_id, **record})
        else:
            subject = "run" if change.reference is None else f"item {change.reference}"
            out(f"{subject}: {change.new if change.old is None else f'{change.old} -> {change.new}'}")


async def download_results(
    run: Run, folder: Path, *, wait: bool, table: Path | None = None, as_json: bool
) -> int:
    """Download with progress, print the outcome of each item, and return the exit status."""
    if as_json:
        report = await run.download(folder, wait=wait)
        print_document(report.to_json())
    else:
        with transfer_progress() as progress:
            report = await run.download(folder, wait=wait, progress=progress)
        _print_report(report)
        for failure in report.failures():
            err(f"failed: {failure}")
    if table is not None:
        note(f"{count(write_table(report.files, table), 'file')} in {table}")
    return SOME_FAILED if report.failures() else 0


async def _check_filters(session: Client, application: str | None, version: str | None) -> None:
    """Raise NotFound if no run was found because of a filter that names nothing."""
    if version is not None:
        await find_version(session, version)
    if application is not None:
        await list_versions(session, application)


def _row(run: RunDetails) -> tuple[object, ...]:
    return run.run_id, run.application_version_id, run.status, human_moment(run.triggered_at)


def _outputs(item: ItemResult) -> int | str:
    """Return how many result files an item has, or that they are deleted."""
    kept = sum(artifact.is_available for artifact in item.output_artifacts)
    return "results deleted" if item.output_artifacts and not kept else kept


def _facts(run: RunDetails) -> Iterator[str]:
    """Give what the contract tells of a run beside its status, a line each."""
    if run.statistics is not None:
        counts = run.statistics.by_status()
        told = ", ".join(f"{counts[status]} {status}" for status in counts if counts[status])
        yield f"items: {run.statistics.total} ({told})"
    if run.preceding_items_organization is not None:
        yield f"items before it: {run.preceding_items_organization} of the organization"
    for name in ("due_date", "deadline"):
        if (time := getattr(run, name)) is not None:
            yield f"{name.replace('_', ' ')}: {human_moment(time)}"
    if (error := with_code(run.error, run.error_code)) is not None:
        yield f"error: {error}"


def _print_report(report: DownloadReport) -> None:
    rows = []
    for item in report.items:
        files = report.of(item.reference)
        verified = sum(file.is_verified for file in files)
        folder = files[0].path.parent if files else None
        size = sum(file.size for file in files)
        rows.append((item.reference, item.status, len(files), size, f"{verified}/{len(files)}", folder))
    print_table(("reference", "status", "outputs", "bytes", "verified", "folder"), rows)
