"""Jobs that run against an emulator: small slides, a fast clock, and what the emulator's own books say."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from fast_clock import FastClock
from slide_files import read_slide

from aignostics_async import Client, Slide, checksum_bytes
from aignostics_async.bulk import (
    BulkJob,
    EventType,
    JobEvent,
    JobPlan,
    ReconciliationTimeouts,
    StageEngine,
    Summary,
    _create as making,
)
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._job_folder import HighWaterMark, HighWaterMarkFile, JobFolder
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.slides._fingerprints import measure
from aignostics_async.slides.workers._probed_slide import ProbedSlide
from aignostics_async.storage import Store

RATE = 200.0
TIMEOUTS = ReconciliationTimeouts(quiescence=120, replica_lag=20, ambiguity=60, late_commit=120)
PATIENT = evolve(TIMEOUTS, ambiguity=20_000)
"""For what has to be settled without a person, however busy the machine."""
RUNS = "/api/v1/runs"
VERSION = "he-tme:v1.0.0"
SETTINGS = evolve(IMPATIENT, read_after_write_timeout=0.3)


async def probed(path: Path) -> ProbedSlide:
    """Return what reading a slide gives, read in this process."""
    size, fingerprint = measure([path])
    return ProbedSlide(await read_slide(Slide(path)), size, fingerprint)


@define(kw_only=True)
class JobHarness:
    """One job, its slides, and the emulator that it talks to."""

    emulator: Emulator
    client: Client
    folder: Path
    slide: Path
    """What all of its slides are copies of."""
    events: list[JobEvent] = field(factory=list)

    @property
    def job(self) -> Path:
        """The folder of the job."""
        return self.folder / "job"

    @property
    def database(self) -> Path:
        return self.job / "job.sqlite3"

    def path(self, name: str) -> Path:
        """Return the path of a slide; the names of two tests' slides differ."""
        return self.folder / f"{self.folder.name}-{name}.tiff"

    def reference(self, name: str) -> str:
        return self.path(name).stem

    def opened(self) -> BulkJob:
        """Return the job, whose clock is the emulator's; to be used in `async with`."""
        return BulkJob(self.job, clock=FastClock(RATE))

    def copy(self, *names: str) -> list[Path]:
        """Put slides there."""
        return [Path(shutil.copy(self.slide, self.path(name))) for name in names]

    def plan(self, **told: Any) -> JobPlan:
        """Return the plan of a job that waits for nothing longer than it must."""
        address = {"api_root": self.client.api_root, "store": self.emulator.store_url}
        return JobPlan(**{**address, "application_version": VERSION, "timeouts": TIMEOUTS, **told})

    async def make(self, *names: str, **told: Any) -> None:
        """Make a job of slides whose reading is known: what `create_job` makes, without its preflight."""
        directory = JobFolder(self.job)
        directory.make()
        database = Database(directory.database).open()
        try:
            job_id = await making._begin(database, self.plan(**told), self.client)
            keep = making._keeper(database, job_id)
            for path in self.copy(*names):
                await keep(SlideEntry(path=str(path), reference=path.stem), await probed(path), [])
            HighWaterMarkFile(job_id).write(HighWaterMark(0, 0))
        finally:
            database.close()
        self.emulator.set_faults()

    async def run(
        self,
        on: Callable[[BulkJob, JobEvent], None] = lambda _job, _event: None,
        *,
        store: Store | None = None,
        engine: StageEngine | None = None,
    ) -> Summary:
        """Run the job until it ends; `on` is told every event, and may drain or cancel it."""
        async with self.opened() as job:

            def listen(event: JobEvent) -> None:
                self.events.append(event)
                on(job, event)

            return await job.run(self.client, listener=listen, store=store, engine=engine)

    def told(self, what: EventType) -> list[JobEvent]:
        """Return the events of a kind, of all runs of the job."""
        return [event for event in self.events if event.type is what]

    # What the emulator says

    def puts(self) -> Counter[str]:
        """Return how often a slide was uploaded, by its reference, since the faults were set."""
        sent = (Path(asked["path"]) for asked in self.emulator.requests() if asked["method"] == "PUT")
        return Counter(path.stem for path in sent if path.stem.startswith(self.folder.name))

    def posts(self) -> int:
        """Return how many runs were asked for since the faults were set."""
        return sum(each["operation"] == "create_run" for each in self.emulator.requests())

    def runs(self) -> dict[str, frozenset[str]]:
        """Return the references of the job's runs, by the emulator's ledger of what became of their items."""
        found: dict[str, set[str]] = {}
        for _, run_id, reference, _ in self.emulator.ledger():
            if reference is not None and reference.startswith(self.folder.name):
                found.setdefault(run_id, set()).add(reference)
        return {run_id: frozenset(references) for run_id, references in found.items()}

    def assert_each_has_one_run(self, *names: str) -> None:
        """Check that each slide was analysed once, by the platform's books."""
        counted = Counter(reference for references in self.runs().values() for reference in references)
        assert counted == Counter(map(self.reference, names))

    async def assert_outputs_are_the_platform_s(self, *names: str, results: Path | None = None) -> None:
        """Check the bytes of all outputs against the checksums that the platform gives."""
        found: dict[str, set[str]] = {}
        for run_id in self.runs():
            async for item in self.client.run(run_id).results():
                sums = {artifact.crc32c or "" for artifact in item.output_artifacts}
                found.setdefault(item.reference, set()).update(sums)
        wanted = {reference: sums for reference, sums in found.items() if sums}
        assert set(wanted) == set(map(self.reference, names))
        for reference, sums in wanted.items():
            folder = (results or self.job / "results") / reference
            assert {checksum_bytes(path.read_bytes()).wire for path in folder.iterdir()} == sums

    # What the database says

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the job's database."""
        with sqlite3.connect(self.database) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found

    def write(self, query: str, *values: object) -> None:
        """Change the job's database, as no order does."""
        self.rows(query, *values)

    def states(self) -> dict[str, str]:
        """Return the state of every item, by the name of its slide."""
        rows = self.rows("SELECT reference, state FROM items")
        return {reference.removeprefix(f"{self.folder.name}-"): state for reference, state in rows}


def on_first(
    what: EventType, act: Callable[[BulkJob], object], *, count: int = 1
) -> Callable[[BulkJob, JobEvent], None]:
    """Return a callback that acts once, at the event of a kind that makes `count` of them."""
    seen: list[JobEvent] = []

    def listen(job: BulkJob, event: JobEvent) -> None:
        if event.type is what:
            seen.append(event)
            if len(seen) == count:
                act(job)

    return listen


def without_results(name: str) -> dict[str, Any]:
    """Return the fault under which the platform can't read a slide, so that its item fails."""
    return {"method": "GET", "path": f".*-{name}.tiff", "status": 404}


def all_bytes(folder: Path) -> Sequence[tuple[Path, bytes]]:
    """Return every file of a folder."""
    return [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
