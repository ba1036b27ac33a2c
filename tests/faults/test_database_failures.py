"""Whatever SQLite or the disk below it raises is an error of the job, which says what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from bulk_jobs import made_up_job

from aignostics_async import JobDatabaseError, JobError, UsageError
from aignostics_async.bulk import BulkJob, JobObserver, write_report, write_results_table
from aignostics_async.bulk.database import _database
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._failures import _ADVICE
from aignostics_async.bulk.database._job_folder import JobFolder
from aignostics_async.bulk.database._writer import Execute


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Give the folder of a job that no process works on."""
    folder = tmp_path / "job"
    folder.mkdir()
    with made_up_job(folder) as job:
        job.add("a", "b")
    return folder


@pytest.fixture
async def database(job: Path) -> AsyncIterator[Database]:
    database = Database(job / "job.sqlite3").open()
    yield database
    database.close()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Give what shows a folder in a file system that nobody can write to."""
    folder = tmp_path / "read only"
    folder.mkdir()

    def mount(source: Path) -> Path:
        for command in (["--bind", str(source), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
            if subprocess.run(["mount", *command], check=False, capture_output=True).returncode:
                pytest.skip("this user may not mount a file system that is read only")
        return folder

    yield mount
    subprocess.run(["umount", folder], check=False, capture_output=True)


async def reads(folder: Path) -> None:
    """Read a job in every way that needs no lock."""
    observer = JobObserver(folder)
    await observer.summary()
    await observer.decisions()
    await write_report(folder, folder.parent / "report.csv")


async def enters(folder: Path) -> None:
    async with BulkJob.open(folder):
        pass


@pytest.mark.parametrize("use", [enters, reads, lambda folder: write_results_table(folder, "table.csv")])
async def test_a_folder_that_can_t_be_looked_at_is_the_job_s_error(
    use: Callable[[Path], Awaitable[object]],
) -> None:
    with pytest.raises(JobError, match="File name too long"):
        await use(Path("x" * 300))


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no file of this system can have the name"):
        JobFolder("a\0b").make()


@pytest.mark.parametrize("plan", ["", "[1]", '{"price": "much"}', "[" * 5000])
async def test_a_plan_that_can_t_be_read_is_the_job_s_error(job: Path, plan: str) -> None:
    with closing(sqlite3.connect(job / "job.sqlite3")) as database, database:
        database.execute("UPDATE job SET plan = ?", (plan,))
    with pytest.raises(JobDatabaseError, match="the job's plan can't be read"):
        await JobObserver(job).summary()


async def test_results_are_in_one_place_wherever_the_process_is(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(job.parent)
    async with BulkJob.open(job.name) as opened:
        assert opened.results == job / "results"


@pytest.mark.parametrize("code", sorted(_ADVICE))
async def test_every_kind_of_failure_is_the_job_s(database: Database, code: int) -> None:
    def query(execute: Execute) -> None:
        execute("SELECT 1")
        error = sqlite3.OperationalError("told by SQLite")
        error.sqlite_errorcode = code | 7 << 8  # an extended code of the same kind
        raise error

    for failing in (database.read, database.write):
        with pytest.raises(JobDatabaseError, match="told by SQLite") as caught:
            await failing(query)
        assert _ADVICE[code] in str(caught.value)
    assert await database.read(lambda execute: execute("SELECT count(*) FROM items").fetchone()) == (2,)


async def test_a_database_that_was_closed_says_so(job: Path) -> None:
    database = Database(job / "job.sqlite3").open()
    database.close()
    with pytest.raises(JobDatabaseError, match="open it again"):
        await database.read(lambda execute: execute("SELECT 1").fetchone())
    with pytest.raises(JobDatabaseError, match="open it again"):
        await database.write(lambda _: None)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is a letter, and no database at all\n" * 500)


def cut(path: Path) -> None:
    os.truncate(path, 5000)


def lose_a_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DROP TABLE IF EXISTS items")
    connection.close()


@pytest.mark.parametrize("damage", [overwrite, cut, lose_a_table, empty])
async def test_a_damaged_database(job: Path, damage: Callable[[Path], None]) -> None:
    damage(job / "job.sqlite3")
    with pytest.raises(JobError):
        await reads(job)
    with pytest.raises(JobError):
        async with BulkJob.open(job) as opened:
            await opened.states()
    damage(job / "job.sqlite3")
    with pytest.raises(JobError):  # the lock was released
        async with BulkJob.open(job) as opened:
            await opened.summary()


async def test_a_database_that_another_program_has_locked(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_database, "_BUSY_TIMEOUT", 1)
    browser = sqlite3.connect(job / "job.sqlite3", isolation_level=None)
    browser.execute("PRAGMA journal_mode = DELETE")
    browser.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JobDatabaseError, match="another program has it locked"):
        await reads(job)
    with pytest.raises(JobDatabaseError, match="another program has it locked"):
        async with BulkJob.open(job):
            pass
    browser.close()
    await reads(job)


@pytest.mark.process
async def test_a_job_in_a_folder_that_is_read_only(job: Path, read_only: Callable[[Path], Path]) -> None:
    async with BulkJob.open(job):  # which leaves a database whose log was merged
        pass
    shown = read_only(job)
    await reads(shown)
    with pytest.raises(JobError, match="able to write in its folder"):
        async with BulkJob.open(shown):
            pass


@pytest.mark.process
async def test_a_killed_job_in_a_folder_that_is_read_only(
    job: Path, read_only: Callable[[Path], Path]
) -> None:
    """Its log is read where SQLite can, and where not, that is said."""
    if os.fork() == 0:
        Database(job / "job.sqlite3").open()
        os._exit(0)
    os.wait()
    assert (job / "job.sqlite3-wal").exists()
    await reads(read_only(job))
