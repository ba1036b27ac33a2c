"""`runs download`, and what every download of a run prints."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter

from ... import DownloadReport, Run, write_table
from .._failures import SOME_FAILED
from .._options import (
    Bwlimit,
    Json,
    PollInterval,
    RunId,
    TablePath,
    client,
)
from .._output import (
    count,
    err,
    note,
    print_document,
    print_table,
)
from .._progress import transfer_progress


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
        # A format or folder that can't be is refused now, not after hours of waiting.
        table.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as scratch:
            write_table((), Path(scratch, table.name))
    async with client(poll_interval, bwlimit) as session:
        return await download_results(session.run(run_id), folder, wait=wait, table=table, as_json=as_json)


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


def _print_report(report: DownloadReport) -> None:
    rows = []
    for item in report.items:
        files = report.of(item.reference)
        verified = sum(file.is_verified for file in files)
        folder = files[0].path.parent if files else None
        size = sum(file.size for file in files)
        rows.append((item.reference, item.status, len(files), size, f"{verified}/{len(files)}", folder))
    print_table(("reference", "status", "outputs", "bytes", "verified", "folder"), rows)
