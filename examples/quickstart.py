"""Slides in, verified results out: the whole job through the public API.

    python examples/quickstart.py SLIDES RESULTS --store URL [--application-version ID] [--metadata KEY=VALUE]

Metadata are what the version's schema requires and no file tells, such as specimen.disease=LUNG_CANCER; the
option may be repeated. The environment says which platform to use and as whom, as `Client.from_env` reads it.
Needs the extras `slides` and `cli`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from attrs import evolve
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
    Slide,
    SlideError,
    find_slides,
    read_metadata,
    read_slides,
    visible,
)


async def main(arguments: argparse.Namespace) -> int:
    slides: list[Slide] = []
    refused: dict[str, SlideError] = {}
    found = find_slides(arguments.slides)
    for slide, outcome in zip(found, await read_slides(found), strict=True):
        if isinstance(outcome, SlideError):  # submit would refuse the whole run; here the others continue
            refused[reference_of(slide, arguments)] = outcome
        else:
            slides.append(slide)

    if not slides:
        print("there is no slide to submit", *(visible(str(each)) for each in refused.values()), sep="\n")
        return 1
    arguments.results.mkdir(parents=True, exist_ok=True)
    async with Client.from_env(settings=Settings(poll_interval=arguments.poll_interval)) as client:
        version = await client.applications.version(arguments.application_version)
        facts = read_metadata(version, dict(arguments.metadata))
        items = [
            Item(reference_of(slide, arguments), slide=evolve(slide, metadata=facts)) for slide in slides
        ]
        with ProgressBars() as bars:
            run = await client.runs.submit(version, items, store=arguments.store, progress=bars)
            report = await run.download(arguments.results, progress=bars)

    (arguments.results / "report.json").write_text(report.to_json(), encoding="utf-8")
    show(report, refused)
    return 1 if report.failures() else 0


def reference_of(slide: Slide, arguments: argparse.Namespace) -> str:
    return slide.path.relative_to(arguments.slides).as_posix()


def key_value(text: str) -> list[str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"it takes KEY=VALUE, not {text!r}")
    return [key, value]


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
    parser.add_argument("--metadata", action="append", type=key_value, default=[], metavar="KEY=VALUE")
    parser.add_argument("--poll-interval", type=float, default=30.0)
    try:
        sys.exit(asyncio.run(main(parser.parse_args())))
    except AignosticsError as error:
        sys.exit(f"error: {visible(str(error))}")
