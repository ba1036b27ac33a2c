"""Retries of quarantined and failed items, and how many of them would be billed again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from attrs import frozen

from ._commands import move_item
from ._queries import ItemRow, items_numbered
from ._run_commands import VANISHED, open_intents
from ._states import ItemState
from ._writer import Execute

_CLEARED: Mapping[str, Any] = {"fault": None, "remedy": None, "attempts": 0}
_A_DAY = 86_400.0  # seconds
_UNSENT = {"run_id": None, "intent": None, "item_id": None, "status": None, "error": None}
_READ_AGAIN = {"uri": None, "etag": None, "info": None, "fingerprint": None}
NOTHING: Mapping[int, Mapping[str, Any]] = {}


def retry(
    *,
    failed: bool,
    rerun: bool = False,
    only: Collection[int] | None = None,
    corrections: Mapping[int, Mapping[str, Any]] = NOTHING,
) -> Callable[[Execute], int]:
    """Return the command that lets quarantined items go on; gives how many.

    With `failed` those go on too that the platform ended without results, with `rerun` those that are held
    because an earlier run has results of the same slide. `only` names items by number. Items with
    `corrections`, which are columns by number, are read again.
    """

    def command(execute: Execute) -> int:
        count = 0
        for item in _retried(execute, failed=failed, rerun=rerun, only=only):
            count += 1
            if item.state is ItemState.SUCCEEDED:
                move_item(item.number, item.state, **_CLEARED)(execute)
                continue
            execute("UPDATE members SET is_live = 0 WHERE item = ? AND is_live", (item.number,))
            execute("DELETE FROM outputs WHERE item = ?", (item.number,))  # of the earlier run
            state, columns = item.state, {**_CLEARED, **_UNSENT}
            if item.is_held:
                columns["may_be_rebilled"] = 1
            if item.number in corrections:
                state, columns = ItemState.FOUND, {**columns, **_READ_AGAIN, **corrections[item.number]}
            move_item(item.number, state, **columns)(execute)
        open_intents()(execute)
        if count:
            execute("UPDATE job SET cancelled_at = NULL")
        return count

    return command


def retryable(
    *, failed: bool, rerun: bool, only: Collection[int] | None = None
) -> Callable[[Execute], list[ItemRow]]:
    """Return the query for the items that `retry` would send, those that have results excepted."""

    def query(execute: Execute) -> list[ItemRow]:
        items = _retried(execute, failed=failed, rerun=rerun, only=only)
        return items_numbered(item.number for item in items if item.state is not ItemState.SUCCEEDED)(execute)

    return query


def count_retries(
    *, failed: bool, rerun: bool, only: Collection[int] | None = None
) -> Callable[[Execute], int]:
    """Return the query for how many items a retry would let go on."""
    return lambda execute: sum(1 for _ in _retried(execute, failed=failed, rerun=rerun, only=only))


def count_billable_retries(
    *, failed: bool, rerun: bool, only: Collection[int] | None = None
) -> Callable[[Execute], int]:
    """Return the query for how many items a retry would let be billed again."""

    def query(execute: Execute) -> int:
        items = _retried(execute, failed=failed, rerun=rerun, only=only)
        return sum(item.is_held or item.had_run for item in items)

    return query


@frozen
class _Retried:
    """An item that goes on."""

    number: int
    state: ItemState
    """Its state then."""
    is_held: bool
    """Whether it was held because an earlier run has results of the same slide."""
    had_run: bool
    """Whether it had a run that gives it no results."""


def _retried(
    execute: Execute, *, failed: bool, rerun: bool, only: Collection[int] | None
) -> Iterator[_Retried]:
    query = (
        "SELECT items.number, items.state, uri, items.run_id, item_id, seen.status, "
        "billed_run IS NOT NULL AND NOT may_be_rebilled, items.changed_at "
        "FROM items LEFT JOIN seen ON seen.run_id = items.run_id WHERE items.state IN (?, ?)"
    )
    rows = execute(query, (ItemState.QUARANTINED, ItemState.FAILED)).fetchall()
    for number, state, uri, run_id, item_id, run_status, is_held, changed_at in rows:
        was_sent = run_id is not None
        is_there = was_sent and item_id is not None and run_status != VANISHED
        if only is not None and number not in only:
            continue
        if state == ItemState.QUARANTINED and is_there:
            yield _Retried(number, ItemState.SUCCEEDED, is_held=False, had_run=False)
        elif (not was_sent or failed) and (not is_held or rerun):  # else it would be billed again
            # What is known from an adopted run only was never uploaded by this job. An object that is old
            # may have ended: it is looked for in the store again, and uploaded where it is gone.
            is_stored = uri and time.time() - changed_at < _A_DAY
            state_then = ItemState.STORED if is_stored else ItemState.FOUND
            yield _Retried(number, state_then, is_held=bool(is_held), had_run=was_sent)
