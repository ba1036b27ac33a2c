"""The commands that change a job's database: functions for the writer, each applied whole or not at all.

The commands and the tables reject what must never happen: an item in two intents that may become runs, a run
of two intents, two requests of one intent under way, a state that may not follow the one before.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from attrs import field, frozen

from ...errors import JobStateError
from ._states import ADOPTABLE, AttemptOutcome, IntentState, ItemState, before
from ._writer import Execute


@frozen(kw_only=True)
class NewItem:
    """An item as it comes from a folder or a manifest."""

    reference: str
    path: str
    shuffle_key: int
    """Its place in the order of work. It is random, so that no two jobs have the same chunks."""
    overrides: Mapping[str, Any]
    state: ItemState = ItemState.FOUND
    """READY for a slide that was read, QUARANTINED for one that can't continue."""
    columns: Mapping[str, Any] = field(factory=dict)
    """What is known of it, by column."""


def add_items(items: Sequence[NewItem]) -> Callable[[Execute], int]:
    """Return the command that adds items to the job; gives how many were new."""
    now = time.time()

    def command(execute: Execute) -> int:
        new = 0
        for item in items:
            row = {
                "uuid": str(uuid.uuid4()),
                "reference": item.reference,
                "turn": item.shuffle_key,
                "state": item.state,
                "path": item.path,
                "overrides": json.dumps(item.overrides),
                "changed_at": now,
                **item.columns,
            }
            query = (
                f"INSERT INTO items ({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) "
                "ON CONFLICT (reference) DO NOTHING"
            )
            new += execute(query, tuple(row.values())).rowcount
        execute("UPDATE job SET taken_in = taken_in + ?", (new,))
        return new

    return command


def renumber() -> Callable[[Execute], None]:
    """Return the command that numbers the items of a new job in the order of work.

    Items that are worked on together are then stored together, and a commit writes a few pages instead of
    one for each item.
    """
    query = (
        "UPDATE items SET number = place - ? FROM (SELECT number AS found, row_number() OVER "
        "(ORDER BY turn, number) AS place FROM items) WHERE number = found"
    )

    def command(execute: Execute) -> None:
        (max_number,) = execute("SELECT coalesce(max(number), 0) + 1 FROM items").fetchone()
        # Through numbers that no item has.
        execute(query, (2 * max_number,))
        execute("UPDATE items SET number = number + ?", (2 * max_number,))

    return command


def move_item(number: int, state: ItemState, **columns: Any) -> Callable[[Execute], None]:
    """Return the command that moves an item to a state and sets columns; it raises JobStateError."""
    return lambda execute: _move(execute, [number], state, columns)


def move_items(numbers: Iterable[int], state: ItemState, **columns: Any) -> Callable[[Execute], None]:
    """Return the command that moves several items, all or none."""
    listed = list(numbers)
    return lambda execute: _move(execute, listed, state, columns)


def _move(execute: Execute, numbers: Sequence[int], state: ItemState, columns: Mapping[str, Any]) -> None:
    _update(execute, numbers, _moving(state, before(state), *columns), columns, f"become {state}")


def adopt_items(execute: Execute, numbers: Sequence[int], intent: int, run_id: str) -> None:
    """Give items a run that the platform turned out to have; raises JobStateError if one has a run."""
    columns = {"intent": intent, "run_id": run_id, "fault": None, "remedy": None, "billed_run": None}
    query = _moving(ItemState.SUBMITTED, ADOPTABLE, *columns) + " AND run_id IS NULL"
    _update(execute, numbers, query, columns, f"be adopted by run {run_id}")


def _update(
    execute: Execute, numbers: Sequence[int], query: str, columns: Mapping[str, Any], what: str
) -> None:
    now = time.time()
    for number in numbers:
        if execute(query, (now, *columns.values(), number)).rowcount != 1:
            raise JobStateError(f"item {number} can't {what} from what it is")


@cache
def _moving(state: ItemState, allowed_before: tuple[ItemState, ...], *columns: str) -> str:
    names = "".join(f", {name} = ?" for name in columns)
    allowed = ", ".join(f"'{each}'" for each in allowed_before)
    return (
        f"UPDATE items SET state = '{state}', changed_at = ?{names} WHERE number = ? AND state IN ({allowed})"
    )


def quarantine(number: int, fault: str, remedy: str | None, **columns: Any) -> Callable[[Execute], bool]:
    """Return the command that lets the others go on without an item and sets columns; gives False for a final
    one.
    """

    def command(execute: Execute) -> bool:
        (state,) = execute("SELECT state FROM items WHERE number = ?", (number,)).fetchone()
        if ItemState(state).is_final:
            return False
        _move(execute, [number], ItemState.QUARANTINED, {"fault": fault, "remedy": remedy, **columns})
        return True

    return command


def set_item(number: int, **columns: Any) -> Callable[[Execute], None]:
    """Return the command that sets columns of an item and keeps its state."""
    names = ", ".join(f"{name} = ?" for name in columns)

    def command(execute: Execute) -> None:
        execute(f"UPDATE items SET {names} WHERE number = ?", (*columns.values(), number))

    return command


IN_DOUBT = "the job was cancelled; "
"""The prefix of the reason of an intent that may have had a run when the job was cancelled."""


def is_cancelled(reason: str | None) -> bool:
    """Return whether an open decision about an intent, with this reason, belongs to a cancelled job. Pure."""
    return reason is not None and reason.startswith(IN_DOUBT)


def cancel(fault: str, remedy: str) -> Callable[[Execute], None]:
    """Return the command that cancels the job: it quarantines the items that were not sent.

    An intent that may have a run is left to a person's decision.
    """

    def command(execute: Execute) -> None:
        execute("UPDATE job SET cancelled_at = ?", (time.time(),))
        for (intent,) in execute("SELECT number FROM intents WHERE state = 'SEALED'").fetchall():
            _unseal(execute, intent, fault)
        execute("UPDATE attempts SET outcome = 'UNKNOWN' WHERE outcome IS NULL")
        for (intent,) in execute("SELECT number FROM intents WHERE state = 'SENDING'").fetchall():
            move_intent(execute, intent, IntentState.UNKNOWN)
        for (intent,) in execute("SELECT number FROM intents WHERE state = 'UNKNOWN'").fetchall():
            reason = f"{IN_DOUBT}nobody knew whether it has a run"
            move_intent(execute, intent, IntentState.AMBIGUOUS, reason=reason)
        query = "UPDATE intents SET reason = ? || reason WHERE state = 'AMBIGUOUS' AND instr(reason, ?) <> 1"
        execute(query, (IN_DOUBT, IN_DOUBT))
        query = "SELECT number FROM items WHERE state IN ('FOUND', 'READY', 'SENDING', 'STORED')"
        unsent = [row[0] for row in execute(query)]
        _move(execute, unsent, ItemState.QUARANTINED, {"fault": fault, "remedy": remedy})

    return command


def hold(
    run_of: Mapping[int, str], fault: Callable[[str], str], remedy: str
) -> Callable[[Execute], list[int]]:
    """Return the command that quarantines items, by number, of which an earlier run was found.

    A person decides whether they are billed again. An item that may have been sent, and one that a person has
    decided about, are left as they are. Gives the numbers of the held ones.
    """

    def command(execute: Execute) -> list[int]:
        held = []
        for number, run_id in run_of.items():
            query = (
                "SELECT intents.number FROM items LEFT JOIN intents ON intents.number = items.intent "
                "WHERE items.number = ? AND items.run_id IS NULL AND items.state <> 'FAILED' "
                "AND NOT may_be_rebilled AND billed_run IS NULL "
                "AND coalesce(intents.state, 'SEALED') = 'SEALED'"
            )
            row = execute(query, (number,)).fetchone()
            if row is None:
                continue
            if row[0] is not None:
                _unseal(execute, row[0], f"run {run_id} was found")
            columns = {"fault": fault(run_id), "remedy": remedy, "billed_run": run_id}
            if execute("SELECT 1 FROM items WHERE number = ? AND state = 'SET_ASIDE'", (number,)).fetchone():
                set_item(number, **columns)(execute)
            else:
                _move(execute, [number], ItemState.QUARANTINED, columns)
            held.append(number)
        return held

    return command


def allow_rebilling(run_of: Mapping[str, str]) -> Callable[[Execute], None]:
    """Return the command that lets items be billed again, by reference, whatever their earlier run has."""

    def command(execute: Execute) -> None:
        query = "UPDATE items SET may_be_rebilled = 1, billed_run = ? WHERE reference = ?"
        for reference, run_id in run_of.items():
            execute(query, (run_id, reference))

    return command


def unseal(plan: str) -> Callable[[Execute], int]:
    """Return the command that dissolves chunks of which no request is open, to be sealed under another plan.

    Gives how many.
    """

    def command(execute: Execute) -> int:
        execute("UPDATE job SET plan = ?", (plan,))
        intents = execute("SELECT number FROM intents WHERE state = 'SEALED'").fetchall()
        for (intent,) in intents:
            _unseal(execute, intent, "its items are in chunks of another size")
        return len(intents)

    return command


def dissolve(intent: int, reason: str) -> Callable[[Execute], None]:
    """Return the command that dissolves a chunk of which no request is open; its items wait for another."""
    return lambda execute: _unseal(execute, intent, reason)


def _unseal(execute: Execute, intent: int, reason: str) -> None:
    members = [row[0] for row in execute("SELECT item FROM members WHERE intent = ? AND is_live", (intent,))]
    execute("UPDATE members SET is_live = 0 WHERE intent = ?", (intent,))
    _move(execute, members, ItemState.STORED, {"intent": None})
    move_intent(execute, intent, IntentState.DISSOLVED, reason=reason)


def seal(numbers: Sequence[int], *, tag: str = "") -> Callable[[Execute], int]:
    """Return the command that seals items into an intent; gives its number.

    `tag` is the tag of the job; the intent appends its number.
    """
    ident, now = str(uuid.uuid4()), time.time()

    def command(execute: Execute) -> int:
        query = (
            "INSERT INTO intents (uuid, tag, sealed_at, size, known_before) "
            "SELECT ?, ?, ?, ?, coalesce(max(number), 0) FROM seen"
        )
        intent = execute(query, (ident, "", now, len(numbers))).lastrowid or 0
        if tag:
            execute("UPDATE intents SET tag = ? WHERE number = ?", (f"{tag}.{intent}", intent))
        _move(execute, numbers, ItemState.ASSIGNED, {"intent": intent})
        for number in numbers:
            execute("INSERT INTO members (intent, item) VALUES (?, ?)", (intent, number))
        return intent

    return command


def begin(
    intent: int, server_date: float | None, *, mark: str | None = None, holder: str | None = None
) -> Callable[[Execute], int]:
    """Return the command that writes down a request that is about to be sent; gives its number.

    `mark` is the token that its run will carry, `holder` that of this process; None for a run without a mark.
    """

    def command(execute: Execute) -> int:
        move_intent(execute, intent, IntentState.SENDING)
        query = "INSERT INTO attempts (intent, sent_at, server_date, mark, holder) VALUES (?, ?, ?, ?, ?)"
        return execute(query, (intent, time.time(), server_date, mark, holder)).lastrowid or 0

    return command


def conclude(
    intent: int, outcome: AttemptOutcome, state: IntentState, run_id: str | None = None, reason: str = ""
) -> Callable[[Execute], None]:
    """Return the command that writes down the outcome of the request under way."""

    def command(execute: Execute) -> None:
        query = "UPDATE attempts SET outcome = ?, told = ? WHERE intent = ? AND outcome IS NULL"
        if execute(query, (outcome, reason, intent)).rowcount != 1:
            raise JobStateError(f"no request of intent {intent} is under way")
        _settle(execute, intent, state, run_id, reason)

    return command


def resolve(
    intent: int, state: IntentState, run_id: str | None = None, reason: str = ""
) -> Callable[[Execute], None]:
    """Return the command that writes down what listings or a person have found out about an intent."""
    return lambda execute: _settle(execute, intent, state, run_id, reason)


def doubt(intent: int, reason: str) -> Callable[[Execute], None]:
    """Return the command that leaves an intent that a request was sent for to a person's decision."""

    def command(execute: Execute) -> None:
        execute("UPDATE attempts SET outcome = 'UNKNOWN' WHERE intent = ? AND outcome IS NULL", (intent,))
        (state,) = execute("SELECT state FROM intents WHERE number = ?", (intent,)).fetchone()
        if state == IntentState.SENDING:
            move_intent(execute, intent, IntentState.UNKNOWN)
        if state != IntentState.AMBIGUOUS:
            move_intent(execute, intent, IntentState.AMBIGUOUS, reason=reason)

    return command


def _settle(execute: Execute, intent: int, state: IntentState, run_id: str | None, reason: str) -> None:
    move_intent(execute, intent, state, run_id=run_id, reason=reason or None)
    if state is IntentState.CREATED:
        query = (
            "INSERT INTO seen (run_id, triggered_at, status, intent) VALUES (?, ?, 'RECEIVED', ?) "
            "ON CONFLICT (run_id) DO UPDATE SET intent = excluded.intent, is_duplicate = 0"
        )
        execute(query, (run_id, time.time(), intent))
        waiting = [
            row[0]
            for row in execute("SELECT number FROM items WHERE intent = ? AND state = 'ASSIGNED'", (intent,))
        ]
        _move(execute, waiting, ItemState.SUBMITTED, {"run_id": run_id})
    elif state is IntentState.DISSOLVED:
        _dissolve(execute, intent, reason)


def _dissolve(execute: Execute, intent: int, reason: str) -> None:
    """Release the items of a refused intent, to be sealed in smaller ones, or quarantine its only item."""
    members = [row[0] for row in execute("SELECT item FROM members WHERE intent = ? AND is_live", (intent,))]
    execute("UPDATE members SET is_live = 0 WHERE intent = ?", (intent,))
    if len(members) == 1:
        fault = f"the platform refused it: {reason}"
        _move(execute, members, ItemState.QUARANTINED, {"intent": None, "fault": fault})
        return
    _move(execute, members, ItemState.STORED, {"intent": None})
    for number in members:
        execute("UPDATE items SET attempts = attempts + 1 WHERE number = ?", (number,))


def move_intent(execute: Execute, intent: int, state: IntentState, **columns: Any) -> None:
    """Move an intent to a state and set columns of it; raises JobStateError where it may not follow."""
    allowed = before(state)
    given = {name: value for name, value in columns.items() if value is not None}
    names = "".join(f", {name} = ?" for name in given)
    # An intent keeps its run.
    free = " AND run_id IS NULL" if "run_id" in given else ""
    query = (
        f"UPDATE intents SET state = ?{names} "
        f"WHERE number = ? AND state IN ({', '.join('?' * len(allowed))}){free}"
    )
    if execute(query, (state, *given.values(), intent, *allowed)).rowcount != 1:
        raise JobStateError(f"intent {intent} can't become {state} from what it is")
