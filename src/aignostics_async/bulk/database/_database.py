"""The database of a job: one writer, one reader, and the settings that make a commit durable."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import anyio

from ...errors import JobDatabaseError, JobRefused
from ...transfer._threads import run_to_end
from ._failures import describe, described
from ._schema import MIGRATIONS, VIEWS
from ._writer import CLOSED, Execute, Writer

T = TypeVar("T")

# File systems without the shared memory that a write-ahead log needs.
_REMOTE = frozenset({"9p", "afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "nfs", "nfs4", "smb3", "sshfs"})

_BUSY_TIMEOUT = 10_000  # milliseconds


class Database:
    """The tables of a job. Writes are orders (see `_orders.py`), reads are queries (see `_queries.py`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(lambda: _open_to_write(path))
        self._reading = ThreadPoolExecutor(1, "aignostics job reader")
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Self:
        """Open it, and create or migrate its tables; raises JobDatabaseError and JobRefused."""
        self._writer.start()
        return self

    def close(self) -> None:
        """Carry out the pending commands, and close it, with the write-ahead log merged into it."""
        try:
            self._reading.submit(self._close_reader).result()
            self._reading.shutdown()
        finally:
            self._writer.stop()  # last, since a reader can't merge the log

    def write(self, command: Callable[[Execute], T]) -> asyncio.Future[T]:
        """Carry out a command; the future has its result when that is durable."""
        return self._writer.write(command)

    async def read(self, query: Callable[[Execute], T]) -> T:
        """Return the result of a query, as of the last commit. Raises JobDatabaseError."""
        try:
            reading = asyncio.get_running_loop().run_in_executor(self._reading, self._query, query)
        except RuntimeError:
            raise JobDatabaseError(CLOSED) from None
        return await reading

    # In the reader's thread

    def _query(self, query: Callable[[Execute], T]) -> T:
        with described(self._path, "read"):
            if self._connection is None:
                self._connection = connect_to_read(self._path)
            return query(self._connection.execute)

    def _close_reader(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def open_database(path: Path) -> Database:
    """Open a database, and leave nothing open if the caller is cancelled. Raises what `open` raises."""
    return await run_to_end(Database(path).open, "aignostics job opener", release=Database.close)


async def close_database(database: Database) -> None:
    """Close a database, also while cancelled."""
    with anyio.CancelScope(shield=True):
        await run_to_end(database.close, "aignostics job closer")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Return a read-only connection; another process may write meanwhile. Raises sqlite3.Error."""
    connection = _connect_to_read(path, "mode=ro")
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN or _has_log(path):
            raise
    else:
        return connection
    # SQLite needs a file beside the database to share its log. In a folder that is read only there is none,
    # and no log either, so nothing changes meanwhile.
    return _connect_to_read(path, "immutable=1")


def _connect_to_read(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
    return connection


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def check_whole(path: Path) -> None:
    """Raise JobDatabaseError for a closed database that still needs its log: it can't be moved alone."""
    if _has_log(path):
        raise JobDatabaseError(
            f"{path} can't be made whole; make room in the job's folder, and close other programs that "
            "have it open"
        )


def show_as_current(connection: sqlite3.Connection) -> None:
    """Let queries of this release read the database of an earlier one, which stays as it is."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for statement in VIEWS.get(version, "").split(";"):
        connection.execute(statement)


def _open_to_write(path: Path) -> sqlite3.Connection:
    try:
        # SQLite gives the files beside it the permissions of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JobDatabaseError(f"{path} can't be written ({describe(error)})") from None
    with described(path, "opened as a job's database"):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # For a new one. Items are long rows: checkpoints cost a third of what they do with pages of 4 kB.
    connection.execute("PRAGMA page_size = 8192")
    journal = "DELETE" if _file_system(path) in _REMOTE else "WAL"
    (mode,) = connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
    if mode in ("memory", "off"):
        raise JobDatabaseError(f"{path} can't have a journal; put the job folder on another file system")
    # A commit is on the disk when it returns: what the platform was asked for must not be forgotten.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise JobDatabaseError(f"{path} is damaged ({found}); restore a copy of it, then resume the job")
    _migrate(connection, path)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise JobRefused(f"{path} was written by a newer release; use that one, or a later one")
    for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{migration};PRAGMA user_version = {number};COMMIT;")


def _file_system(path: Path) -> str:
    """Return the type of the file system of a path; empty if the system does not say."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    folder = str(path.resolve())
    kinds = {line.split(" ")[1]: line.split(" ")[2] for line in mounts}
    under = [place for place in kinds if folder == place or folder.startswith(place.rstrip("/") + "/")]
    return kinds[max(under, key=len)].removeprefix("fuse.") if under else ""
