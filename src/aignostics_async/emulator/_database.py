"""The emulator's state, in one SQLite file, so that a killed emulator goes on where it was."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import field, frozen

_SCHEMA = """
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, application_version_id TEXT NOT NULL,
    status TEXT NOT NULL, triggered_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL REFERENCES runs (id),
    reference TEXT NOT NULL, status TEXT NOT NULL, error TEXT, inputs TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS items_of_run ON items (run_id, number);
CREATE TABLE IF NOT EXISTS artifacts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, item_id TEXT NOT NULL REFERENCES items (id),
    name TEXT NOT NULL, key TEXT, metadata TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS artifacts_of_item ON artifacts (item_id, number);
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, file TEXT NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL,
    media_type TEXT NOT NULL
) STRICT;
"""

FINAL = frozenset({"COMPLETED", "COMPLETED_WITH_ERROR", "REJECTED", "CANCELED_SYSTEM", "CANCELED_USER"})


@frozen
class RunRow:
    """A run as it is stored."""

    id: str
    application_version_id: str
    status: str
    triggered_at: str


@frozen
class ItemRow:
    """An item as it is stored; `inputs` are keys of own objects or URLs of others."""

    id: str
    run_id: str
    reference: str
    status: str
    error: str | None
    inputs: list[dict[str, Any]] = field(converter=json.loads)


@frozen
class ArtifactRow:
    """An output artifact as it is stored; without a key once the results are deleted."""

    id: str
    name: str
    key: str | None
    metadata: dict[str, Any] = field(converter=json.loads)


@frozen
class ObjectRow:
    """What is known of a stored object."""

    key: str
    file: str
    size: int
    crc32c: str
    media_type: str


class Database:
    """All reading and writing of state. Used from the event loop only; each call takes microseconds."""

    def __init__(self, path: Path) -> None:
        # The signing key is in it; SQLite gives the files beside it the permissions of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Survives the process, which is what a restart needs; a power cut may take the last seconds.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # Secrets

    def secret(self, name: str, fresh: bytes) -> bytes:
        """Return a secret of this data folder, storing `fresh` as its value the first time."""
        self._connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, fresh))
        return bytes(self._one("SELECT value FROM secrets WHERE name = ?", name)[0])

    @property
    def connection(self) -> sqlite3.Connection:
        """The file itself, for who keeps tables of its own in it."""
        return self._connection

    # Runs

    def add_run(
        self, version_id: str, triggered_at: str, items: Iterable[tuple[str, list[dict[str, Any]]]]
    ) -> str:
        """Store a new run with its items, in one transaction, and return its id."""
        run_id = str(uuid.uuid4())
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute(
                "INSERT INTO runs (id, application_version_id, status, triggered_at) VALUES (?, ?, ?, ?)",
                (run_id, version_id, "RECEIVED", triggered_at),
            )
            self._connection.executemany(
                "INSERT INTO items (id, run_id, reference, status, inputs) VALUES (?, ?, ?, 'PENDING', ?)",
                [(str(uuid.uuid4()), run_id, reference, json.dumps(inputs)) for reference, inputs in items],
            )
        return run_id

    def runs(self) -> list[RunRow]:
        """Return all runs, the newest first."""
        return [RunRow(*row) for row in self._all(f"{_RUN} ORDER BY number DESC")]

    def run(self, run_id: str) -> RunRow | None:
        """Return a run, or None."""
        rows = self._all(f"{_RUN} WHERE id = ?", run_id)
        return RunRow(*rows[0]) if rows else None

    def set_run_status(self, run_id: str, status: str) -> bool:
        """Move a run that is not final to another status; False if it is final already."""
        marks = ", ".join("?" * len(FINAL))
        cursor = self._connection.execute(
            f"UPDATE runs SET status = ? WHERE id = ? AND status NOT IN ({marks})",  # noqa: S608
            (status, run_id, *FINAL),
        )
        return cursor.rowcount == 1

    # Items

    def items(self, run_id: str) -> list[ItemRow]:
        """Return the items of a run in their order."""
        rows = self._all(
            "SELECT id, run_id, reference, status, error, inputs FROM items WHERE run_id = ? ORDER BY number",
            run_id,
        )
        return [ItemRow(*row) for row in rows]

    def finish_item(
        self,
        item_id: str,
        status: str,
        error: str | None = None,
        artifacts: Iterable[tuple[str, str, dict[str, Any]]] = (),
    ) -> bool:
        """Give a pending item its final state and its artifacts (name, key, metadata), all or nothing.

        False if the item was final already.
        """
        with self._connection:
            self._connection.execute("BEGIN")
            cursor = self._connection.execute(
                "UPDATE items SET status = ?, error = ? WHERE id = ? AND status = 'PENDING'",
                (status, error, item_id),
            )
            if cursor.rowcount:
                self._connection.executemany(
                    "INSERT INTO artifacts (id, item_id, name, key, metadata) VALUES (?, ?, ?, ?, ?)",
                    [
                        (str(uuid.uuid4()), item_id, name, key, json.dumps(metadata))
                        for name, key, metadata in artifacts
                    ],
                )
        return cursor.rowcount == 1

    def cancel_pending_items(self, run_id: str, status: str) -> None:
        """Give every pending item of a run a cancelled state."""
        self._connection.execute(
            "UPDATE items SET status = ? WHERE run_id = ? AND status = 'PENDING'", (status, run_id)
        )

    def artifacts(self, item_id: str) -> list[ArtifactRow]:
        """Return the output artifacts of an item."""
        rows = self._all(
            "SELECT id, name, key, metadata FROM artifacts WHERE item_id = ? ORDER BY number", item_id
        )
        return [ArtifactRow(*row) for row in rows]

    def delete_results(self, run_id: str) -> list[str]:
        """Forget the objects behind the artifacts of a run, and return their keys."""
        of_run = "item_id IN (SELECT id FROM items WHERE run_id = ?)"
        rows = self._all(f"SELECT key FROM artifacts WHERE key IS NOT NULL AND {of_run}", run_id)  # noqa: S608
        self._connection.execute(f"UPDATE artifacts SET key = NULL WHERE {of_run}", (run_id,))  # noqa: S608
        return [row[0] for row in rows]

    # Objects

    def put_object(self, row: ObjectRow) -> None:
        """Remember an object, in place of what was under its key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (row.key, row.file, row.size, row.crc32c, row.media_type),
        )

    def find_object(self, key: str) -> ObjectRow | None:
        """Return what is known of an object, or None."""
        rows = self._all("SELECT key, file, size, crc32c, media_type FROM objects WHERE key = ?", key)
        return ObjectRow(*rows[0]) if rows else None

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


_RUN = "SELECT id, application_version_id, status, triggered_at FROM runs"
