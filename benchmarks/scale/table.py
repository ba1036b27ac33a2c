"""The tables of docs/explanation/scale.md."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from .costs import Costs
from .model import Site, most_a_day, predict

SLIDES = (10_000, 100_000, 1_000_000)
WORKERS = (1, 10, 100, 1_000)


def table(site: Site, costs: Costs) -> Iterator[str]:
    """Yield the lines of all tables, as Markdown."""
    yield "| slides | workers | time | first limit | coordinator busy | extrapolated in |"
    yield "|---:|---:|---:|---|---:|---|"
    for slides in SLIDES:
        for workers in WORKERS:
            found = predict(slides, workers, site, costs)
            yield (
                f"| {slides:,} | {workers:,} | {duration(found.seconds)} | {found.first_limit} "
                f"| {found.coordinator_share:.1%} | {', '.join(found.extrapolated)} |"
            )
    yield ""
    yield "| of which there is one | slides a day, at most |"
    yield "|---|---:|"
    for name, most in most_a_day(site, costs).items():
        yield f"| {name} | {most:,.0f} |"
    wide = predict(SLIDES[-1], WORKERS[-1], evolve(site, uplink=float("inf")), costs)
    yield ""
    yield f"With a link of the site that is no limit, {WORKERS[-1]:,} workers take {duration(wide.seconds)}"
    yield f"for {SLIDES[-1]:,} slides, and the first limit is: {wide.first_limit}."
    yield ""
    yield from _costs(costs)


def _costs(costs: Costs) -> Iterator[str]:
    yield "| one slide | preflight | run |"
    yield "|---|---:|---:|"
    told = {
        "CPU of the coordinator, ms": (costs.preflight_coordinator_cpu, costs.coordinator_cpu),
        "CPU of the scheduler, ms": (costs.preflight_scheduler_cpu, costs.scheduler_cpu),
        "CPU of a worker, ms": (costs.preflight_worker_cpu, costs.worker_cpu),
    }
    for name, (before, run) in told.items():
        yield f"| {name} | {before * 1e3:.1f} | {run * 1e3:.1f} |"
    yield f"| CPU of a worker for a GB moved, s | | {costs.worker_cpu_per_byte * 1e9:.1f} |"
    yield f"| requests to the platform | | {costs.api_requests:.1f} |"
    yield f"| requests to the store | | {costs.store_requests:.1f} |"
    yield f"| commits of the database | | {costs.commits:.1f} |"
    yield f"| a commit on this disk, ms | | {costs.commit_seconds * 1e3:.1f} |"
    yield ""
    yield (
        f"Measured with {costs.workers} workers and up to {costs.slides} slides of up to "
        f"{costs.bytes / 1e6:.0f} MB: {costs.machine}."
    )


def duration(seconds: float) -> str:
    """Return a duration with its unit, to two digits."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.0f} s"
