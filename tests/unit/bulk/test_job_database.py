"""The job's database: commands that happen whole or not at all, and states that follow each other."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import JobBusy, JobDatabaseError, JobError, JobRefused, JobStateError
from aignostics_async.bulk.database import _commands, _database
from aignostics_async.bulk.database._database import Database, connect_to_read
from aignostics_async.bulk.database._job_folder import HighWaterMark, HighWaterMarkFile, JobFolder
from aignostics_async.bulk.database._schema import MIGRATIONS
from aignostics_async.bulk.database._states import (
    _INTENTS,
    _ITEMS,
    AttemptOutcome,
    IntentState,
    ItemState,
)
from aignostics_async.bulk.database._writer import Execute, Writer

STORED = (ItemState.READY, ItemState.SENDING, ItemState.STORED)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "job.sqlite3").open()
    yield database
    database.close()


async def one(database: Database, query: str, *values: object) -> Any:
    return await database.read(lambda execute: execute(query, values).fetchone())


async def add(database: Database, *references: str, states: Sequence[ItemState] = ()) -> None:
    items = [_commands.NewItem(reference=each, path=each, shuffle_key=0, overrides={}) for each in references]
    assert await database.write(_commands.add_items(items)) == len(references)
    for state in states:
        await database.write(_commands.move_items(range(1, len(references) + 1), state))


def plainly(query: str, *values: object) -> Callable[[Execute], None]:
    """Return a command that is not one of `_commands`: the tables themselves have to refuse it."""

    def command(execute: Execute) -> None:
        execute(query, values)

    return command


async def test_what_is_written_is_read(database: Database) -> None:
    await add(database, "a", "b")
    assert await one(database, "SELECT count(*), min(state) FROM items") == (2, "FOUND")
    again = [
        _commands.NewItem(reference=name, path="other", shuffle_key=0, overrides={}) for name in ("b", "c")
    ]
    assert await database.write(_commands.add_items(again)) == 1, "b is in the job already"
    assert await one(database, "SELECT path FROM items WHERE reference = 'b'") == ("b",)


async def test_a_commit_is_on_the_disk(database: Database, tmp_path: Path) -> None:
    settings = await database.write(
        lambda execute: [execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
    )
    assert settings == [2, "wal"], "FULL"
    assert stat.S_IMODE((tmp_path / "job.sqlite3").stat().st_mode) == 0o600
    await add(database, "a")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


async def test_where_there_is_no_shared_memory_the_journal_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _database._file_system(Path("/proc/self")) == "proc"
    monkeypatch.setattr(_database, "_file_system", lambda _: "nfs4")
    database = Database(tmp_path / "job.sqlite3").open()
    assert await database.write(lambda execute: execute("PRAGMA journal_mode").fetchone()[0]) == "delete"
    await add(database, "a")
    assert await one(database, "SELECT count(*) FROM items") == (1,)
    database.close()


async def test_many_callers_share_a_commit(database: Database) -> None:
    await add(database, *map(str, range(500)))
    before = database._writer.commits
    moves = (database.write(_commands.move_item(number, ItemState.READY)) for number in range(1, 501))
    await asyncio.gather(*moves)
    assert await one(database, "SELECT count(*) FROM items WHERE state = 'READY'") == (500,)
    assert database._writer.commits - before < 50


async def test_an_order_that_fails_leaves_nothing_and_takes_nobody_with_it(database: Database) -> None:
    await add(database, "a", "b", "c")

    def fails_late(execute: Execute) -> None:
        execute("UPDATE items SET state = 'READY' WHERE number = 2")
        raise ZeroDivisionError

    commands = [
        _commands.move_item(1, ItemState.READY),
        fails_late,
        _commands.move_item(3, ItemState.DONE),
        _commands.move_item(3, ItemState.READY),
    ]
    ended = await asyncio.gather(*(database.write(command) for command in commands), return_exceptions=True)
    assert [type(each) for each in ended] == [type(None), ZeroDivisionError, JobStateError, type(None)]
    states = await database.read(
        lambda execute: execute("SELECT state FROM items ORDER BY number").fetchall()
    )
    assert states == [("READY",), ("FOUND",), ("READY",)]


@pytest.mark.parametrize("raised", [SystemExit, StopIteration])
async def test_whatever_an_order_raises_its_neighbours_are_told(
    database: Database, raised: type[BaseException]
) -> None:
    await add(database, "a")

    def fails(_execute: Execute) -> None:
        raise raised

    writing = [database.write(command) for command in (fails, _commands.move_item(1, ItemState.READY))]
    await writing[1]
    with pytest.raises((SystemExit, RuntimeError)):
        await writing[0]


async def test_nobody_waits_for_a_thread_that_has_ended(tmp_path: Path) -> None:
    class Broken:
        in_transaction = True

        def __init__(self, connection: sqlite3.Connection) -> None:
            self.execute, self.close = connection.execute, connection.close

        def rollback(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    def fails(execute: Execute) -> None:
        raise ZeroDivisionError

    writer = Writer(lambda: Broken(sqlite3.connect(":memory:", isolation_level=None)))  # type: ignore[arg-type, return-value]
    writer.start()
    for command in (fails, fails):
        with pytest.raises(JobDatabaseError, match="disk I/O error"):
            await asyncio.wait_for(writer.write(command), 10)
    closed = Database(tmp_path / "job.sqlite3").open()
    closed.close()
    with pytest.raises(JobDatabaseError, match="open it again"):
        await asyncio.wait_for(closed.write(lambda _: None), 10)


async def test_a_cancelled_caller_s_order_is_carried_out(database: Database) -> None:
    await add(database, "a")
    writing = asyncio.ensure_future(database.write(_commands.move_item(1, ItemState.READY)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.write(lambda _: None)
    assert await one(database, "SELECT state FROM items") == ("READY",)


@pytest.mark.process
async def test_a_full_disk(tmp_path: Path) -> None:
    """A real one, of 320 KiB: whoever wrote is told, and what was there before is whole."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=320k,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small file system")
    try:
        database = Database(folder / "job.sqlite3").open()
        await add(database, "a")
        names = [f"{number:0100d}" for number in range(5000)]
        with pytest.raises(JobDatabaseError, match="nothing of this step was kept"):
            await add(database, *names)
        assert await one(database, "SELECT count(*) FROM items") == (1,)
        database.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# States


async def test_states_follow_each_other(database: Database) -> None:
    await add(database, "a")
    for wrong in (ItemState.STORED, ItemState.DONE, ItemState.SUBMITTED, ItemState.FOUND):
        with pytest.raises(JobStateError, match="can't become"):
            await database.write(_commands.move_item(1, wrong))
    for state in STORED:
        await database.write(_commands.move_item(1, state))
    with pytest.raises(JobStateError):
        await database.write(_commands.move_items([1, 2], ItemState.QUARANTINED))
    assert await one(database, "SELECT state FROM items") == ("STORED",), "all or none"


def test_every_state_can_be_reached_and_left() -> None:
    assert set(_ITEMS) == set(ItemState)
    assert set(_INTENTS) == set(IntentState)
    assert set().union(*_ITEMS.values()) == set(ItemState)
    assert set().union(*_INTENTS.values()) == set(IntentState)
    assert {state for state in ItemState if state.is_final} == {
        ItemState.DONE, ItemState.FAILED, ItemState.QUARANTINED
    }  # fmt: skip


async def test_an_item_is_in_one_intent(database: Database) -> None:
    await add(database, "a", "b", "c", states=STORED)
    intent = await database.write(_commands.seal([1, 2]))
    with pytest.raises(JobStateError):
        await database.write(_commands.seal([2, 3]))
    with pytest.raises(sqlite3.IntegrityError):
        other = await database.write(_commands.seal([3]))
        await database.write(plainly("INSERT INTO members (intent, item) VALUES (?, 2)", other))
    assert await one(database, "SELECT intent FROM items WHERE number = 2") == (intent,)


async def test_a_request_is_written_down_once_at_a_time(database: Database) -> None:
    await add(database, "a", states=STORED)
    intent = await database.write(_commands.seal([1]))
    await database.write(_commands.begin(intent, 7.0))
    with pytest.raises(JobStateError):
        await database.write(_commands.begin(intent, 8.0))
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(plainly("INSERT INTO attempts (intent, sent_at) VALUES (?, 0)", intent))
    await database.write(_commands.conclude(intent, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
    with pytest.raises(JobStateError, match="no request of intent 1 is under way"):
        await database.write(_commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, "run"))
    with pytest.raises(JobStateError):
        await database.write(_commands.begin(intent, 9.0))


async def test_a_run_is_of_one_intent(database: Database) -> None:
    await add(database, "a", "b", states=STORED)
    for number in (1, 2):
        await database.write(_commands.seal([number]))
        await database.write(_commands.begin(number, None))
    await database.write(_commands.conclude(1, AttemptOutcome.CREATED, IntentState.CREATED, "run"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(_commands.conclude(2, AttemptOutcome.CREATED, IntentState.CREATED, "run"))
    assert await one(database, "SELECT state, run_id FROM items WHERE number = 1") == ("SUBMITTED", "run")
    assert await one(database, "SELECT state FROM intents WHERE number = 2") == ("SENDING",)


async def test_a_refused_intent_s_items_go_on_in_smaller_ones(database: Database) -> None:
    await add(database, "a", "b", states=STORED)
    intent = await database.write(_commands.seal([1, 2]))
    await database.write(_commands.begin(intent, None))
    await database.write(
        _commands.conclude(intent, AttemptOutcome.REFUSED, IntentState.DISSOLVED, reason="no")
    )
    rows = await database.read(
        lambda execute: execute("SELECT state, intent, attempts FROM items").fetchall()
    )
    assert rows == [("STORED", None, 1)] * 2
    alone = await database.write(_commands.seal([2]))
    await database.write(_commands.begin(alone, None))
    await database.write(
        _commands.conclude(alone, AttemptOutcome.REFUSED, IntentState.DISSOLVED, reason="no")
    )
    assert await one(database, "SELECT state, fault FROM items WHERE number = 2") == (
        "SET_ASIDE",
        "the platform refused it: no",
    )


# Opening


async def test_a_newer_release_s_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.sqlite3"
    Database(path).open().close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(JobRefused, match="newer release"):
        Database(path).open()


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\0" + b"\0" * 5000])
async def test_a_file_that_is_no_database(
    tmp_path: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "job.sqlite3"
    path.write_bytes(damage)
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(path: Path, **options: Any) -> sqlite3.Connection:
        opened.append(connect(path, check_same_thread=False, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    with pytest.raises(JobDatabaseError):
        Database(path).open()
    assert path.read_bytes() == damage
    (connection,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")


async def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "job.sqlite3"
    database = Database(path).open()
    await add(database, *(f"{number:050d}" for number in range(2000)))
    database.close()
    content = bytearray(path.read_bytes())
    content[30_000:60_000] = os.urandom(30_000)
    path.write_bytes(content)
    with pytest.raises(JobDatabaseError, match=r"damaged|malformed"):
        Database(path).open()


async def test_another_process_may_read_meanwhile(database: Database, tmp_path: Path) -> None:
    await add(database, "a")
    connection = connect_to_read(tmp_path / "job.sqlite3")
    assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM items")
    connection.close()


# The folder


def test_the_folder_is_its_owner_s(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir(mode=0o755)
    directory = JobFolder(tmp_path / "job")
    directory.make()
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="can't be a job's folder"):
        JobFolder(tmp_path / "file").make()


def test_a_folder_with_other_files_stays_open_to_whom_it_was(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "slide.svs").touch()
    JobFolder(shared).make()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


def test_one_process_works_on_a_job(tmp_path: Path) -> None:
    first, second = JobFolder(tmp_path), JobFolder(tmp_path)
    first.acquire()
    with pytest.raises(JobBusy, match=f"process {os.getpid()} of .* works on this job"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_mark_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    high_water_mark = HighWaterMarkFile("job", tmp_path)
    assert high_water_mark.read() is None
    high_water_mark.write(HighWaterMark(3, 7))
    assert high_water_mark.read() == HighWaterMark(3, 7)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(JobError, match="XDG_STATE_HOME"):
            high_water_mark.write(HighWaterMark(4, 8))
    assert high_water_mark.read() == HighWaterMark(3, 7)
    for damage in ("", "{", '{"epoch": 1}', '{"epoch": null, "attempts": 1}'):
        (tmp_path / "job.json").write_text(damage)
        assert high_water_mark.read() is None
