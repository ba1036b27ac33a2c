"""Measure what an item costs: from three small jobs, by what more items and more bytes add."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path

from .costs import Costs
from .jobs import Cluster, Done, cluster, play

WORKERS = 2
FEW, MANY = 10, 60
SMALL, LARGE = 1_000_000, 8_000_000


def measure() -> Costs:
    """Run the jobs, and return the costs; takes a few minutes."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder, "cluster"), WORKERS) as place:
        play(place, 4, SMALL)  # what is done once: imports, connections, processes
        few, many, large = (_told(play(place, *each)) for each in ((FEW, SMALL), (MANY, SMALL), (FEW, LARGE)))
        return _costs(place, few, many, large)


def _told(done: Done) -> Done:
    print(
        f"{done.count} slides of {done.size / 1e6:.0f} MB: {done.run.seconds:.0f} s; {done.run}", flush=True
    )
    return done


def _costs(place: Cluster, few: Done, many: Done, large: Done) -> Costs:
    items = many.count - few.count
    ahead, run = many.preflight.since(few.preflight), many.run.since(few.run)
    per_byte = (large.run.workers - few.run.workers) / (large.sent - few.sent)
    moved = many.sent / many.count
    return Costs(
        preflight_coordinator_cpu=ahead.coordinator / items,
        preflight_scheduler_cpu=ahead.scheduler / items,
        preflight_worker_cpu=ahead.workers / items,
        coordinator_cpu=run.coordinator / items,
        scheduler_cpu=run.scheduler / items,
        worker_cpu=max(0.0, run.workers / items - per_byte * moved),
        worker_cpu_per_byte=per_byte,
        api_requests=run.api / items,
        store_requests=run.store / items,
        commits=run.commits / items,
        commit_seconds=commit_seconds(place.folder),
        slides=many.count,
        workers=len(place.workers),
        bytes=large.size,
        machine=_machine(),
    )


def commit_seconds(folder: Path, commits: int = 100) -> float:
    """Return how long the disk takes to make 32 kB durable."""
    with Path(folder, "log").open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(commits):
            file.seek(0)
            file.write(b"\1" * 32_768)
            os.fdatasync(file.fileno())
        return (time.perf_counter() - begun) / commits


def _machine() -> str:
    load = os.getloadavg()[1]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, load {load:.0f}"
    )
