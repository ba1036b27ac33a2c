"""The commands that change what a job's database knows of runs: listings, results of items, and files.

Commands like those of `_commands.py`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ...errors import JobStateError
from ...submission._marks import RunMark
from ._commands import adopt_items, move_intent, move_item, move_items
from ._states import IntentState, ItemState

if TYPE_CHECKING:
    from ...downloads._outcomes import FileStatus
    from ._writer import Execute


VANISHED = "VANISHED"
"""The status of a run that no longer exists."""


@frozen
class ObservedRun:
    """A run as a listing shows it."""

    run_id: str
    triggered_at: float
    """In seconds of the server's clock."""
    status: str
    version: str
    mark: RunMark | None = None
    """None for a run without a mark that can be read."""
    user: str | None = None
    """Who has submitted it; None where that is not told."""
    size: int | None = None
    """The number of its items; None where that is not told."""


@frozen
class ExpectedOutput:
    """An output artifact of an item, by its id and its name."""

    artifact_id: str
    name: str


@frozen(kw_only=True)
class OutputFile:
    """The file of an output artifact, downloaded or not."""

    artifact_id: str
    name: str
    status: FileStatus
    path: str
    size: int
    crc32c: str | None
    fault: str | None


def record_runs(runs: Iterable[ObservedRun]) -> Callable[[Execute], None]:
    """Return the command that records a listing."""
    rows = [(run.run_id, run.triggered_at, run.status) for run in runs]

    def command(execute: Execute) -> None:
        query = (
            "INSERT INTO seen (run_id, triggered_at, status) VALUES (?, ?, ?) "
            "ON CONFLICT (run_id) DO UPDATE SET triggered_at = excluded.triggered_at"
        )
        for row in rows:
            execute(query, row)

    return command


def take_result(
    run_id: str,
    reference: str,
    *,
    item_id: str,
    state: ItemState,
    status: str,
    error: str | None,
    outputs: Sequence[ExpectedOutput] = (),
) -> Callable[[Execute], bool]:
    """Return the command that records the result of an item; gives whether it was new."""

    def command(execute: Execute) -> bool:
        query = "SELECT number FROM items WHERE run_id = ? AND reference = ? AND state = ?"
        row = execute(query, (run_id, reference, ItemState.SUBMITTED)).fetchone()
        if row is None:
            return False
        move_item(row[0], state, item_id=item_id, status=status, error=error)(execute)
        _know(execute, row[0], outputs)
        return True

    return command


def know_outputs(run_id: str, outputs: Mapping[str, Sequence[ExpectedOutput]]) -> Callable[[Execute], None]:
    """Return the command that records all outputs of a run at its end, by the references of its items.

    An item that was done and has more outputs is downloaded again.
    """

    def command(execute: Execute) -> None:
        query = "SELECT number, state FROM items WHERE run_id = ? AND reference = ?"
        for reference, listed in outputs.items():
            row = execute(query, (run_id, reference)).fetchone()
            if row is not None and _know(execute, row[0], listed) and row[1] == ItemState.DONE:
                move_item(row[0], ItemState.SUCCEEDED)(execute)

    return command


def _know(execute: Execute, item: int, outputs: Sequence[ExpectedOutput]) -> int:
    query = "INSERT OR IGNORE INTO outputs (item, artifact_id, name) VALUES (?, ?, ?)"
    return sum(execute(query, (item, each.artifact_id, each.name)).rowcount for each in outputs)


def end_run(run_id: str, status: str, ended_at: float) -> Callable[[Execute], int]:
    """Return the command that records the end of a run; items without a result fail. Gives how many."""

    def command(execute: Execute) -> int:
        execute("UPDATE seen SET status = ?, ended_at = ? WHERE run_id = ?", (status, ended_at, run_id))
        left = _items_of(execute, run_id, ItemState.SUBMITTED)
        error = f"the run ended as {status} without a result for it"
        move_items(left, ItemState.FAILED, status=status, error=error)(execute)
        _close(execute, run_id)
        return len(left)

    return command


def lose_run(run_id: str, ended_at: float) -> Callable[[Execute], int]:
    """Return the command for a run that no longer exists: it quarantines its items. Gives how many."""

    def command(execute: Execute) -> int:
        execute("UPDATE seen SET status = ?, ended_at = ? WHERE run_id = ?", (VANISHED, ended_at, run_id))
        left = _items_of(execute, run_id, ItemState.SUBMITTED, ItemState.SUCCEEDED)
        fault = f"run {run_id} is not there any more"
        remedy = "was it deleted? Ask the platform's support; a new analysis is billed: retry --failed"
        move_items(left, ItemState.QUARANTINED, fault=fault, remedy=remedy)(execute)
        _close(execute, run_id)
        return len(left)

    return command


def take_files(item: int, state: ItemState, files: Sequence[OutputFile]) -> Callable[[Execute], bool]:
    """Return the command that records the files of an item; gives whether all of its outputs are downloaded.

    They are not, even if `state` is DONE, if more outputs were listed meanwhile.
    """

    def command(execute: Execute) -> bool:
        query = (
            "INSERT INTO outputs (item, artifact_id, name, status, path, size, crc32c, fault) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (item, artifact_id) DO UPDATE SET "
            "status = excluded.status, path = excluded.path, size = excluded.size, "
            "crc32c = excluded.crc32c, fault = excluded.fault "
            # The file of an earlier download is still there, whatever came of this one.
            "WHERE excluded.status <> 'FAILED' OR outputs.status IN ('KNOWN', 'FAILED')"
        )
        for each in files:
            row = (
                each.artifact_id,
                each.name,
                each.status,
                each.path,
                each.size,
                each.crc32c,
                each.fault,
            )
            execute(query, (item, *row))
        query = "SELECT 1 FROM outputs WHERE item = ? AND status = 'KNOWN'"
        if state is not ItemState.DONE or execute(query, (item,)).fetchone():
            return False
        move_item(item, state, fault=None, remedy=None)(execute)
        (run_id,) = execute("SELECT run_id FROM items WHERE number = ?", (item,)).fetchone()
        _close(execute, run_id)
        return True

    return command


def _items_of(execute: Execute, run_id: str, *states: ItemState) -> list[int]:
    query = (
        "SELECT number FROM items WHERE intent = (SELECT number FROM intents WHERE run_id = ?) AND state = ?"
    )
    return [row[0] for state in states for row in execute(query, (run_id, state))]


def _close(execute: Execute, run_id: str) -> None:
    """Close the intent of a run if the run and its items are over."""
    query = (
        "SELECT number FROM intents WHERE run_id = ? AND state = 'CREATED' AND EXISTS ("
        "SELECT 1 FROM seen WHERE seen.run_id = intents.run_id AND ended_at IS NOT NULL) AND NOT EXISTS ("
        "SELECT 1 FROM items WHERE intent = intents.number AND state IN ('SUBMITTED', 'SUCCEEDED'))"
    )
    for (intent,) in execute(query, (run_id,)).fetchall():
        move_intent(execute, intent, IntentState.CLOSED)


def open_intents() -> Callable[[Execute], None]:
    """Return the command that reopens closed intents with items that are not over."""

    def command(execute: Execute) -> None:
        query = (
            "SELECT number FROM intents WHERE state = 'CLOSED' AND EXISTS ("
            "SELECT 1 FROM items WHERE intent = intents.number AND state IN ('SUBMITTED', 'SUCCEEDED'))"
        )
        for (intent,) in execute(query).fetchall():
            move_intent(execute, intent, IntentState.CREATED)

    return command


def miss_files(item: int, artifact_ids: Sequence[str]) -> Callable[[Execute], None]:
    """Return the command that records that files of an item are gone or changed, to be downloaded again."""

    def command(execute: Execute) -> None:
        query = "UPDATE outputs SET status = 'KNOWN', fault = NULL WHERE item = ? AND artifact_id = ?"
        for artifact_id in artifact_ids:
            execute(query, (item, artifact_id))
        if execute("SELECT 1 FROM items WHERE number = ? AND state = 'DONE'", (item,)).fetchone():
            move_item(item, ItemState.SUCCEEDED)(execute)
        open_intents()(execute)

    return command


def resolve_duplicate(run_id: str, done: str) -> Callable[[Execute], None]:
    """Return the command that records what was done about a second run."""

    def command(execute: Execute) -> None:
        execute("UPDATE seen SET done = ? WHERE run_id = ? AND is_duplicate", (done, run_id))

    return command


def find_duplicate(run: ObservedRun, intent: int, done: str | None) -> Callable[[Execute], None]:
    """Return the command that records a second run of an intent, and what was done about it."""
    values = (run.run_id, run.triggered_at, run.status, intent, done)

    def command(execute: Execute) -> None:
        execute(
            "INSERT INTO seen (run_id, triggered_at, status, intent, is_duplicate, done) "
            "VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (run_id) DO UPDATE SET "
            "intent = excluded.intent, is_duplicate = 1, done = excluded.done",
            values,
        )

    return command


def adopt(run: ObservedRun, numbers: Sequence[int], *, tag: str, how: str) -> Callable[[Execute], int]:
    """Return the command that gives items a run that the platform has and the database does not know.

    It dissolves their intents first, and raises JobStateError if one has a run. Gives the number of the new
    intent.
    """
    ident, now, marks = str(uuid.uuid4()), time.time(), json.dumps(list(numbers))

    def command(execute: Execute) -> int:
        query = (
            "SELECT DISTINCT intent FROM members WHERE is_live AND item IN (SELECT value FROM json_each(?))"
        )
        for (intent,) in execute(query, (marks,)).fetchall():
            if execute("SELECT 1 FROM intents WHERE number = ? AND run_id IS NOT NULL", (intent,)).fetchone():
                raise JobStateError(f"chunk {intent} has its run already, so {run.run_id} can't be adopted")
            execute("UPDATE members SET is_live = 0 WHERE intent = ?", (intent,))
            execute("UPDATE attempts SET outcome = 'UNKNOWN' WHERE intent = ? AND outcome IS NULL", (intent,))
            move_intent(execute, intent, IntentState.DISSOLVED, reason=how)
            waiting = execute("SELECT number FROM items WHERE intent = ? AND state = 'ASSIGNED'", (intent,))
            move_items([row[0] for row in waiting.fetchall()], ItemState.STORED, intent=None)(execute)
        query = (
            "INSERT INTO intents (uuid, state, tag, sealed_at, size, known_before, run_id, how) "
            "VALUES (?, 'CREATED', ?, ?, ?, 0, ?, ?)"
        )
        adopted = execute(query, (ident, tag, now, len(numbers), run.run_id, how)).lastrowid or 0
        for number in numbers:
            execute("INSERT INTO members (intent, item) VALUES (?, ?)", (adopted, number))
        adopt_items(execute, numbers, adopted, run.run_id)
        execute(
            "INSERT INTO seen (run_id, triggered_at, status, intent) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (run_id) DO UPDATE SET intent = excluded.intent, is_duplicate = 0",
            (run.run_id, run.triggered_at, run.status, adopted),
        )
        return adopted

    return command
