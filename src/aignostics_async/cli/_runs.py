"""`runs`: looking at runs, following them, and bringing their results home."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from .._run_errors import ending
from ..errors import UsageError
from ._common import Bwlimit, Json, PollInterval, client, plain, print_json, print_line, print_table, progress

if TYPE_CHECKING:
    from ..downloads._outcomes import DownloadReport
    from ..models import RunDetails
    from ..resources._run import Run

app = App(name="runs", help="Look at runs, follow them, bring their results home.")


@app.command(name="list")
async def list_runs(
    *,
    application: str | None = None,
    version: str | None = None,
    limit: int = 20,
    as_json: Json = False,
) -> None:
    """List your runs, the newest first.

    Parameters
    ----------
    application
        Only the runs of this application.
    version
        Only the runs of this version.
    limit
        How many at most.
    """
    runs: list[RunDetails] = []
    async with client() as session:
        async for run in session.runs.list(application_id=application, application_version=version):
            if len(runs) >= limit:
                break
            runs.append(run)
    if as_json:
        print_json([plain(run) for run in runs])
    else:
        print_table(
            ("run", "version", "status", "triggered"),
            [_row(run) for run in runs],
        )


@app.command
async def show(run_id: str, /, *, as_json: Json = False) -> None:
    """Show a run and its items."""
    async with client() as session:
        run = session.run(run_id)
        details = await run.details()
        items = [item async for item in run.results()]
    if as_json:
        print_json({**plain(details), "items": [plain(item) for item in items]})
        return
    print(f"{details.run_id}  {details.application_version_id}  {details.status}")
    print_table(
        ("reference", "status", "outputs", "error"),
        [(item.reference, item.status, len(item.output_artifacts), item.error) for item in items],
    )


@app.command
async def find(*references: str, version: str | None = None, as_json: Json = False) -> int:
    """Find the runs whose items have exactly these references, such as one whose submission was cut short.

    Ends with 3 if there are none.

    Parameters
    ----------
    references
        The references of all items of the run.
    version
        Only runs of this version; faster where there are many.
    """
    async with client() as session:
        found = await session.runs.find(references=references, application_version=version)
    if as_json:
        exact, possible = ([plain(run) for run in runs] for runs in (found.exact, found.possible))
        print_json({"exact": exact, "possible": possible})
    else:
        rows = [("exact", run) for run in found.exact] + [("possible", run) for run in found.possible]
        print_table(
            ("match", "run", "version", "status", "triggered"),
            [(match, *_row(run)) for match, run in rows],
        )
    return 0 if found else 3


@app.command
async def watch(run_id: str, /, *, poll_interval: PollInterval = 30, as_json: Json = False) -> int:
    """Follow a run until it is final; JSON comes as one line per change. Ends with 3 if the run failed."""
    async with client(poll_interval) as session:
        run = session.run(run_id)
        await follow(run, as_json=as_json)
        return 3 if ending(await run.details()) else 0


@app.command
async def cancel(run_id: str, /, *, as_json: Json = False) -> None:
    """Cancel a run: its pending items are not processed and cost nothing."""
    async with client() as session:
        run = session.run(run_id)
        await run.cancel()
        details = await run.details()
    if as_json:
        print_json(plain(details))
    else:
        print(f"{details.run_id} is {details.status}")


@app.command
async def delete_results(run_id: str, /, *, yes: bool = False, as_json: Json = False) -> None:
    """Delete all output artifacts of a run, for good.

    Parameters
    ----------
    yes
        That you mean it.
    """
    if not yes:
        raise UsageError(f"this deletes all results of {run_id}, for good; pass --yes if you mean it")
    async with client() as session:
        await session.run(run_id).delete_results()
    if as_json:
        print_json({"run_id": run_id, "results_deleted": True})
    else:
        print(f"the results of {run_id} are deleted")


@app.command
async def download(
    run_id: str,
    folder: Path,
    /,
    *,
    wait: bool = True,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    as_json: Json = False,
) -> int:
    """Bring all output artifacts of a run to a folder, each item's as soon as it succeeds.

    Parameters
    ----------
    wait
        Go on until the run is final; otherwise take what there is now.
    """
    async with client(poll_interval, bwlimit) as session:
        return await bring(session.run(run_id), folder, wait=wait, as_json=as_json)


def _row(run: RunDetails) -> tuple[object, ...]:
    return run.run_id, run.application_version_id, run.status, f"{run.triggered_at:%Y-%m-%d %H:%M}"


async def follow(run: Run, *, as_json: bool) -> None:
    """Print the changes of a run until it is final."""
    async for change in run.watch():
        if as_json:
            record = {"reference": change.reference, "old": change.old, "new": change.new}
            print_line({"run_id": change.run_id, **record})
        else:
            what = "run" if change.reference is None else f"item {change.reference}"
            print(f"{what}: {change.old or '-'} -> {change.new}", flush=True)


async def bring(run: Run, folder: Path, *, wait: bool, as_json: bool) -> int:
    """Download and show the progress, print what became of each item, and return the exit status."""
    if as_json:
        report = await run.download(folder, wait=wait)
        print(report.to_json(), end="")
    else:
        with progress() as shown:
            report = await run.download(folder, wait=wait, progress=shown)
        print_report(report)
    failures = report.failures()
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 3 if failures else 0


def print_report(report: DownloadReport) -> None:
    """Print one row per item of a download."""
    rows = []
    for item in report.items:
        files = report.of(item.reference)
        verified = sum(file.is_verified for file in files)
        folder = files[0].path.parent if files else None
        size = sum(file.size for file in files)
        rows.append((item.reference, item.status, len(files), size, f"{verified}/{len(files)}", folder))
    print_table(("reference", "status", "outputs", "bytes", "verified", "folder"), rows)
