"""What is read from a job's database, each a function for the reader; rows as they stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

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
    key: str | None
    uri: str | None
    crc32c: str | None
    intent: int | None
    run_id: str | None
    item_id: str | None
    status: str | None
    error: str | None


@frozen
class IntentRow:
    """An intent, with the server's date of its first request and of its latest."""

    number: int
    state: IntentState = field(converter=IntentState)
    tag: str
    known_before: int
    run_id: str | None
    reason: str | None
    first_asked: float | None
    last_asked: float | None
    requests: int


_ITEM = """
SELECT number, uuid, reference, state, fault, attempts, path, overrides, info, size, key, uri, crc32c, intent,
       run_id, item_id, status, error
FROM items
"""
_NOT_BEYOND = "number NOT IN (SELECT value FROM json_each(?))"
_INTENT = """
SELECT intents.number, state, tag, known_before, run_id, reason,
       (SELECT server_date FROM attempts WHERE intent = intents.number ORDER BY number LIMIT 1),
       (SELECT server_date FROM attempts WHERE intent = intents.number ORDER BY number DESC LIMIT 1),
       (SELECT count(*) FROM attempts WHERE intent = intents.number)
FROM intents
"""


def items_in(
    state: ItemState, *, beyond: Sequence[int] = (), most: int = -1
) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for items in a state, in the order of work; those `beyond` are left out."""
    query = f"{_ITEM} WHERE state = ? AND {_NOT_BEYOND} ORDER BY turn, number LIMIT ?"
    values = (state, json.dumps(list(beyond)), most)
    return lambda execute: [ItemRow(*row) for row in execute(query, values)]


def members(intent: int) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for the items of an intent."""
    query = f"{_ITEM} WHERE number IN (SELECT item FROM members WHERE intent = ?) ORDER BY number"
    return lambda execute: [ItemRow(*row) for row in execute(query, (intent,))]


def intents_in(*states: IntentState) -> Callable[[Execute], list[IntentRow]]:
    """Return the query for intents in any of some states, the oldest first."""
    query = f"{_INTENT} WHERE state IN (SELECT value FROM json_each(?)) ORDER BY intents.number"
    return lambda execute: [IntentRow(*row) for row in execute(query, (json.dumps(states),))]


def others_runs(intent: int) -> Callable[[Execute], frozenset[str]]:
    """Return the query for runs that can't be an intent's: seen before it was sealed, or another one's."""
    query = (
        "SELECT run_id FROM seen WHERE number <= (SELECT known_before FROM intents WHERE number = ?) "
        "OR (intent IS NOT NULL AND intent <> ?)"
    )
    return lambda execute: frozenset(row[0] for row in execute(query, (intent, intent)))


def counts() -> Callable[[Execute], dict[ItemState, int]]:
    """Return the query for how many items are in each state."""
    return lambda execute: {
        ItemState(state): count
        for state, count in execute("SELECT state, count(*) FROM items GROUP BY state ORDER BY state")
    }


def attempts() -> Callable[[Execute], int]:
    """Return the query for how many requests for runs were written down."""
    return lambda execute: int(execute("SELECT count(*) FROM attempts").fetchone()[0])
