"""Five hundred small real slides through a whole job, and what it waits for.

The slides are copies of one file, the platform is the emulator on a fast clock. For each stage stands
when it began and when its last item was through; the sum of these spans beside the wall clock shows how much
they overlap. CPU is told by process, so that the longest pole can be named: this SDK, the processes that read
slides, or the platform, which opens and analyses each slide on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aignostics_async.bulk import BulkJob, Happening, JobEvent, JobPlan, Sources, Verdict, make_job
from aignostics_async.bulk.once import _submitter
from aignostics_async.emulator import synthetic
from aignostics_async.emulator.process import Emulator

SLIDES, RATE = 500, 100.0
VERSION = "he-tme:v1.0.0"


async def through(folder: Path, count: int, slide: Path | None) -> None:
    slides = folder / "slides"
    slides.mkdir()
    first = slides / f"case-000{'.tiff' if slide is None else slide.suffix}"
    if slide is None:
        synthetic.write_slide(first, width=512, height=384)
    else:
        shutil.copy(slide, first)
    for number in range(1, count):
        shutil.copy(first, slides / f"case-{number:03}{first.suffix}")
    size = first.stat().st_size / 1000
    print(f"{count} slides of {size:,.0f} kB; the platform's clock goes {RATE:.0f} times as fast")
    before = _children()
    with Emulator(folder / "emulator", clock_rate=RATE) as emulator:
        readers = await _run(folder, emulator, slides)
    print(f"the platform on this machine: CPU {_children() - before - readers:.1f} s")


async def _run(folder: Path, emulator: Emulator, slides: Path) -> float:
    """Make the job and run it; return the CPU of the processes that read slides."""
    before, events = _children(), list[JobEvent]()
    plan = JobPlan(api_root=emulator.api_root, application_version=VERSION, store=emulator.store_url)
    async with emulator.client() as client:
        spent = _spending()
        outlook = await make_job(folder / "job", plan, Sources(places=[str(slides)]), client)
        print(f"{'look ahead':<10} {spent()}")
        if not outlook.is_clear:
            raise SystemExit(f"not made: {outlook.faults[:3]}")
        begun, spent = time.time(), _spending()
        async with BulkJob.open(folder / "job") as job:
            summary = await job.run(client, listener=events.append)
        wall = time.time() - begun
        print(f"{'run':<10} {spent()}")
    if summary.verdict is not Verdict.DONE:
        raise SystemExit(f"the job is {summary.verdict.name}: {summary.states}")
    _show_stages(events, begun, wall)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the job's process {peak:.0f} MB")
    return _children() - before


def _spending() -> Callable[[], str]:
    """Return what tells the time and the CPU since now."""
    begun, own, children = time.perf_counter(), time.process_time(), _children()

    def told() -> str:
        wall, ours, theirs = time.perf_counter() - begun, time.process_time() - own, _children() - children
        return (
            f"{wall:6.1f} s; CPU {ours:5.1f} s of this process ({ours / wall:.0%} of a core), "
            f"{theirs:5.1f} s of those that read slides; {os.cpu_count()} cores"
        )

    return told


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _show_stages(events: Sequence[JobEvent], begun: float, wall: float) -> None:
    spans = {
        "upload": _span(events, Happening.STARTED, Happening.UPLOADED),
        "submit": _span(events, Happening.UPLOADED, Happening.RUN_CREATED),
        "analysis": _span(events, Happening.RUN_CREATED, Happening.RUN_ENDED),
        "download": _span(events, Happening.ITEM_DONE, Happening.ITEM_DONE),
    }
    print(f"{'':<10} {'from s':>8} {'to s':>8} {'span s':>8}")
    for stage, (first, last) in spans.items():
        print(f"{stage:<10} {first - begun:>8.1f} {last - begun:>8.1f} {last - first:>8.1f}")
    total = sum(last - first for first, last in spans.values())
    print(f"spans together {total:.1f} s, the job {wall:.1f} s: overlap saves {1 - wall / total:.0%}")


def _span(events: Sequence[JobEvent], first: Happening, last: Happening) -> tuple[float, float]:
    begins = min(event.at for event in events if event.what is first)
    return begins, max(event.at for event in events if event.what is last)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slides", type=int, default=SLIDES)
    parser.add_argument("--slide", type=Path, help="the slide to copy, instead of a synthetic one")
    arguments = parser.parse_args()
    # The waiting between two listings is in seconds of the platform's clock.
    _submitter.SERVER_RATE = RATE
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        asyncio.run(through(Path(folder), arguments.slides, arguments.slide))


if __name__ == "__main__":
    main()
