"""`bulk plan`: what a job would do and cost, and everything that would fail, before its first byte."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .._core._display_text import count, human_size
from .._environment import read_api_root
from ..bulk.preflight._findings import group_findings
from ..bulk.preflight._preflight import PreflightProgress, run_preflight
from ._bulk_options import JobOptions
from ._bulk_text import print_text
from ._common import Json, client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..bulk._plan import JobPlan
    from ..bulk.preflight._findings import Finding, FindingGroup
    from ..bulk.preflight._report import PreflightReport
    from ..bulk.preflight.sources._sources import Sources

_SHOWN = 5  # slides of one finding; --json has all


async def plan(application_version: str, /, *places: str, options: JobOptions, as_json: Json = False) -> int:
    """Tell what a job would do and cost, and everything that would fail. Sends no slide and asks for no run.

    Ends with 6 if something would fail.

    Parameters
    ----------
    application_version
        What to run, such as h-e-tme:v1.2.3.
    places
        Folders, slide files, and patterns of them such as 'slides/**/*.svs'.
    """
    job, sources = options.plan(read_api_root(os.environ), application_version), options.sources(places)
    return await look(job, sources, as_json=as_json)


async def look(job: JobPlan, sources: Sources, *, results: Path | None = None, as_json: bool) -> int:
    """Look ahead, print what is there, and return the exit status."""
    async with client() as session:
        with looking() as progress:
            outlook = await run_preflight(job, sources, session, results=results, progress=progress)
    if as_json:
        print(outlook.to_json(), end="")
    else:
        print_text(render(outlook), sys.stdout)
    return outlook.exit_status


def render(outlook: PreflightReport) -> Group:
    """Return an outlook as a terminal shows it. Names are shown as they are, never read as markup."""
    faulty = len({fault.slide for fault in outlook.faults if fault.slide is not None})
    verdict = Text("nothing is known that would fail", style="bold green")
    if not outlook.is_clear:
        verdict = Text(
            count(len(outlook.faults), "fault") + f", {count(faulty, 'slide')} with one", style="bold red"
        )
    parts: list[RenderableType] = [_figures(outlook), Text(), verdict, _findings(outlook.faults, "red")]
    if outlook.warnings:
        parts += [Text(count(len(outlook.warnings), "warning"), style="bold yellow")]
        parts += [_findings(outlook.warnings, "yellow")]
    return Group(*parts)


def _figures(outlook: PreflightReport) -> Table:
    table = Table.grid(padding=(0, 2))
    plan = outlook.plan
    table.add_row("application", Text(f"{plan.application_version} at {plan.api_root}"))
    limit = f", {outlook.beyond_limit:,} beyond the limit" if outlook.beyond_limit else ""
    table.add_row(
        "slides", f"{outlook.found:,} found, {outlook.ready:,} ready, {human_size(outlook.bytes)}{limit}"
    )
    most = f" of {plan.max_items:,} allowed" if plan.max_items is not None else ""
    table.add_row("to be billed", f"{count(outlook.ready, 'item')}{most} in {count(outlook.runs, 'run')}")
    table.add_row("store", Text(f"{plan.store}: {_trial(outlook)}"))
    disk = outlook.disk
    free = "an unknown space" if disk.free is None else human_size(disk.free)
    expected = "unknown" if disk.expected is None else f"about {human_size(disk.expected)}"
    table.add_row("results", Text(f"{expected} ({disk.basis}); {free} free in {disk.folder}"))
    table.add_row("run before", _earlier(outlook))
    return table


def _trial(outlook: PreflightReport) -> str:
    trial = outlook.store
    end = (
        ""
        if trial.credentials_end is None
        else f"; its credentials end {trial.credentials_end:%Y-%m-%d %H:%M %Z}"
    )
    left = "" if trial.left is None else f"; {trial.left} stays there"
    return f"{', '.join(trial.steps) or 'nothing'} worked, in {trial.seconds:.1f} s{left}{end}"


def _earlier(outlook: PreflightReport) -> str:
    earlier = outlook.earlier
    if earlier is None:
        return "unknown"
    return f"{count(len(earlier.again), 'slide')} of these, by {count(earlier.runs, 'earlier run')}"


def _findings(findings: Sequence[Finding], style: str) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    for group in group_findings(findings):
        table.add_row(group.kind.value, Text(group.problem))
        if group.remedy:
            table.add_row("", Text(group.remedy, style="italic"))
        if group.slides:
            table.add_row("", Text(_named(group), style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _named(group: FindingGroup) -> str:
    more = len(group.slides) - _SHOWN
    named = "\n".join(group.slides[:_SHOWN])
    return f"{named}\nand {count(more, 'more slide')}" if more > 0 else named


@contextmanager
def looking() -> Iterator[Callable[[PreflightProgress], None] | None]:
    """Give what shows how far a look is; nothing where nobody sees it."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("reading slides"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda looked: bar.update(task, completed=looked.done, total=looked.total)
