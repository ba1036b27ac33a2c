"""Small real slides through a whole job, and the bottleneck of it.

The platform is the emulator on a fast clock; the slides are copies of one file. For each stage, the start
and the end of its last item are shown; the sum of these spans beside the wall-clock time shows their
overlap. There are two scenes. In the first, only this machine limits: the processor time of the SDK, of the
processes that read slides and of the emulator, which analyses every slide on one core, and the load of the
machine show the bottleneck. In the second, the link is slow, as for slides of gigabytes: its utilization
while there was something to send shows it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
from attrs import define, evolve, frozen

from aignostics_async import Transfers
from aignostics_async._core._clock import Clock
from aignostics_async.bulk import BulkJob, EventType, JobEvent, JobPlan, JobStatus, Sources, create_job
from aignostics_async.emulator import synthetic
from aignostics_async.emulator.process import IMPATIENT, Emulator
from benchmarks.figures import Results, parser_of, recording

SHARED = Path(os.environ.get("AIGNOSTICS_SHARED", Path(__file__).parents[2] / "shared")) / "slides"
RATE = 100.0
VERSION = "he-tme:v1.0.0"


@frozen
class PlatformClock(Clock):
    """A clock at the emulator's rate, so that the job waits by the same clock as the platform."""

    def uptime(self) -> float:
        return super().uptime() * RATE

    def monotonic(self) -> float:
        return super().monotonic() * RATE

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        return super().move_on_after(seconds / RATE)


@frozen
class Scene:
    """A job: the slide, the number of copies, and the chunk size."""

    count: int
    slide: str
    chunk_size: int
    bandwidth: float | None = None
    """Bytes a second of the link, up and down together."""


SCENES = (Scene(500, "small.svs", 100), Scene(60, "tissue_ihc.tiff", 10, 2e6))


@define
class Spent:
    """The cost of some work: seconds, and seconds of CPU."""

    wall: float = 0.0
    own: float = 0.0
    children: float = 0.0
    busy: float = 0.0
    """Of this machine, whoever used it."""

    def __str__(self) -> str:
        cores = os.cpu_count() or 1
        own = f"{self.own:.1f} s of this process ({self.own / self.wall:.0%} of a core)"
        return (
            f"{self.wall:5.1f} s; CPU {own}, {self.children:.1f} "
            f"s of those that read slides; {self.busy / self.wall / cores:.0%} of {cores} cores were busy"
        )


@contextmanager
def spending() -> Iterator[Spent]:
    """Measure the work inside the block."""
    spent = Spent()
    before = (time.perf_counter(), time.process_time(), _children(), _busy())
    yield spent
    after = (time.perf_counter(), time.process_time(), _children(), _busy())
    spent.wall, spent.own, spent.children, spent.busy = (
        end - begin for begin, end in zip(before, after, strict=True)
    )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _busy() -> float:
    """Return the busy seconds of all cores since the machine started."""
    user, nice, system, _idle, _waiting, *interrupts = map(
        int, Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


async def play(results: Results, folder: Path, scene: Scene) -> None:
    slides = folder / "slides"
    slides.mkdir()
    source = SHARED / scene.slide
    if not source.exists():
        print(f"there is no {scene.slide} of the shared data; a synthetic slide instead")
        source = folder / "slide.tiff"
        synthetic.write_slide(source, width=512, height=384)
    for number in range(scene.count):
        shutil.copy(source, slides / f"case-{number:03}{source.suffix}")
    link = "" if scene.bandwidth is None else f"; the link takes {scene.bandwidth / 1e6:.0f} MB/s"
    size = source.stat().st_size / 1000
    results.row(f"{scene.count} slides of {size:,.0f} kB{link}")
    print(f"the platform's clock is {RATE:.0f} times as fast")
    before = _children()
    with Emulator(folder / "emulator", clock_rate=RATE) as emulator:
        spent = await _run(results, folder, emulator, slides, scene)
    platform = _children() - before - spent.children
    print(f"the platform: CPU {platform:.1f} s ({platform / spent.wall:.0%} of a core)")


async def _run(results: Results, folder: Path, emulator: Emulator, slides: Path, scene: Scene) -> Spent:
    """Create the job and run it."""
    events = list[JobEvent]()
    plan = JobPlan(
        api_root=emulator.root,
        application_version=VERSION,
        store=emulator.store_url,
        chunk_size=scene.chunk_size,
    )
    settings = evolve(IMPATIENT, transfers=Transfers(bandwidth=scene.bandwidth))
    async with emulator.client(settings) as client:
        with spending() as ahead:
            report = await create_job(folder / "job", plan, Sources(places=[str(slides)]), client)
        print(f"{'preflight':<10} {ahead}")
        if not report.is_clear:
            raise SystemExit(f"not made: {report.faults[:3]}")
        begun = time.time()
        async with BulkJob(folder / "job", clock=PlatformClock()) as job:
            with spending() as spent:
                summary = await job.run(client, listener=events.append)
        print(f"{'run':<10} {spent}")
    if summary.status is not JobStatus.DONE:
        raise SystemExit(f"the job is {summary.status.name}: {summary.states}")
    _show_stages(results, events, begun, spent.wall)
    if scene.bandwidth is not None:
        up, down = summary.uploads.stored_bytes / 1e6, summary.outputs.bytes / 1e6
        share = (up + down) * 1e6 / spent.wall / scene.bandwidth
        print(f"{up:.0f} MB up, {down:.0f} MB down: {share:.0%} of what the link takes in the whole time")
        results.add("moved / what the link takes", share)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak:.0f} MB")
    results.add("seconds of the job", spent.wall, "s")
    results.add("CPU of this process", spent.own, "s")
    results.add("peak memory of this process", peak, "MB")
    return evolve(spent, children=spent.children + ahead.children)


def _show_stages(results: Results, events: Sequence[JobEvent], begun: float, wall: float) -> None:
    spans = {
        "upload": _span(events, EventType.STARTED, EventType.UPLOADED),
        "submit": _span(events, EventType.UPLOADED, EventType.RUN_CREATED),
        "analysis": _span(events, EventType.RUN_CREATED, EventType.RUN_ENDED),
        "download": _span(events, EventType.ITEM_DONE, EventType.ITEM_DONE),
    }
    print(f"{'':<10} {'from s':>8} {'to s':>8} {'span s':>8}")
    for stage, (first, last) in spans.items():
        print(f"{stage:<10} {first - begun:>8.1f} {last - begun:>8.1f} {last - first:>8.1f}")
    total = sum(last - first for first, last in spans.values())
    print(f"spans together {total:.1f} s, the job {wall:.1f} s: overlap saves {1 - wall / total:.0%}")
    results.add("time of the job / spans of its stages", wall / total)


def _span(events: Sequence[JobEvent], first: EventType, last: EventType) -> tuple[float, float]:
    begins = min(event.at for event in events if event.type is first)
    return begins, max(event.at for event in events if event.type is last)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--scene", type=int, choices=range(1, len(SCENES) + 1), help="one scene only")
    arguments = parser.parse_args()
    chosen = SCENES if arguments.scene is None else (SCENES[arguments.scene - 1],)
    with recording("bulk_slides", arguments.json) as results:
        for scene in chosen:
            with tempfile.TemporaryDirectory() as folder:
                os.environ["XDG_STATE_HOME"] = f"{folder}/state"
                asyncio.run(play(results, Path(folder), scene))


if __name__ == "__main__":
    main()
