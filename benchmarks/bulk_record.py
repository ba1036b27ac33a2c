"""A hundred thousand items in a job's database, moved from state to state by sixteen producers.

Each producer waits until its transition is on disk, and then makes the next. Items are added as
`create_job` adds them. Meanwhile, `bulk status` runs in a loop. The rate is shown beside the limit of the
disk: consecutive writes with fdatasync of as many bytes as a commit has, each with one transition per
producer.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from aignostics_async.bulk.database import _commands, _run_commands
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._run_commands import ExpectedOutput, OutputFile
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState, ItemState
from aignostics_async.downloads._outcomes import FileStatus
from benchmarks.bulk_pipeline import OUTPUTS, PRODUCERS, make
from benchmarks.figures import Results, Target, parser_of, recording

ITEMS, CHUNK = 100_000, 100
RATE, MEMORY, LATENCY = 20_000, 300, 1.0
_COMMIT = 32 * 1024  # bytes, about what a commit of sixteen transitions writes
Move = Callable[[int], Awaitable[object]]


async def ask_status(folder: Path, expected: int, statuses: list[float]) -> None:
    """Read the job's status in a loop, as a user does; add the seconds that each answer took."""
    command = (sys.executable, "-m", "aignostics_async.cli", "bulk", "status", str(folder), "--json")
    while True:
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        try:
            told, _ = await process.communicate()
        finally:
            if process.returncode is None:  # the job is over, and its folder about to go
                process.kill()
        statuses.append(time.perf_counter() - begun)
        status = json.loads(told)
        if (status["verdict"], sum(status["states"].values())) != ("UNFINISHED", expected):
            sys.exit(f"the status is {told.decode()}")
        await asyncio.sleep(1)


async def measure_all(results: Results, items: int, folder: Path) -> None:
    slide = folder / "slide.tiff"
    slide.write_bytes(b"a slide")
    path = folder / "job.sqlite3"
    database = Database(path).open()
    try:
        settings = await database.write(_settings)
        results.row(f"{items:,} items, {PRODUCERS} producers")
        print(f"journal {settings['journal_mode']}, synchronous FULL")
        if settings["synchronous"] != 2:
            sys.exit(f"synchronous is {settings['synchronous']}, not FULL")
        begun = time.perf_counter()
        await make(database, items, slide)
        taken = time.perf_counter() - begun
        print(f"added one by one as they are read: {items / taken:,.0f}/s, {taken:.1f} s")
        results.add("items added a second", items / taken, "1/s")
        await _move_all(results, database, path, items)
    finally:
        database.close()
    size = path.stat().st_size / 1024**2
    print(f"{size:.0f} MB of database; peak memory {_peak():.0f} MB")
    results.add("peak memory", _peak(), "MB", target=Target(at_most=MEMORY))


def _settings(execute: Any) -> dict[str, Any]:
    return {name: execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}


async def _move_all(results: Results, database: Database, path: Path, items: int) -> None:
    statuses: list[float] = []
    chunks = [range(first, min(first + CHUNK, items + 1)) for first in range(1, items + 1, CHUNK)]
    numbers = range(1, items + 1)
    print(f"{'':<24} {'awaited/s':>10} {'in a commit':>12} {'s':>7}   peak MB at 25, 50, 75, 100 %")
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask_status(path.parent, items, statuses))
        rates = [
            await produce(database, "READY to SENDING", numbers, _to_sending(database)),
            await produce(database, "SENDING to STORED", numbers, _to_stored(database)),
        ]
        await produce(database, "chunks to SUBMITTED", chunks, _to_submitted(database))
        await produce(database, "SUBMITTED to SUCCEEDED", numbers, _to_succeeded(database))
        await produce(database, "SUCCEEDED to DONE", numbers[:-1], _to_done(database))
        asking.cancel()
    rate, allowed = statistics.harmonic_mean(rates), _allowed(path.parent)
    print(
        f"an item moved alone: {rate:,.0f} awaited transitions a second; the disk alone allows {allowed:,.0f}"
    )
    print(
        f"bulk status, {len(statuses)} times meanwhile: {statistics.median(statuses):.2f} s, at most "
        f"{max(statuses):.2f} s, each with the start of its process"
    )
    results.add("awaited transitions / what the disk allows", rate / allowed)
    results.add("awaited transitions", rate, "1/s", target=Target(at_least=RATE))
    results.add("slowest bulk status", max(statuses), "s", target=Target(at_most=LATENCY))


async def produce(
    database: Database,
    what: str,
    things: Sequence[Any],
    move: Callable[[Any], Awaitable[object]],
    each: int = 1,
) -> float:
    """Move items by all producers; print a line, and return the transitions per second."""
    todo, moved, peaks = iter(things), 0, [0.0] * 4
    commits, begun = database._writer.commits, time.perf_counter()

    async def producer() -> None:
        nonlocal moved
        for thing in todo:
            await move(thing)
            moved += 1
            if moved * 4 % len(things) < 4:
                peaks[moved * 4 // len(things) - 1] = _peak()

    async with asyncio.TaskGroup() as group:
        for _ in range(PRODUCERS):
            group.create_task(producer())
    taken = time.perf_counter() - begun
    grouped = moved / (database._writer.commits - commits)
    memory = ", ".join(f"{peak:.0f}" for peak in peaks)
    print(f"{what:<24} {moved / taken:>10,.0f} {grouped:>12.1f} {taken:>7.1f}   {memory}")
    return moved / taken


def _key(number: int) -> str:
    return f"aignostics-async/{'0' * 36}/{number:036}/slide.tiff"


def _to_sending(database: Database) -> Move:
    return lambda number: database.write(
        _commands.move_item(
            number, ItemState.SENDING, key=f"aignostics-async/{'0' * 36}/{number:036}/slide.tiff"
        )
    )


def _to_stored(database: Database) -> Move:
    return lambda number: database.write(
        _commands.move_item(
            number,
            ItemState.STORED,
            uri=f"s3://bucket/{_key(number)}",
            etag="0" * 32,
            crc32c="AAAAAA==",
            stored_size=1_000_000,
            is_store_verified=True,
        )
    )


def _to_submitted(database: Database) -> Callable[[Iterable[int]], Awaitable[object]]:
    async def submit(numbers: Iterable[int]) -> None:
        intent = await database.write(_commands.seal(list(numbers)))
        await database.write(_commands.begin(intent, time.time()))
        command = _commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, f"run-{intent}")
        await database.write(command)

    return submit


def _to_succeeded(database: Database) -> Move:
    async def succeed(number: int) -> None:
        run_id, reference = await database.read(
            lambda execute: execute(
                "SELECT run_id, reference FROM items WHERE number = ?", (number,)
            ).fetchone()
        )
        command = _run_commands.take_result(
            run_id,
            reference,
            item_id=f"item-{number}",
            state=ItemState.SUCCEEDED,
            status="SUCCEEDED",
            error=None,
            outputs=[ExpectedOutput(name, name) for name in OUTPUTS],
        )
        if not await database.write(command):
            sys.exit(f"the result of {reference} was not taken")

    return succeed


def _to_done(database: Database) -> Move:
    files = [
        OutputFile(artifact_id=name, name=name, status=FileStatus.VERIFIED, path=f"results/{name}.csv",
                size=1000, crc32c="AAAAAA==", fault=None)
        for name in OUTPUTS
    ]  # fmt: skip
    return lambda number: database.write(_run_commands.take_files(number, ItemState.DONE, files))


def _allowed(folder: Path) -> float:
    """Return the transitions per second that the disk allows."""
    commits, block = 500, b"\1" * _COMMIT
    with (folder / "log").open("wb", buffering=0) as file:
        file.write(block * 100)
        os.fsync(file.fileno())
        begun = time.perf_counter()
        for number in range(commits):
            file.seek(number % 100 * _COMMIT)
            file.write(block)
            os.fdatasync(file.fileno())
        taken = time.perf_counter() - begun
    return float(commits * PRODUCERS / taken)


def _peak() -> float:
    """Return the peak memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say how much memory a process had")


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    arguments = parser.parse_args()
    with recording("bulk_record", arguments.json) as results, tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure_all(results, arguments.items, Path(folder)))


if __name__ == "__main__":
    main()
