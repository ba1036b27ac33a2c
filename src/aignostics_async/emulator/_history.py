"""Runs and items as a history of status transitions; every query is about a moment.

A run starts as RECEIVED and its items as PENDING. Each later status is a row with the time from which it
holds. A lagging replica is a query about an earlier moment, a script is rows in the future, and the ledger is
the rows of the past. Times are those of the emulator's clock, in seconds since the epoch.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from ._state_database import StateDatabase

FINAL = frozenset({"COMPLETED", "COMPLETED_WITH_ERROR", "REJECTED", "CANCELED_SYSTEM", "CANCELED_USER"})

# The item id in transitions of the run itself.
_ITSELF = ""
_LAST = """
FROM transitions WHERE run_id = {run} AND item_id = {item} AND at <= :at
ORDER BY at DESC, number DESC LIMIT 1
"""
_RUNS = f"""
SELECT id, application_version_id, triggered_at,
       coalesce((SELECT status {_LAST.format(run="runs.id", item="''")}), 'RECEIVED') AS status
FROM runs WHERE at <= :at AND coalesce(deleted_at > :at, TRUE)
"""  # noqa: S608
_ITEMS = f"""
SELECT items.id, items.run_id, reference, coalesce(last.status, 'PENDING') AS status, last.error, inputs
FROM items LEFT JOIN transitions AS last
     ON last.number = (SELECT number {_LAST.format(run="items.run_id", item="items.id")})
WHERE items.run_id = :run_id
"""  # noqa: S608
_AMONG = {
    "ids": " AND items.id IN (SELECT value FROM json_each(:ids))",
    "references": " AND reference IN (SELECT value FROM json_each(:references))",
    "statuses": " AND coalesce(last.status, 'PENDING') IN (SELECT value FROM json_each(:statuses))",
}


@frozen
class StoredRun:
    """A run at a moment."""

    id: str
    application_version_id: str
    triggered_at: str
    status: str


@frozen
class StoredItem:
    """An item at a moment. `inputs` hold keys of the emulator's objects, or URLs of other servers."""

    id: str
    run_id: str
    reference: str
    status: str
    error: str | None
    inputs: list[dict[str, Any]] = field(converter=json.loads)


@frozen
class StoredArtifact:
    """An output artifact; the key is None once the results are deleted."""

    id: str
    name: str
    key: str | None
    metadata: dict[str, Any] = field(converter=json.loads)


@frozen
class Selection:
    """The rows and the order of a listing; `sort` holds (column, descends) pairs."""

    limit: int = -1
    offset: int = 0
    sort: Sequence[tuple[str, bool]] = ()

    def clause(self, last: str) -> str:
        """Return the selection as SQL; `last` breaks ties. Columns are trusted names, never user input."""
        order = [f"{column} {'DESC' if descends else 'ASC'}" for column, descends in self.sort]
        return f" ORDER BY {', '.join([*order, last])} LIMIT {self.limit} OFFSET {self.offset}"


_ALL = Selection()


class History:
    """All runs, past and present. Only for the event loop's thread; each call takes microseconds."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    # Runs

    def add_run(
        self,
        version_id: str,
        at: float,
        items: Iterable[tuple[str, list[dict[str, Any]]]],
        *,
        scripted: bool = False,
    ) -> str:
        """Store a new run with its items, in one transaction, and return its id."""
        run_id = str(uuid.uuid4())
        triggered_at = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with self._database.transaction() as execute:
            execute(
                "INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, NULL, ?)",
                [(run_id, version_id, triggered_at, at, scripted)],
            )
            execute(
                "INSERT INTO items (id, run_id, reference, inputs) VALUES (?, ?, ?, ?)",
                [(str(uuid.uuid4()), run_id, reference, json.dumps(inputs)) for reference, inputs in items],
            )
        return run_id

    def runs(
        self, at: float, *, application: str | None = None, version: str | None = None, page: Selection = _ALL
    ) -> list[StoredRun]:
        """Return the runs that exist at a moment, the newest first by default."""
        query = _RUNS
        if application is not None:
            query += " AND substr(application_version_id, 1, length(:application) + 1) = :application || ':'"
        if version is not None:
            query += " AND application_version_id = :version"
        values = {"at": at, "application": application, "version": version}
        return [StoredRun(*row) for row in self._database.all(query + page.clause("number DESC"), values)]

    def run(self, run_id: str, at: float) -> StoredRun | None:
        """Return a run at a moment, or None."""
        rows = self._database.all(f"{_RUNS} AND id = :run_id", {"at": at, "run_id": run_id})
        return StoredRun(*rows[0]) if rows else None

    def unfinished(self, at: float) -> list[str]:
        """Return the ids of the runs that the lifecycle has to advance; scripted runs are not among them."""
        rows = self._database.all(f"SELECT id, status FROM ({_RUNS} AND NOT scripted)", {"at": at})  # noqa: S608
        return [run_id for run_id, status in rows if status not in FINAL]

    def move_run(self, run_id: str, status: str, at: float) -> bool:
        """Set the status of a run from a moment on; False if the run is final or does not exist."""
        run = self.run(run_id, at)
        if run is None or run.status in FINAL:
            return False
        if run.status != status:
            self._add([(at, run_id, _ITSELF, status, None)])
        return True

    def end_run(self, run_id: str, status: str, at: float) -> bool:
        """End a run: set its status and that of its pending items, and discard later transitions.

        False if the run is final or does not exist.
        """
        run = self.run(run_id, at)
        if run is None or run.status in FINAL:
            return False
        pending = [item.id for item in self.items(run_id, at) if item.status == "PENDING"]
        with self._database.transaction() as execute:
            execute("DELETE FROM transitions WHERE run_id = ? AND at > ?", [(run_id, at)])
            execute(_ADD, [(at, run_id, item_id, status, None) for item_id in (*pending, _ITSELF)])
        return True

    def delete_run(self, run_id: str, at: float) -> bool:
        """Delete a run from a moment on; False if it does not exist."""
        if self.run(run_id, at) is None:
            return False
        self._database.change("UPDATE runs SET deleted_at = ? WHERE id = ?", (at, run_id))
        return True

    def add_script(self, run_id: str, steps: Iterable[tuple[float, str | None, str]]) -> None:
        """Store future transitions as (time, reference, status); the reference None means the run."""
        ids = {item.reference: item.id for item in self.items(run_id, 0)}
        self._add(
            (at, run_id, _ITSELF if reference is None else ids[reference], status, None)
            for at, reference, status in steps
        )

    # Items

    def items(
        self,
        run_id: str,
        at: float,
        *,
        ids: Sequence[str] | None = None,
        references: Sequence[str] | None = None,
        statuses: Sequence[str] | None = None,
        page: Selection = _ALL,
    ) -> list[StoredItem]:
        """Return the items of a run at a moment, in submission order by default."""
        wanted = {"ids": ids, "references": references, "statuses": statuses}
        given = {name: json.dumps(list(some)) for name, some in wanted.items() if some is not None}
        query = "".join([_ITEMS, *(_AMONG[name] for name in given), page.clause("items.number")])
        rows = self._database.all(query, {"at": at, "run_id": run_id, **given})
        return [StoredItem(*row) for row in rows]

    def finish_item(
        self,
        item: StoredItem,
        status: str,
        at: float,
        error: str | None = None,
        artifacts: Iterable[tuple[str, str, dict[str, Any]]] = (),
    ) -> bool:
        """Set the final status of a pending item and store its artifacts (name, key, metadata), atomically.

        False if the item is final already.
        """
        query = f"SELECT status FROM ({_ITEMS} AND items.id = :item_id)"  # noqa: S608
        known = {"at": at, "run_id": item.run_id, "item_id": item.id}
        if self._database.all(query, known) != [("PENDING",)]:
            return False
        with self._database.transaction() as execute:
            execute(_ADD, [(at, item.run_id, item.id, status, error)])
            execute(
                "INSERT INTO artifacts (id, item_id, name, key, metadata) VALUES (?, ?, ?, ?, ?)",
                [
                    (str(uuid.uuid4()), item.id, name, key, json.dumps(metadata))
                    for name, key, metadata in artifacts
                ],
            )
        return True

    def artifacts(self, item_id: str) -> list[StoredArtifact]:
        """Return the output artifacts of an item."""
        query = "SELECT id, name, key, metadata FROM artifacts WHERE item_id = ? ORDER BY number"
        return [StoredArtifact(*row) for row in self._database.all(query, (item_id,))]

    def delete_results(self, run_id: str) -> list[str]:
        """Remove the keys of a run's artifacts, and return them."""
        of_run = "item_id IN (SELECT id FROM items WHERE run_id = ?)"
        rows = self._database.all(
            f"SELECT key FROM artifacts WHERE key IS NOT NULL AND {of_run}",  # noqa: S608
            (run_id,),
        )
        self._database.change(f"UPDATE artifacts SET key = NULL WHERE {of_run}", (run_id,))  # noqa: S608
        return [row[0] for row in rows]

    # The ledger

    def ledger(self, at: float) -> list[tuple[float, str, str | None, str]]:
        """Return all transitions until a moment as (time, run id, reference, status).

        The reference None means the run. A run's first row is RECEIVED, and its last row DELETED if it was
        deleted. Items start as PENDING without a row.
        """
        query = """
            SELECT at, id, NULL, 'RECEIVED', -1e18 FROM runs WHERE at <= :at
            UNION ALL SELECT deleted_at, id, NULL, 'DELETED', 1e18 FROM runs WHERE deleted_at <= :at
            UNION ALL SELECT at, transitions.run_id, reference, status, transitions.number
                      FROM transitions LEFT JOIN items ON items.id = item_id WHERE at <= :at
            ORDER BY 1, 5
        """
        return [row[:4] for row in self._database.all(query, {"at": at})]

    def _add(self, transitions: Iterable[tuple[float, str, str, str, str | None]]) -> None:
        with self._database.transaction() as execute:
            execute(_ADD, transitions)


_ADD = "INSERT INTO transitions (at, run_id, item_id, status, error) VALUES (?, ?, ?, ?, ?)"
