"""The words of the page for states, and its numbers. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ..database._states import IntentState, ItemState
from ._audit import ItemOutcome

_UNDER_WAY: dict[str, str] = {
    ItemState.FOUND: "found",
    ItemState.READY: "ready",
    ItemState.SENDING: "uploading",
    ItemState.STORED: "uploaded",
    ItemState.ASSIGNED: "waiting for its run",
    ItemState.SUBMITTED: "being analysed",
    ItemState.SUCCEEDED: "results ready",
}
OUTCOMES = {
    ItemOutcome.DONE: "done",
    ItemOutcome.UNDER_WAY: "under way",
    ItemOutcome.UNDECIDED: "undecided",
    ItemOutcome.FAILED: "failed",
    ItemOutcome.QUARANTINED: "quarantined",
    ItemOutcome.LOST: "lost",
}
INTENTS: dict[str, str] = {
    IntentState.SEALED: "not requested yet",
    IntentState.SENDING: "being requested",
    IntentState.UNKNOWN: "reply lost, being searched for",
    IntentState.AMBIGUOUS: "undecided",
    IntentState.CREATED: "under way",
    IntentState.CLOSED: "all slides final",
    IntentState.DISSOLVED: "refused, its slides are in other runs",
}


def item_state(account: ItemOutcome, state: str) -> str:
    """Return how an item stands: how far it is, or what became of it."""
    return _UNDER_WAY.get(state, state) if account is ItemOutcome.UNDER_WAY else OUTCOMES[account]


def percent(part: int, whole: int) -> str:
    """Return a share that is 0 or 100 only if it is so."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %"


def iso(when: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, to the second."""
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def minute(when: datetime | None) -> str:
    """Return a moment for a person, in UTC, to the minute."""
    return "" if when is None else when.isoformat(" ", "minutes")[:16]


def plain(_instance: object, _attribute: object, value: Any) -> Any:
    """Return a value as what JSON can hold; a `value_serializer` of attrs."""
    if isinstance(value, Decimal):
        return str(value)
    return iso(value) if isinstance(value, datetime) else value
