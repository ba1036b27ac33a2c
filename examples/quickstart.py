"""Slides in, verified results out: the whole job through the public API.

    python examples/quickstart.py SLIDES RESULTS --store URL [--application-version ID]

The environment says which platform to use and as whom, as `Client.from_env` reads it. Needs the extras
`slides` and `cli`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from aignostics_async import (
    AignosticsError,
    Client,
    DownloadReport,
    Item,
    ProgressBars,
    Settings,
    SlideError,
    find_slides,
    read_slide,
    visible,
)


async def main(arguments: argparse.Namespace) -> int:
    items: list[Item] = []
    refused: dict[str, SlideError] = {}
    for slide in find_slides(arguments.slides):
        reference = slide.path.relative_to(arguments.slides).as_posix()
        try:
            await read_slide(slide)
            items.append(Item(reference, slide=slide))
        except SlideError as error:  # submit would refuse the whole run; here the other slides continue
            refused[reference] = error

    if not items:
        print("there is no slide to submit", *(visible(str(each)) for each in refused.values()), sep="\n")
        return 1
    arguments.results.mkdir(parents=True, exist_ok=True)
    async with Client.from_env(settings=Settings(poll_interval=arguments.poll_interval)) as client:
        with ProgressBars() as bars:
            run = await client.runs.submit(
                arguments.application_version, items, store=arguments.store, progress=bars
            )
            report = await run.download(arguments.results, progress=bars)

    (arguments.results / "report.json").write_text(report.to_json(), encoding="utf-8")
    show(report, refused)
    return 1 if report.failures() else 0


def show(report: DownloadReport, refused: dict[str, SlideError]) -> None:
    table = Table(
        *("reference", "status", "outputs", "bytes", "verified", Column("folder", overflow="fold")),
        box=None,
        padding=(0, 1, 0, 0),
    )
    for item in report.items:
        files = report.of(item.reference)
        verified = f"{sum(file.is_verified for file in files)} of {len(files)}"
        size = f"{sum(file.size for file in files):,}"
        folder = str(files[0].path.parent) if files else "-"
        table.add_row(cell(item.reference), item.status, str(len(files)), size, verified, cell(folder))
    for reference in refused:
        table.add_row(cell(reference), "REFUSED", "0", "0", "-", "-")
    Console().print(table)
    for error in (*refused.values(), *report.failures()):
        print(visible(str(error)))


def cell(value: str) -> Text:
    """Return a name as it is, without control characters, and never read as markup."""
    return Text(visible(value))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Slides in, verified results out.")
    parser.add_argument("slides", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--application-version", default="he-tme:v1.1.0")
    parser.add_argument("--poll-interval", type=float, default=30.0)
    try:
        sys.exit(asyncio.run(main(parser.parse_args())))
    except AignosticsError as error:
        sys.exit(f"error: {visible(str(error))}")
