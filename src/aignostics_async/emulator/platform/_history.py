"""Runs and items as a history of status transitions; every query is about a moment.

A run starts as RECEIVED and its items as PENDING. Each later status is a row with the time from which it
holds. A lagging replica is a query about an earlier moment, a script is rows in the future, and the ledger is
the rows of the past. Times are those of the emulator's clock, in seconds since the epoch. Custom metadata and
the deletion of results have no history: they hold at once, also for a lagging replica.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from ._account import USER
from ._item_counts import ItemStatusCounts
from ._json_path import has_match
from ._state_database import StateDatabase
from ._stored import (
    ALL,
    FINAL,
    OPEN,
    UNSCHEDULED,
    Scheduling,
    Selection,
    StoredArtifact,
    StoredItem,
    StoredRun,
    SubmittedItem,
)

# The item id in transitions of the run itself.
_ITSELF = ""
_LAST = """
LEFT JOIN transitions AS last ON last.number = (
    SELECT number FROM transitions WHERE run_id = {run} AND item_id = {item} AND at <= :at
    ORDER BY at DESC, number DESC LIMIT 1
)
"""
_RUNS = f"""
SELECT runs.id, application_id, version, submitted_at, coalesce(last.status, 'RECEIVED') AS status, last.at,
       last.error, last.code, item_count, results_deleted_at, due_date, deadline, submitted_by,
       metadata
FROM runs {_LAST.format(run="runs.id", item="''")}
WHERE runs.at <= :at AND coalesce(deleted_at > :at, TRUE)
"""  # noqa: S608
_RUNS_AMONG = {
    "application": " AND application_id = :application",
    "version": " AND version = :version",
    "user": " AND submitted_by = :user",
    "reference": " AND runs.id IN (SELECT run_id FROM items WHERE reference = :reference)",
    "path": " AND has_match(metadata, :path)",
}
_ITEMS = f"""
SELECT items.id, items.run_id, position, reference, coalesce(last.status, 'PENDING') AS status, last.at,
       last.error, inputs, metadata
FROM items {_LAST.format(run="items.run_id", item="items.id")}
WHERE items.run_id = :run_id
"""  # noqa: S608
_ITEMS_AMONG = {
    "ids": " AND items.id IN (SELECT value FROM json_each(:ids))",
    "references": " AND reference IN (SELECT value FROM json_each(:references))",
    "statuses": " AND coalesce(last.status, 'PENDING') IN (SELECT value FROM json_each(:statuses))",
    "path": " AND has_match(metadata, :path)",
}
_ADD = "INSERT INTO transitions (at, run_id, item_id, status, error, code) VALUES (?, ?, ?, ?, ?, ?)"


def timestamp(at: float) -> str:
    """Return a time of the emulator's clock as the API writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class History:
    """All runs, past and present. Only for the event loop's thread; each call takes microseconds."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database
        self._counts = ItemStatusCounts(database)
        database.connection.create_function("has_match", 2, has_match, deterministic=True)

    # Runs

    def add_run(
        self,
        application_id: str,
        version: str,
        at: float,
        items: Sequence[SubmittedItem],
        *,
        metadata: dict[str, Any] | None = None,
        scheduling: Scheduling = UNSCHEDULED,
        scripted: bool = False,
        user: str = USER,
    ) -> str:
        """Store a new run with its items, in one transaction, and return its id."""
        run_id = str(uuid.uuid4())
        row = (run_id, application_id, version, timestamp(at), at, scripted, len(items), _dumps(metadata))
        with self._database.transaction() as execute:
            execute(
                "INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, NULL, ?)",
                [(*row, scheduling.due_date, scheduling.deadline, user)],
            )
            execute(
                "INSERT INTO items VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        str(uuid.uuid4()),
                        run_id,
                        position,
                        each.reference,
                        json.dumps(each.inputs),
                        _dumps(each.metadata),
                    )
                    for position, each in enumerate(items)
                ],
            )
        return run_id

    def runs(
        self,
        at: float,
        *,
        application: str | None = None,
        version: str | None = None,
        user: str | None = None,
        reference: str | None = None,
        path: str | None = None,
        page: Selection = ALL,
    ) -> list[StoredRun]:
        """Return the runs that exist at a moment, the newest first by default.

        `reference` is that of one of its items, `path` a JSONPath of `_json_path` on its custom metadata.
        """
        wanted = {
            "application": application,
            "version": version,
            "user": user,
            "reference": reference,
            "path": path,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        query = "".join([_RUNS, *(_RUNS_AMONG[name] for name in given), page.clause("runs.number DESC")])
        return [StoredRun(*row) for row in self._database.all(query, {"at": at, **given})]

    def run(self, run_id: str, at: float) -> StoredRun | None:
        """Return a run at a moment, or None."""
        rows = self._database.all(f"{_RUNS} AND runs.id = :run_id", {"at": at, "run_id": run_id})
        return StoredRun(*rows[0]) if rows else None

    def unfinished(self, at: float) -> list[str]:
        """Return the ids of the runs that the lifecycle has to advance; scripted runs are not among them."""
        rows = self._database.all(f"{_RUNS} AND NOT scripted", {"at": at})
        return [run.id for run in (StoredRun(*row) for row in rows) if run.status not in FINAL]

    def move_run(self, run_id: str, status: str, at: float) -> bool:
        """Set the status of a run from a moment on; False if the run is final or does not exist."""
        run = self.run(run_id, at)
        if run is None or run.status in FINAL:
            return False
        if run.status != status:
            self._add([(at, run_id, _ITSELF, status, None, None)])
        return True

    def end_run(
        self, run_id: str, status: str, at: float, *, error: str | None = None, code: str | None = None
    ) -> bool:
        """End a run: set its status and that of its open items, and discard later transitions.

        False if the run is final or does not exist.
        """
        run = self.run(run_id, at)
        if run is None or run.status in FINAL:
            return False
        ended = [item.id for item in self.items(run_id, at, statuses=sorted(OPEN))]
        with self._database.transaction() as execute:
            execute("DELETE FROM transitions WHERE run_id = ? AND at > ?", [(run_id, at)])
            self._add((at, run_id, item_id, status, None, None) for item_id in ended)
            self._add([(at, run_id, _ITSELF, status, error, code)])
        return True

    def delete_run(self, run_id: str, at: float) -> bool:
        """Delete a run from a moment on; False if it does not exist."""
        if self.run(run_id, at) is None:
            return False
        self._database.change("UPDATE runs SET deleted_at = ? WHERE id = ?", (at, run_id))
        return True

    def set_run_metadata(self, run_id: str, metadata: dict[str, Any] | None) -> None:
        """Replace the custom metadata of a run."""
        self._database.change("UPDATE runs SET metadata = ? WHERE id = ?", (_dumps(metadata), run_id))

    def add_script(self, run_id: str, steps: Iterable[tuple[float, str | None, str]]) -> None:
        """Store future transitions as (time, reference, status); the reference None means the run."""
        ids = {item.reference: item.id for item in self.items(run_id, 0)}
        self._add(
            (at, run_id, _ITSELF if reference is None else ids[reference], status, None, None)
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
        path: str | None = None,
        page: Selection = ALL,
    ) -> list[StoredItem]:
        """Return the items of a run at a moment, in submission order by default."""
        wanted = {"ids": ids, "references": references, "statuses": statuses}
        given = {name: json.dumps(list(some)) for name, some in wanted.items() if some is not None}
        if path is not None:
            given["path"] = path
        query = "".join([_ITEMS, *(_ITEMS_AMONG[name] for name in given), page.clause("items.number")])
        rows = self._database.all(query, {"at": at, "run_id": run_id, **given})
        return [StoredItem(*row) for row in rows]

    def count_items(self, run_ids: Sequence[str], at: float) -> dict[str, Counter[str]]:
        """Return how many items of runs have each status at a moment, as an aggregate of their transitions.

        Items without a transition are not counted: the other items of a run are PENDING.
        """
        return self._counts.of(run_ids, at)

    def begin_item(self, item: StoredItem, at: float) -> None:
        """Set the status of a pending item to PROCESSING."""
        self._add([(at, item.run_id, item.id, "PROCESSING", None, None)])

    def finish_item(
        self,
        item: StoredItem,
        status: str,
        at: float,
        error: str | None = None,
        artifacts: Iterable[tuple[str, str, dict[str, Any]]] = (),
    ) -> bool:
        """Set the status of an open item and store its artifacts (name, key, metadata), atomically.

        False if the item is final already.
        """
        query = f"SELECT status FROM ({_ITEMS} AND items.id = :item_id)"  # noqa: S608
        known = {"at": at, "run_id": item.run_id, "item_id": item.id}
        rows = self._database.all(query, known)
        if not rows or rows[0][0] not in OPEN:
            return False
        with self._database.transaction() as execute:
            self._add([(at, item.run_id, item.id, status, error, None)])
            execute(
                "INSERT INTO artifacts (id, item_id, name, key, metadata) VALUES (?, ?, ?, ?, ?)",
                [
                    (str(uuid.uuid4()), item.id, name, key, json.dumps(metadata))
                    for name, key, metadata in artifacts
                ],
            )
        return True

    def set_item_metadata(self, item: StoredItem, metadata: dict[str, Any] | None) -> None:
        """Replace the custom metadata of an item."""
        self._database.change("UPDATE items SET metadata = ? WHERE id = ?", (_dumps(metadata), item.id))

    # Artifacts

    def artifacts(self, item_id: str) -> list[StoredArtifact]:
        """Return the output artifacts of an item."""
        query = "SELECT id, item_id, name, key, metadata FROM artifacts WHERE item_id = ? ORDER BY number"
        return [StoredArtifact(*row) for row in self._database.all(query, (item_id,))]

    def artifact(self, run_id: str, artifact_id: str) -> StoredArtifact | None:
        """Return an output artifact of a run, or None."""
        query = """
            SELECT artifacts.id, item_id, name, key, artifacts.metadata
            FROM artifacts JOIN items ON items.id = item_id WHERE artifacts.id = ? AND run_id = ?
        """
        rows = self._database.all(query, (artifact_id, run_id))
        return StoredArtifact(*rows[0]) if rows else None

    def delete_results(self, run_id: str, at: float) -> list[str]:
        """Mark the results of a run as deleted, and return the keys of its artifacts."""
        self._database.change(
            "UPDATE runs SET results_deleted_at = coalesce(results_deleted_at, ?) WHERE id = ?", (at, run_id)
        )
        query = "SELECT key FROM artifacts WHERE item_id IN (SELECT id FROM items WHERE run_id = ?)"
        return [row[0] for row in self._database.all(query, (run_id,))]

    # The ledger

    def ledger(self, at: float) -> list[tuple[float, str, str | None, str]]:
        """Return all transitions until a moment as (time, run id, reference, status).

        The reference None means the run. A run's first row is RECEIVED, and its last row DELETED if it was
        deleted. Items start as PENDING without a row. PROCESSING is left out: the reference contract has no
        such status, and no result depends on it.
        """
        query = """
            SELECT at, id, NULL, 'RECEIVED', -1e18 FROM runs WHERE at <= :at
            UNION ALL SELECT deleted_at, id, NULL, 'DELETED', 1e18 FROM runs WHERE deleted_at <= :at
            UNION ALL SELECT at, transitions.run_id, reference, status, transitions.number
                      FROM transitions LEFT JOIN items ON items.id = item_id
                      WHERE at <= :at AND status != 'PROCESSING'
            ORDER BY 1, 5
        """
        return [row[:4] for row in self._database.all(query, {"at": at})]

    def _add(self, transitions: Iterable[tuple[float, str, str, str, str | None, str | None]]) -> None:
        rows = list(transitions)
        with self._database.transaction() as execute:
            execute(_ADD, rows)
        self._counts.forget({row[1] for row in rows})


def _dumps(metadata: dict[str, Any] | None) -> str | None:
    return None if metadata is None else json.dumps(metadata, ensure_ascii=False)
