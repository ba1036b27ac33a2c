"""Jobs of increasing size through all stages, with a platform and a store that cost nothing.

This measures the job itself: its database, its stages, and the signals between them. The cost of an item
must not grow with the number of items. The slides are one small file under many references, the store
discards uploads, downloads complete at once, and the platform answers at once. No run ends before the last
one was created, so all runs are in progress together, as if the platform were the bottleneck. Each size is
measured in a process of its own, so memory figures do not mix.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

from attrs import define, field

from aignostics_async import Client, InputArtifact, Item
from aignostics_async._core._crc32c import read_checksum
from aignostics_async.bulk import JobPlan, ReconciliationTimeouts, _create
from aignostics_async.bulk.database import _commands, _job_commands, _queries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._job_folder import HighWaterMarkFile
from aignostics_async.bulk.database._journal import Journal
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._states import AttemptOutcome, ItemState
from aignostics_async.bulk.engines import _tasks
from aignostics_async.bulk.engines._local import LocalEngine
from aignostics_async.bulk.preflight._requirements import Requirements
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.bulk.reconciliation._duplicates import Reconciler
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._protocol import AttemptResult
from aignostics_async.bulk.reconciliation._quiescence import Moment
from aignostics_async.bulk.reconciliation._submitter import Submitter
from aignostics_async.bulk.stages import _monitoring
from aignostics_async.bulk.stages._context import JobContext
from aignostics_async.bulk.stages._pipeline import run_pipeline
from aignostics_async.bulk.stages._submitting import Signing
from aignostics_async.contracts._protocol import ContractFacts
from aignostics_async.downloads._artifact import DownloadRequest
from aignostics_async.downloads._outcomes import FileOutcome, FileStatus
from aignostics_async.models import ItemStatus
from aignostics_async.slides import SlideInfo
from aignostics_async.slides._fingerprints import measure
from aignostics_async.slides.workers._probed_slide import ProbedSlide
from aignostics_async.storage import Stored
from aignostics_async.submission._billing_index import BillingIndex
from benchmarks.figures import Results, parser_of, recording

NAME = "bulk_pipeline"
SIZES = (3_000, 10_000, 30_000, 100_000)
VERSION = "he-tme:v1.0.0"
PRODUCERS = 16
TRANSFERS = 16
OUTPUTS = ("tissue_qc", "readout")


class Shelf:
    """A store that discards everything."""

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Report the file as stored."""
        checksum = read_checksum(source)
        return Stored(f"shelf://{key}", checksum.length, checksum.wire, "etag", verified=True)

    async def stat(self, key: str) -> Stored | None:
        """Report the object as missing."""
        return None

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that is never requested."""
        return uri.replace("shelf", "https")

    async def credentials_expire_at(self) -> datetime | None:
        """Return None: they never expire."""
        return None


@define
class Runs:
    """A platform that finishes all runs once the last one was created."""

    expected: int
    all_there: asyncio.Event = field(factory=asyncio.Event)
    items: dict[str, list[str]] = field(factory=dict)
    seen: list[ObservedRun] = field(factory=list)
    has_marks: bool = False

    async def moment(self, *, fresh: bool = False) -> Moment:
        """Return the time."""
        return Moment(time.monotonic(), time.time())

    async def create(self, items: Sequence[Item], _mark: object = None) -> AttemptResult:
        """Create a run."""
        run_id = f"run-{len(self.seen)}"
        self.items[run_id] = [item.reference for item in items]
        self.expected -= len(items)
        if not self.expected:
            self.all_there.set()
        self.seen.insert(0, ObservedRun(run_id, time.time(), "COMPLETED", VERSION))
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run_id)

    async def runs(self, since: float) -> list[ObservedRun]:
        """Return all runs."""
        return list(takewhile(lambda run: run.triggered_at >= since, self.seen))

    async def references(self, run_id: str) -> frozenset[str] | None:
        """Return the references of a run."""
        return frozenset(self.items[run_id])


@define
class Handle:
    """A run that has finished."""

    platform: Runs
    run_id: str

    async def results(self, *, item_ids: Sequence[str] = ()) -> AsyncIterator[Any]:
        """Yield some items, or all."""
        for reference in item_ids or self.platform.items[self.run_id]:
            yield _result(reference)


async def watch(platform: Runs, _client: object, run_id: str) -> AsyncIterator[Any]:
    """Yield every item of a run, and its end."""
    await platform.all_there.wait()
    for reference in platform.items[run_id]:
        yield SimpleNamespace(item=_result(reference))
    yield SimpleNamespace(item=None, items_incomplete=False, details=SimpleNamespace(status="COMPLETED"))


def _result(reference: str) -> Any:
    outputs = [
        SimpleNamespace(artifact_id=f"{reference}/{name}", name=name, mime_type="text/csv")
        for name in OUTPUTS
    ]
    return _Result(reference, ItemStatus.SUCCEEDED, outputs)


@define
class _Result:
    reference: str
    status: ItemStatus
    output_artifacts: list[Any]
    error: str | None = None
    error_code: str | None = None

    @property
    def item_id(self) -> str:
        return self.reference


async def bring(run: object, wanted: DownloadRequest, **_rest: object) -> FileOutcome:
    """Report a file as downloaded."""
    return FileOutcome(
        wanted.item.reference, wanted.artifact.name, wanted.path, FileStatus.VERIFIED, 1000, "AAAAAA=="
    )


class Taking:
    """Requirements of a version that accepts every slide."""

    def as_artifact(self, entry: SlideEntry, info: SlideInfo, *, url: str, checksum: str) -> InputArtifact:
        """Return a slide as an input artifact."""
        # With a case of its own each is another analysis; else all would be looked up as billed before.
        metadata = {"checksum_base64_crc32c": checksum, "case": entry.reference}
        return InputArtifact("slide", url, metadata)


async def make(database: Database, count: int, slide: Path, *, chunk_size: int = 100) -> None:
    """Add items to a job as `create_job` does."""
    plan = JobPlan(
        api_root="http://127.0.0.1:9", application_version=VERSION, store="s3://bucket", chunk_size=chunk_size
    )
    await database.write(_job_commands.create_job("job", plan.to_json(), time.time()))
    keep = _create._keeper(database, "job")
    size, fingerprint = measure([slide])
    info = SlideInfo(
        width=80_000, height=60_000, mpp_x=0.25, mpp_y=0.25, mime_type="image/tiff",
        files=(slide,), associated_images=("label", "macro"),
    )  # fmt: skip
    probed, numbers = ProbedSlide(info, size, fingerprint), iter(range(count))

    async def keep_some() -> None:
        for number in numbers:
            await keep(SlideEntry(path=str(slide), reference=f"2026/case-{number:06}"), probed, [])

    async with asyncio.TaskGroup() as group:
        for _ in range(PRODUCERS):
            group.create_task(keep_some())
    await database.write(_commands.renumber())


async def run(results: Results, count: int, folder: Path) -> None:
    """Create a job, run it, and print a line."""
    slide = folder / "slide.tiff"
    slide.write_bytes(b"a slide")
    database = Database(folder / "job.sqlite3").open()
    begun = time.monotonic()
    await make(database, count, slide)
    made = time.monotonic() - begun
    reads = _counted(database)
    begun, cpu, commits = time.monotonic(), time.process_time(), database._writer.commits
    await pipeline(database, folder, count)
    taken, used = time.monotonic() - begun, time.process_time() - cpu
    states = await database.read(_queries.counts())
    if states != {ItemState.DONE: count}:
        sys.exit(f"not all are done: {states}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:>9,} {made:>8.1f} {taken:>8.1f} {count / taken:>9,.0f} {used / count * 1e6:>9,.0f} "
        f"{sum(reads) / count:>8.1f} {(database._writer.commits - commits) / count:>8.2f} {memory:>8.0f}"
    )
    results.begin(f"{count:,} items")
    results.add("reads of an item", sum(reads) / count)
    results.add("commits of an item", (database._writer.commits - commits) / count)
    results.add("CPU of an item", used / count * 1e6, "us")
    results.add("items a second", count / taken, "1/s")
    results.add("peak memory", memory, "MB")
    database.close()


def _counted(database: Database) -> list[int]:
    """Count the reads of a database."""
    counted, read = [0], database.read

    async def count(query: Any) -> Any:
        counted[0] += 1
        return await read(query)

    cast("Any", database).read = count
    return counted


async def pipeline(database: Database, folder: Path, count: int) -> None:
    """Run all items of a job to their end."""
    platform = Runs(count)
    job = await database.read(_queries.job())
    settings = SimpleNamespace(limits=SimpleNamespace(transfers=TRANSFERS), url_lifetime=7 * 86400.0)
    bridge = SimpleNamespace(facts=ContractFacts(line="1.0"))
    client = cast(
        "Client",
        SimpleNamespace(
            settings=settings,
            _session=SimpleNamespace(engine=None, checksums=None, bridge=bridge),
            run=lambda run_id: Handle(platform, run_id),
        ),
    )
    context = JobContext(
        job_id=job.id,
        plan=JobPlan.from_json(job.plan),
        results=folder / "results",
        folders=await database.read(_queries.folder_names()),
        database=database,
        client=client,
        store=Shelf(),
        journal=Journal(folder / "events.jsonl"),
        progress=lambda _event: None,
        billing_index=BillingIndex(folder / "billing"),
    )
    context.requirements = cast("Requirements", Taking())
    submitter = Submitter(
        database=database,
        platform=cast("PlatformClient", platform),
        high_water_mark=HighWaterMarkFile("job", folder / "state"),
        generation=1,
        version=VERSION,
        since=0.0,
        job="job",
        timeouts=ReconciliationTimeouts(),
        prepare=Signing(context),
        sleep=context.sleep,
        is_draining=lambda: context.is_draining,
    )
    reconciler = Reconciler(
        database=database,
        platform=cast("PlatformClient", platform),
        client=client,
        version=VERSION,
        tag="",
        since=0.0,
        replica_lag=30.0,
    )
    with (
        closing(context.journal),
        mock.patch.object(_tasks, "download_artifact", bring),
        mock.patch.object(_monitoring, "watch_new_run", partial(watch, platform)),
    ):
        async with LocalEngine().open(context.engine_setup(None)) as engine:
            await run_pipeline(context, engine=engine, submitter=submitter, reconciler=reconciler)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--items", type=int, nargs="*", default=SIZES, help="the sizes of the jobs")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        with recording(NAME, arguments.json) as results, tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(results, arguments.one, Path(folder)))
        return
    print("Through all stages; the platform, the store and the files cost nothing")
    print(
        f"{'items':>9} {'make s':>8} {'run s':>8} {'items/s':>9} {'CPU µs':>9} {'reads':>8} {'commits':>8} "
        f"{'peak MB':>8}   (CPU, reads and commits of one item)"
    )
    with recording(NAME, arguments.json) as results, tempfile.TemporaryDirectory() as folder:
        for count in arguments.items:
            kept = Path(folder, f"{count}.json")
            one = ("--one", str(count), "--json", str(kept))
            subprocess.run([sys.executable, "-m", "benchmarks.bulk_pipeline", *one], check=True)
            results.figures |= Results.load(kept).figures


if __name__ == "__main__":
    main()
