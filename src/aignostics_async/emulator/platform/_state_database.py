"""The emulator's state in one SQLite file, so that a killed emulator can resume."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from ...errors import ConfigurationError
from ._tables import SCHEMA, VERSION


@frozen
class ClockReading:
    """The emulator's time at a moment of wall-clock time, and the rate from then on."""

    wall: float
    clock: float
    rate: float


@frozen
class StoredObject:
    """An object's key, its file, and its properties."""

    key: str
    file: str
    size: int
    crc32c: str
    media_type: str


class StateDatabase:
    """Reads and writes state. Only for the event loop's thread; each call takes microseconds."""

    def __init__(self, path: Path) -> None:
        # The file holds the signing key. SQLite gives its journal files the same permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Durable against a killed process; a power failure may lose the last seconds.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        is_new = not self._one("SELECT count(*) FROM sqlite_master")[0]
        if not is_new and self._one("PRAGMA user_version")[0] != VERSION:
            raise ConfigurationError(f"{path.parent} was made by another release; choose another folder")
        self._connection.executescript(SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # Statements of other modules

    def all(self, query: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query."""
        return self._connection.execute(query, values).fetchall()

    def change(self, query: str, values: Sequence[object]) -> None:
        """Execute a statement that changes rows."""
        self._connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Iterable[Sequence[object]]], object]]:
        """Yield a function that executes statements in one transaction; nested transactions join it."""
        if self._connection.in_transaction:
            yield self._connection.executemany
            return
        with self._connection:
            self._connection.execute("BEGIN")
            yield self._connection.executemany

    def clear(self) -> None:
        """Delete every row but the secrets, which others know."""
        tables = self._all("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'secrets'")
        with self.transaction():
            self._connection.execute("PRAGMA defer_foreign_keys = ON")
            for (name,) in tables:
                self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - a table of the emulator's own

    # The clock

    def clock(self) -> ClockReading | None:
        """Return the last stored reading of the clock, or None."""
        row = self._one("SELECT wall, clock, rate FROM clock")
        return ClockReading(*row) if row else None

    def set_clock(self, *, wall: float, clock: float, rate: float) -> None:
        """Store a reading of the clock."""
        self.change("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?)", (wall, clock, rate))

    # Secrets

    def secret(self, name: str, fresh: bytes) -> bytes:
        """Return the named secret; the first call stores `fresh` as its value."""
        self._connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, fresh))
        return bytes(self._one("SELECT value FROM secrets WHERE name = ?", name)[0])

    def replace_secret(self, name: str, value: bytes) -> None:
        """Store another value of the named secret."""
        self.change("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (name, value))

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for modules with queries of their own."""
        return self._connection

    # Objects

    def put_object(self, row: StoredObject) -> None:
        """Store an object's row, replacing an earlier row of its key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (row.key, row.file, row.size, row.crc32c, row.media_type),
        )

    def find_object(self, key: str) -> StoredObject | None:
        """Return an object's row, or None."""
        rows = self._all("SELECT key, file, size, crc32c, media_type FROM objects WHERE key = ?", key)
        return StoredObject(*rows[0]) if rows else None

    def object_files(self) -> set[str]:
        """Return the names of the files of all objects."""
        return {row[0] for row in self._all("SELECT file FROM objects")}

    def delete_object(self, key: str) -> None:
        """Delete an object's row."""
        self._connection.execute("DELETE FROM objects WHERE key = ?", (key,))

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values).fetchone()
