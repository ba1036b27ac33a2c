"""Jobs for tests of what reads them: databases that are filled by the commands that fill them in use."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field

from aignostics_async.bulk import JobPlan
from aignostics_async.bulk.database import _commands
from aignostics_async.bulk.database._schema import MIGRATIONS
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState, ItemState

PLAN = JobPlan(
    api_root="https://platform.example.com", application_version="h-e-tme:v1.2.3", store="s3://bucket"
)
BEGUN = 1_795_500_000.0
"""When made-up jobs begin."""
UPLOADED = (ItemState.READY, ItemState.SENDING, ItemState.STORED)


@define
class MadeUpJob:
    """A job's database, open to write."""

    path: Path
    connection: sqlite3.Connection
    numbers: list[int] = field(factory=list)

    def apply(self, work: Any) -> Any:
        """Carry out a command."""
        return work(self.connection.execute)

    def add(self, *references: str, paths: Sequence[str] = ()) -> list[int]:
        """Take items in, and return their numbers."""
        files = paths or [f"/slides/{reference}.svs" for reference in references]
        new = [
            _commands.NewItem(reference=reference, path=path, shuffle_key=0, overrides={})
            for reference, path in zip(references, files, strict=True)
        ]
        first = len(self.numbers) + 1
        assert self.apply(_commands.add_items(new)) == len(new)
        added = list(range(first, first + len(new)))
        self.numbers += added
        return added

    def move(self, numbers: Sequence[int], *states: ItemState, **columns: Any) -> None:
        """Move items through states; the columns are set with the last one."""
        for state in states:
            self.apply(_commands.move_items(numbers, state, **(columns if state == states[-1] else {})))

    def upload(self, numbers: Sequence[int], size: int = 1_000_000) -> None:
        """Bring items into the store."""
        self.move(
            numbers,
            *UPLOADED,
            size=size,
            stored_size=size,
            crc32c="4waSgw==",
            uri="s3://bucket/slides/object",
            is_store_verified=1,
        )

    def submit(self, numbers: Sequence[int], at: float = BEGUN + 600) -> tuple[int, str]:
        """Make uploaded items a chunk with a run, and return its number and the run's id."""
        intent = self.apply(_commands.seal(numbers))
        run_id = str(uuid.UUID(int=intent))
        self.apply(_commands.begin(intent, at))
        self.apply(_commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, run_id))
        self.execute("UPDATE seen SET triggered_at = ? WHERE run_id = ?", at, run_id)
        return intent, run_id

    def doubt(
        self, numbers: Sequence[int], reason: str = "these runs have exactly its references: run-7, run-8"
    ) -> int:
        """Make uploaded items a chunk whose run nobody can tell."""
        intent: int = self.apply(_commands.seal(numbers))
        self.apply(_commands.begin(intent, None))
        self.apply(_commands.conclude(intent, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
        self.apply(_commands.resolve(intent, IntentState.AMBIGUOUS, reason=reason))
        return intent

    def finish(self, numbers: Sequence[int], outputs: int = 2, size: int = 5_000) -> None:
        """Bring home what the platform made of submitted items."""
        self.move(numbers, ItemState.SUCCEEDED, status="SUCCEEDED")
        query = (
            "INSERT INTO outputs (item, artifact_id, name, path, size, status) "
            "VALUES (?, ?, 'areas', 'areas.json', ?, 'VERIFIED')"
        )
        for number in numbers:
            for output in range(outputs):
                self.execute(query, number, f"{number}-{output}", size)
        self.move(numbers, ItemState.DONE)

    def end_run(self, intent: int, at: float, status: str = "COMPLETED") -> None:
        """Let the run of a chunk end."""
        self.execute("UPDATE seen SET status = ?, ended_at = ? WHERE intent = ?", status, at, intent)

    def duplicate(self, intent: int, done: str | None = None) -> str:
        """Let a chunk have a second run."""
        run_id = str(uuid.uuid4())
        query = (
            "INSERT INTO seen (run_id, triggered_at, status, intent, is_duplicate, done) "
            "VALUES (?, ?, 'RUNNING', ?, 1, ?)"
        )
        self.execute(query, run_id, BEGUN + 900, intent, done)
        return run_id

    def execute(self, query: str, *values: object) -> Any:
        """Write or read what no command does."""
        return self.connection.execute(query, values)


def sealed_job(chunks: int = 2, size: int = 3) -> bytes:
    """Return the database of a job whose items are uploaded and in intents, each time the same."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for migration in MIGRATIONS:
            connection.executescript(migration)
        job = MadeUpJob(Path(), connection)
        numbers = job.add(*[f"item-{number}" for number in range(chunks * size)])
        job.move(numbers, *UPLOADED)
        for chunk in range(chunks):
            job.apply(_commands.seal(numbers[chunk * size : (chunk + 1) * size]))
        return connection.serialize()
    finally:
        connection.close()


@contextmanager
def made_up_job(folder: Path, plan: JobPlan = PLAN) -> Iterator[MadeUpJob]:
    """Give a job without items; when the block ends, it is on the disk, and can be opened."""
    path = folder / "job.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = OFF")
    for migration in MIGRATIONS:
        connection.executescript(migration)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO job (id, created_at, plan) VALUES (?, ?, ?)",
        (str(uuid.UUID(int=77)), BEGUN, plan.to_json()),
    )
    try:
        yield MadeUpJob(path, connection)
        connection.execute("COMMIT")
    finally:
        connection.close()


FAULTS = (
    ("the file has no resolution", "give it by hand: a column mpp in the manifest, or --mpp 0.25"),
    ("it can't be read as a slide (Not a JPEG file: starts with 0x00 0x00)", "is it complete?"),
    ("it changed while it was read", "wait until the scanner has written it, then 'bulk retry'"),
)


def write_large_job(folder: Path, count: int, seed: int = 1) -> Path:
    """Write a job of many items in all states, and return its database."""
    random = Random(seed)
    with made_up_job(folder) as job:
        names = [f"S26-{number:06d}-{random.choice('ABCD')}{number % 7 + 1}" for number in range(count)]
        paths = [f"/archive/2026/{number // 1000:03d}/{name}.svs" for number, name in enumerate(names)]
        numbers = job.add(*names, paths=paths)
        for start in range(0, count, 100):
            _fill(job, numbers[start : start + 100], random, is_last=start + 200 >= count)
        _sample(job, count)
    return folder / "job.sqlite3"


def _fill(job: MadeUpJob, numbers: list[int], random: Random, *, is_last: bool) -> None:
    aside = [number for number in numbers if random.random() < 0.004]
    for number in aside:
        fault, remedy = random.choice(FAULTS)
        job.move([number], ItemState.QUARANTINED, fault=fault, remedy=remedy)
    going = [number for number in numbers if number not in aside]
    job.upload(going, size=random.randrange(200_000_000, 3_000_000_000))
    if is_last:
        return
    intent, _ = job.submit(going, at=BEGUN + numbers[0] * 1.5)
    failed = [number for number in going if random.random() < 0.006]
    for number in failed:
        status = random.choice(["ERROR_USER", "ERROR_SYSTEM"])
        job.move([number], ItemState.FAILED, status=status, error="no tissue was found on the slide")
    job.finish([number for number in going if number not in failed])
    job.end_run(intent, BEGUN + numbers[0] * 1.5 + 3600, "COMPLETED_WITH_ERROR" if failed else "COMPLETED")
    job.apply(lambda execute: execute("UPDATE intents SET state = 'CLOSED' WHERE number = ?", (intent,)))


def _sample(job: MadeUpJob, count: int) -> None:
    random = Random(7)
    span = count * 1.5 + 3600
    stages = {"PROBE": (0.0, 0.15, 0), "UPLOAD": (0.01, 0.7, 1_600_000_000), "ANALYSIS": (0.1, 0.95, 0)}
    stages["DOWNLOAD"] = (0.12, 1.0, 45_000_000)
    for stage, (begin, end, size) in stages.items():
        ticks = 400
        for tick in range(ticks):
            at = BEGUN + span * (begin + (end - begin) * tick / ticks)
            if 0.35 < (at - BEGUN) / span < 0.42:
                continue  # a night in which nobody worked
            items = int(count / ticks * (0.6 + 0.8 * random.random()))
            job.execute("INSERT INTO samples VALUES (?, ?, ?, ?)", at, stage, items, items * size)
