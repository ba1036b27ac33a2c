"""`bulk plan`: what a job would do and cost, and everything that would fail, before anything is sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ... import Client, read_api_root
from ...bulk import Finding, FindingGroup, JobPlan, PreflightReport, Sources, group_findings, run_preflight
from .._options import Json, client
from .._output import (
    Renderable,
    count,
    grid,
    human_moment,
    human_money,
    human_size,
    indented,
    print_document,
    show,
    text,
)
from .._progress import preflight_progress
from ._engine_options import EngineOptions
from ._job_options import JobOptions

_MAX_SHOWN = 5  # slides of one finding; --json has all


async def plan(
    application_version: str,
    /,
    *places: str,
    options: JobOptions,
    engine: EngineOptions | None = None,
    as_json: Json = False,
) -> int:
    """Show what a job would do and cost, and everything that would fail.

    Uploads no slide and creates no run. Ends with 6 if something would fail.

    Example: `aignostics-async bulk plan he-tme:v1.0.0 slides/ --store s3://bucket/prefix`

    Parameters
    ----------
    application_version
        The application version, such as he-tme:v1.0.0; see 'applications'.
    places
        Folders, slide files, and patterns such as 'slides/**/*.svs'.
    """
    job, sources = options.plan(read_api_root(os.environ), application_version), options.sources(places)
    return await preflight(job, sources, client(), endpoint=options.endpoint, engine=engine, as_json=as_json)


async def preflight(
    job: JobPlan,
    sources: Sources,
    session: Client,
    *,
    endpoint: str | None,
    engine: EngineOptions | None = None,
    results: Path | None = None,
    as_json: bool,
) -> int:
    """Run the preflight, show its report, and return the exit status."""
    engine = engine or EngineOptions()
    stages = engine.open(endpoint)
    async with session:
        store = engine.store(session, job.store, endpoint)
        with preflight_progress() as progress:
            report = await run_preflight(
                job, sources, session, store=store, results=results, progress=progress, engine=stages
            )
    if as_json:
        print_document(report.to_json())
    else:
        show(*report_text(report))
    return report.exit_status


def report_text(report: PreflightReport) -> list[Renderable]:
    """Return a preflight's report, for `show`."""
    faulty = len({fault.slide for fault in report.faults if fault.slide is not None})
    headline = text("nothing is known that would fail", "bold green")
    if not report.is_clear:
        words = count(len(report.faults), "fault") + f", {count(faulty, 'slide')} with one"
        headline = text(words, "bold red")
    parts: list[Renderable] = [_figures(report), text(""), headline, _findings(report.faults, "red")]
    if report.warnings:
        parts += [text(count(len(report.warnings), "warning"), "bold yellow")]
        parts += [_findings(report.warnings, "yellow")]
    return parts


def _figures(report: PreflightReport) -> Renderable:
    plan, disk = report.plan, report.disk
    limit = f", {report.beyond_limit:,} beyond the limit" if report.beyond_limit else ""
    allowed = "" if plan.max_items is None else f" of {plan.max_items:,} allowed"
    free = "an unknown space" if disk.free is None else human_size(disk.free)
    expected = "unknown" if disk.expected is None else f"about {human_size(disk.expected)}"
    billed = f"{count(report.ready, 'item')}{allowed} in {count(report.runs, 'run')}"
    rows = {
        "application": f"{plan.application_version} at {plan.api_root}",
        "slides": f"{report.found:,} found, {report.ready:,} ready, {human_size(report.bytes)}{limit}",
        "to be billed": billed + _cost(report),
        "store": f"{plan.store}: {_store_probe(report)}",
        "results": f"{expected} ({disk.basis}); {free} free in {disk.folder}",
        "run before": _earlier_runs(report),
        "read by": report.engine,
    }
    if report.left_out:
        rows["left out"] = _left_out(report)
    return grid((text(label), text(value)) for label, value in rows.items())


def _left_out(report: PreflightReport) -> str:
    """Return what was seen and is not sent, the most frequent reason first."""
    reasons = Counter(f"{each.reason}{': ' if each.detail else ''}{each.detail}" for each in report.left_out)
    told = [f"{number:,} {reason}" for reason, number in reasons.most_common(_MAX_SHOWN)]
    more = "; and other reasons" if len(reasons) > _MAX_SHOWN else ""
    return f"{count(len(report.left_out), 'path')} ({'; '.join(told)}{more}); --json names them"


def _cost(report: PreflightReport) -> str:
    if report.cost is None:
        return ""
    return f", {human_money(report.cost, report.plan.currency)} at the given price"


def _store_probe(report: PreflightReport) -> str:
    probe = report.store
    end = probe.credentials_end
    expiry = "" if end is None else f"; its credentials end {human_moment(end)}"
    left = "" if probe.left is None else f"; {probe.left} stays there"
    return f"{', '.join(probe.steps) or 'nothing'} worked, in {probe.seconds:.1f} s{left}{expiry}"


def _earlier_runs(report: PreflightReport) -> str:
    earlier = report.earlier
    if earlier is None:
        return "unknown"
    return f"{count(len(earlier.again), 'slide')} of these, by {count(earlier.runs, 'earlier run')}"


def _findings(findings: Sequence[Finding], style: str) -> Renderable:
    rows = []
    for group in group_findings(findings):
        rows.append((text(group.kind.value, style), text(group.problem)))
        if group.remedy:
            rows.append((text(""), text(group.remedy, "italic")))
        if group.slides:
            rows.append((text(""), text(_slides(group), "dim")))
    return indented(grid(rows))


def _slides(group: FindingGroup) -> list[str]:
    more = len(group.slides) - _MAX_SHOWN
    shown = list(group.slides[:_MAX_SHOWN])
    return [*shown, f"and {count(more, 'more slide')}"] if more > 0 else shown
