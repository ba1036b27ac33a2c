"""The emulator's state, in one SQLite file, so that a killed emulator goes on where it was."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import ConfigurationError
from ._tables import SCHEMA, VERSION


@frozen
class ClockReading:
    """What the clock showed at a time of the machine's, and how fast it went on."""

    wall: float
    clock: float
    rate: float


@frozen
class StoredObject:
    """What is known of a stored object."""

    key: str
    file: str
    size: int
    crc32c: str
    media_type: str


class StateDatabase:
    """All reading and writing of state. Used from the event loop only; each call takes microseconds."""

    def __init__(self, path: Path) -> None:
        # The signing key is in it; SQLite gives the files beside it the permissions of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Survives the process, which is what a restart needs; a power cut may take the last seconds.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        is_new = not self._one("SELECT count(*) FROM sqlite_master")[0]
        if not is_new and self._one("PRAGMA user_version")[0] != VERSION:
            raise ConfigurationError(f"{path.parent} was made by another release; choose another folder")
        self._connection.executescript(SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # What other tables are made of

    def all(self, query: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """Return the rows that a query gives."""
        return self._connection.execute(query, values).fetchall()

    def change(self, query: str, values: Sequence[object]) -> None:
        """Change rows."""
        self._connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Iterable[Sequence[object]]], object]]:
        """Give a way to run statements of which all take effect or none; one inside another joins it."""
        if self._connection.in_transaction:
            yield self._connection.executemany
            return
        with self._connection:
            self._connection.execute("BEGIN")
            yield self._connection.executemany

    # The clock

    def clock(self) -> ClockReading | None:
        """Return what the clock showed when it was last set, or None."""
        row = self._one("SELECT wall, clock, rate FROM clock")
        return ClockReading(*row) if row else None

    def set_clock(self, *, wall: float, clock: float, rate: float) -> None:
        """Remember what the clock shows."""
        self.change("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?)", (wall, clock, rate))

    # Secrets

    def secret(self, name: str, fresh: bytes) -> bytes:
        """Return a secret of this data folder, storing `fresh` as its value the first time."""
        self._connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, fresh))
        return bytes(self._one("SELECT value FROM secrets WHERE name = ?", name)[0])

    @property
    def connection(self) -> sqlite3.Connection:
        """The file itself, for who keeps tables of its own in it."""
        return self._connection

    # Objects

    def put_object(self, row: StoredObject) -> None:
        """Remember an object, in place of what was under its key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (row.key, row.file, row.size, row.crc32c, row.media_type),
        )

    def find_object(self, key: str) -> StoredObject | None:
        """Return what is known of an object, or None."""
        rows = self._all("SELECT key, file, size, crc32c, media_type FROM objects WHERE key = ?", key)
        return StoredObject(*rows[0]) if rows else None

    def object_files(self) -> set[str]:
        """Return the names of all files that belong to an object."""
        return {row[0] for row in self._all("SELECT file FROM objects")}

    def delete_object(self, key: str) -> None:
        """Forget an object."""
        self._connection.execute("DELETE FROM objects WHERE key = ?", (key,))

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values).fetchone()
