"""Retries of quarantined and failed items, and how many of them would be billed again."""

from __future__ import annotations

from collections.abc import Callable

from ._commands import move_item
from ._run_commands import VANISHED, open_intents
from ._states import ItemState
from ._writer import Execute

_CLEARED = {"fault": None, "remedy": None, "attempts": 0}
_UNSENT = {"run_id": None, "intent": None, "item_id": None, "status": None, "error": None}


def retry(*, failed: bool, rerun: bool = False) -> Callable[[Execute], int]:
    """Return the command that lets quarantined items go on; gives how many.

    With `failed` those go on too that the platform ended without results, with `rerun` those that are held
    because an earlier run has results of the same slide.
    """

    def command(execute: Execute) -> int:
        query = (
            "SELECT items.number, items.state, uri, items.run_id, item_id, seen.status, "
            "billed_run IS NOT NULL AND NOT may_be_rebilled "
            "FROM items LEFT JOIN seen ON seen.run_id = items.run_id WHERE items.state IN (?, ?)"
        )
        rows = execute(query, (ItemState.QUARANTINED, ItemState.FAILED)).fetchall()
        count = 0
        for number, state, uri, run_id, item_id, run_status, is_held in rows:
            was_sent = run_id is not None
            is_there = was_sent and item_id is not None and run_status != VANISHED
            if state == ItemState.QUARANTINED and is_there:
                move_item(number, ItemState.SUCCEEDED, **_CLEARED)(execute)
            elif (was_sent and not failed) or (is_held and not rerun):
                continue  # it would be billed again
            else:
                # What is known from an adopted run only was never uploaded by this job.
                state_before = ItemState.STORED if uri else ItemState.FOUND
                execute("UPDATE members SET is_live = 0 WHERE item = ? AND is_live", (number,))
                decided = {"may_be_rebilled": 1} if is_held else {}
                move_item(number, state_before, **_CLEARED, **_UNSENT, **decided)(execute)
            count += 1
        open_intents()(execute)
        if count:
            execute("UPDATE job SET cancelled_at = NULL")
        return count

    return command


def count_billable_retries(*, failed: bool, rerun: bool) -> Callable[[Execute], int]:
    """Return the query for how many items a retry would let be billed again."""
    failures = (
        "SELECT count(*) FROM items LEFT JOIN seen ON seen.run_id = items.run_id "
        "WHERE items.state = 'FAILED' OR (items.state = 'SET_ASIDE' AND items.run_id IS NOT NULL "
        "AND (item_id IS NULL OR seen.status = ?))"
    )
    held = (
        "SELECT count(*) FROM items "
        "WHERE state = 'SET_ASIDE' AND billed_run IS NOT NULL AND NOT may_be_rebilled"
    )

    def query(execute: Execute) -> int:
        counts = [execute(failures, (VANISHED,)).fetchone()[0] if failed else 0]
        counts.append(execute(held).fetchone()[0] if rerun else 0)
        return sum(counts)

    return query
