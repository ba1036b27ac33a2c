"""Retries of quarantined and failed items, and how many of them would be billed again."""

from __future__ import annotations

from collections.abc import Callable

from ._commands import move_item
from ._run_commands import VANISHED, open_intents
from ._states import ItemState
from ._writer import Execute

_CLEARED = {"fault": None, "remedy": None, "attempts": 0}
_UNSENT = {"run_id": None, "intent": None, "item_id": None, "status": None, "error": None}


def retry(*, failed: bool) -> Callable[[Execute], int]:
    """Return the command that lets items go on which were set aside, and with `failed` those that failed."""

    def command(execute: Execute) -> int:
        query = (
            "SELECT items.number, items.state, uri, items.run_id, item_id, seen.status FROM items "
            "LEFT JOIN seen ON seen.run_id = items.run_id WHERE items.state IN (?, ?)"
        )
        rows = execute(query, (ItemState.QUARANTINED, ItemState.FAILED)).fetchall()
        count = 0
        for number, state, uri, run_id, item_id, run_status in rows:
            was_sent = run_id is not None
            is_there = was_sent and item_id is not None and run_status != VANISHED
            if state == ItemState.QUARANTINED and is_there:
                again = move_item(number, ItemState.SUCCEEDED, **_CLEARED)
            elif was_sent and not failed:
                continue  # a new run of it is paid
            else:
                # What is known from its run only, which was adopted, was never sent to the store by this job.
                anew = ItemState.STORED if uri else ItemState.FOUND
                execute("UPDATE members SET is_live = 0 WHERE item = ? AND is_live", (number,))
                again = move_item(number, anew, **_CLEARED, **_UNSENT)
            again(execute)
            count += 1
        open_intents()(execute)
        return count

    return command


def count_billable_retries(execute: Execute) -> int:
    """Return how many items a retry of failed ones would let be billed again."""
    query = (
        "SELECT count(*) FROM items LEFT JOIN seen ON seen.run_id = items.run_id "
        "WHERE items.state = 'FAILED' OR (items.state = 'SET_ASIDE' AND items.run_id IS NOT NULL "
        "AND (item_id IS NULL OR seen.status = ?))"
    )
    return int(execute(query, (VANISHED,)).fetchone()[0])
