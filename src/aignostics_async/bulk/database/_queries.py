"""The queries of a job's database: functions for the reader, and their rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ..._core._file_names import distinct_names
from ...errors import JobDatabaseError
from ._states import IntentState, ItemState
from ._writer import Execute


def _parsed(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))


@frozen
class ItemRow:
    """An item."""

    number: int
    uuid: str
    reference: str
    state: ItemState = field(converter=ItemState)
    fault: str | None
    attempts: int
    path: str
    overrides: dict[str, Any] = field(converter=json.loads)
    info: dict[str, Any] | None = field(converter=_parsed)
    size: int | None
    fingerprint: str | None
    key: str | None
    uri: str | None
    crc32c: str | None
    stored_size: int | None
    intent: int | None
    run_id: str | None
    item_id: str | None
    status: str | None
    error: str | None


@frozen
class IntentRow:
    """An intent."""

    number: int
    state: IntentState = field(converter=IntentState)
    tag: str
    known_before: int
    run_id: str | None
    reason: str | None
    requests: int
    size: int
    uuid: str


@frozen
class RequestTime:
    """When a request was written down, by two clocks of which either may have been set since."""

    local: float
    server: float | None

    def age(self, local: float, server: float | None) -> float:
        """Return the seconds that have passed by both clocks."""
        ages = [local - self.local]
        if server is not None and self.server is not None:
            ages.append(server - self.server)
        return min(ages)


@frozen
class Attempt:
    """A request for a run, by the token that its run carries."""

    intent: int
    mark: str | None
    """None for a request that has marked its run with nothing."""
    holder: str | None
    """The token of the process that has sent it."""
    outcome: str | None


@frozen
class Waiting:
    """An uploaded item that is in no intent."""

    number: int
    attempts: int
    """How often the platform has refused a chunk that it was in."""


@frozen
class JobRow:
    """The job."""

    id: str
    created_at: float
    plan: str
    generation: int
    identity: str | None
    finished_at: float | None


@frozen
class OwnRun:
    """A run of an intent."""

    intent: int
    run_id: str
    tag: str


_ITEM = """
SELECT number, uuid, reference, state, fault, attempts, path, overrides, info, size, fingerprint, key, uri,
       crc32c, stored_size, intent, run_id, item_id, status, error
FROM items
"""
_NOT_BEYOND = "number NOT IN (SELECT value FROM json_each(?))"
_INTENT = """
SELECT intents.number, state, tag, known_before, run_id, reason,
       (SELECT count(*) FROM attempts WHERE intent = intents.number), size, uuid
FROM intents
"""


def items_in(
    state: ItemState, *, beyond: Sequence[int] = (), limit: int = -1
) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for items in a state, in the order of work, without those in `beyond`."""
    query = f"{_ITEM} WHERE state = ? AND {_NOT_BEYOND} ORDER BY turn, number LIMIT ?"
    values = (state, json.dumps(list(beyond)), limit)
    return lambda execute: [ItemRow(*row) for row in execute(query, values)]


def items_numbered(numbers: Iterable[int]) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for items by their numbers."""
    query = f"{_ITEM} WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"
    values = (json.dumps(list(numbers)),)
    return lambda execute: [ItemRow(*row) for row in execute(query, values)]


def references() -> Callable[[Execute], dict[str, int]]:
    """Return the query for the numbers of all items by their references."""
    return lambda execute: dict(execute("SELECT reference, number FROM items"))


def slide_files() -> Callable[[Execute], list[str]]:
    """Return the query for the files of all items; a line that could not be taken stands for itself."""
    query = "SELECT path, json_extract(overrides, '$.files') FROM items"
    return lambda execute: [
        file for path, files in execute(query) for file in (path, *json.loads(files or "[]"))
    ]


def sources() -> Callable[[Execute], str]:
    """Return the query for what was said of all slides when the job was made, as JSON."""
    return lambda execute: str(execute("SELECT sources FROM job").fetchone()[0])


def series() -> Callable[[Execute], dict[str, str]]:
    """Return the query for the references, by DICOM series, of the items that were read and go on."""
    query = (
        "SELECT json_extract(info, '$.series') AS series, reference FROM items "
        "WHERE state NOT IN ('FOUND', 'SET_ASIDE') AND series IS NOT NULL"
    )
    return lambda execute: dict(execute(query))


def item(number: int) -> Callable[[Execute], ItemRow]:
    """Return the query for one item."""
    query = f"{_ITEM} WHERE number = ?"
    return lambda execute: ItemRow(*execute(query, (number,)).fetchone())


def items(numbers: Sequence[int]) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for some items, by number."""
    query = f"{_ITEM} WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"
    return lambda execute: [ItemRow(*row) for row in execute(query, (json.dumps(list(numbers)),))]


def unchanged_since(numbers: Sequence[int], moment: float) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for those of some items that have been in their state since before a moment."""
    query = f"{_ITEM} WHERE number IN (SELECT value FROM json_each(?)) AND changed_at < ? ORDER BY number"
    return lambda execute: [ItemRow(*row) for row in execute(query, (json.dumps(list(numbers)), moment))]


def members(intent: int) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for the items of an intent."""
    query = f"{_ITEM} WHERE number IN (SELECT item FROM members WHERE intent = ?) ORDER BY number"
    return lambda execute: [ItemRow(*row) for row in execute(query, (intent,))]


def intents_in(*states: IntentState, limit: int = -1) -> Callable[[Execute], list[IntentRow]]:
    """Return the query for intents in any of some states, the oldest first."""
    query = f"{_INTENT} WHERE state IN (SELECT value FROM json_each(?)) ORDER BY intents.number LIMIT ?"
    return lambda execute: [IntentRow(*row) for row in execute(query, (json.dumps(states), limit))]


def others_runs(intent: int) -> Callable[[Execute], frozenset[str]]:
    """Return the query for runs that can't belong to an intent: seen before its sealing, or another's."""
    query = (
        "SELECT run_id FROM seen WHERE number <= (SELECT known_before FROM intents WHERE number = ?) "
        "OR (intent IS NOT NULL AND intent <> ?)"
    )
    return lambda execute: frozenset(row[0] for row in execute(query, (intent, intent)))


def committed() -> Callable[[Execute], int]:
    """Return the query for how many items were sent, or are uploaded and wait to be sent."""
    count = billed()
    query = "SELECT count(*) FROM items WHERE state = 'STORED'"
    return lambda execute: count(execute) + int(execute(query).fetchone()[0])


def counts() -> Callable[[Execute], dict[ItemState, int]]:
    """Return the query for how many items are in each state."""
    return lambda execute: {
        ItemState(state): count
        for state, count in execute("SELECT state, count(*) FROM items GROUP BY state ORDER BY state")
    }


def attempts() -> Callable[[Execute], list[Attempt]]:
    """Return the query for all requests for runs."""
    query = "SELECT intent, mark, holder, outcome FROM attempts ORDER BY number"
    return lambda execute: [Attempt(*row) for row in execute(query)]


def requests() -> Callable[[Execute], int]:
    """Return the query for how many requests for runs were written down."""
    return lambda execute: int(execute("SELECT count(*) FROM attempts").fetchone()[0])


def waiting() -> Callable[[Execute], list[Waiting]]:
    """Return the query for items that may be sealed, in the order of work."""
    query = "SELECT number, attempts FROM items WHERE state = 'STORED' ORDER BY turn, number"
    return lambda execute: [Waiting(*row) for row in execute(query)]


def intent(number: int) -> Callable[[Execute], IntentRow]:
    """Return the query for one intent."""
    query = f"{_INTENT} WHERE intents.number = ?"
    return lambda execute: IntentRow(*execute(query, (number,)).fetchone())


def job() -> Callable[[Execute], JobRow]:
    """Return the query for the job; it raises JobDatabaseError if the database holds none."""

    def query(execute: Execute) -> JobRow:
        row = execute("SELECT id, created_at, plan, epoch, identity, finished_at FROM job").fetchone()
        if row is None:
            raise JobDatabaseError("the database holds no job; restore a copy, or create the job again")
        return JobRow(*row)

    return query


def folder_names() -> Callable[[Execute], dict[int, str]]:
    """Return the query for the names of the items' result folders, by number; no two items share one."""
    return lambda execute: distinct_names(dict(execute("SELECT number, reference FROM items")))


def billed() -> Callable[[Execute], int]:
    """Return the query for how many items were or will be analysed, without those of refused chunks."""
    query = "SELECT coalesce(sum(size), 0) FROM intents WHERE state <> 'DISSOLVED'"
    return lambda execute: int(execute(query).fetchone()[0])


def output_path(path: str, results: Path) -> Path:
    """Return the path of an output: the folder of its job may have been moved or copied since."""
    return results.joinpath(*Path(path).parts[-2:])


def files(results: Path) -> Callable[[Execute], list[tuple[int, str, Path, int, str | None]]]:
    """Return the query for downloaded files: item, artifact, path, bytes and checksum."""
    query = (
        "SELECT item, artifact_id, path, size, crc32c FROM outputs "
        "WHERE status IN ('VERIFIED', 'PRESENT', 'UNVERIFIED') ORDER BY item"
    )
    return lambda execute: [
        (item, artifact_id, output_path(path, results), size, crc32c)
        for item, artifact_id, path, size, crc32c in execute(query)
    ]


def objects_of(state: ItemState) -> Callable[[Execute], list[tuple[int, str]]]:
    """Return the query for the keys of objects in the store whose items are in a state."""
    query = "SELECT number, key FROM items WHERE state = ? AND uri IS NOT NULL AND key IS NOT NULL"
    return lambda execute: execute(query, (state,)).fetchall()


def newest_runs(limit: int) -> Callable[[Execute], list[str]]:
    """Return the query for the job's newest runs that have not vanished."""
    query = (
        "SELECT run_id FROM intents JOIN seen USING (run_id) WHERE seen.status <> 'VANISHED' "
        "ORDER BY intents.number DESC LIMIT ?"
    )
    return lambda execute: [row[0] for row in execute(query, (limit,))]


def doubted() -> Callable[[Execute], RequestTime | None]:
    """Return the query for the latest request that was repeated because its answer was lost.

    It may still create a run. None if there is none.
    """
    query = (
        "SELECT sent_at, server_date FROM attempts AS lost WHERE outcome = 'UNKNOWN' "
        "AND EXISTS (SELECT 1 FROM attempts WHERE intent = lost.intent AND number > lost.number) "
        "ORDER BY number DESC LIMIT 1"
    )

    def found(execute: Execute) -> RequestTime | None:
        row = execute(query).fetchone()
        return None if row is None else RequestTime(*row)

    return found


def runs_under_way() -> Callable[[Execute], list[OwnRun]]:
    """Return the query for the job's runs that have not ended, the oldest first."""
    query = (
        "SELECT intents.number, intents.run_id, intents.tag FROM intents JOIN seen USING (run_id) "
        "WHERE state = 'CREATED' AND ended_at IS NULL ORDER BY intents.number"
    )
    return lambda execute: [OwnRun(*row) for row in execute(query)]


def duplicates() -> Callable[[Execute], frozenset[str]]:
    """Return the query for second runs of the job's intents."""
    query = "SELECT run_id FROM seen WHERE is_duplicate"
    return lambda execute: frozenset(row[0] for row in execute(query))


def known_runs() -> Callable[[Execute], frozenset[str]]:
    """Return the query for runs that need not be read.

    They are those of an intent, those from before the job, and those that a person has decided about.
    """
    query = (
        "SELECT run_id FROM seen WHERE intent IS NOT NULL OR number <= (SELECT baseline FROM job) "
        "UNION SELECT billed_run FROM items WHERE may_be_rebilled"
    )
    return lambda execute: frozenset(row[0] for row in execute(query))


def own_runs() -> Callable[[Execute], frozenset[str]]:
    """Return the query for all runs of the job, second ones included."""
    query = "SELECT run_id FROM seen WHERE intent IS NOT NULL"
    return lambda execute: frozenset(row[0] for row in execute(query))


def own_intents() -> Callable[[Execute], dict[str, int]]:
    """Return the query for the intents that have a run, by its id."""
    query = "SELECT run_id, number FROM intents WHERE run_id IS NOT NULL"
    return lambda execute: dict(execute(query))


def has_unsent() -> Callable[[Execute], bool]:
    """Return the query for whether there are items without a run that a run may still be created of."""
    query = "SELECT 1 FROM items WHERE state IN ('FOUND', 'READY', 'SENDING', 'STORED', 'ASSIGNED') LIMIT 1"
    return lambda execute: execute(query).fetchone() is not None


def held_items() -> Callable[[Execute], dict[str, str]]:
    """Return the query for the items that are held for a decision: by reference, the earlier run."""
    query = (
        "SELECT reference, billed_run FROM items "
        "WHERE state = 'SET_ASIDE' AND billed_run IS NOT NULL AND NOT may_be_rebilled ORDER BY number"
    )
    return lambda execute: dict(execute(query))
