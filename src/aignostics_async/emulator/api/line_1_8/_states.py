"""The states of contract 1.8, from the statuses of the core."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from typing import Any

from attrs import frozen

from ...platform._stored import FINAL, OPEN, StoredItem, StoredRun

_RUN_REASONS = {
    "COMPLETED": "ALL_ITEMS_PROCESSED",
    "COMPLETED_WITH_ERROR": "ALL_ITEMS_PROCESSED",
    "CANCELED_USER": "CANCELED_BY_USER",
    "CANCELED_SYSTEM": "CANCELED_BY_SYSTEM",
    # A REJECTED run has no reason here.
}
_ITEM_REASONS = {
    "SUCCEEDED": "SUCCEEDED",
    "ERROR_USER": "USER_ERROR",
    "ERROR_SYSTEM": "SYSTEM_ERROR",
    "CANCELED_USER": "SKIPPED",
    "CANCELED_SYSTEM": "SKIPPED",
    "SKIPPED": "SKIPPED",
}
_SKIPPED = {
    "CANCELED_USER": "The item was not processed because the run was cancelled by the user.",
    "CANCELED_SYSTEM": "The item was not processed because the run was cancelled by the system.",
}


def _reason_sql(reasons: dict[str, str]) -> str:
    cases = " ".join(f"WHEN last.status = {status!r} THEN {reason!r}" for status, reason in reasons.items())
    return f"CASE {cases} END"


# The sortable states of listings, as SQL.
_FINAL_SQL = f"last.status IN ({', '.join(map(repr, sorted(FINAL)))})"
RUN_COLUMNS = {
    "state": f"CASE WHEN {_FINAL_SQL} THEN 3 WHEN last.status = 'RUNNING' THEN 2 ELSE 1 END",
    "terminated_at": f"CASE WHEN {_FINAL_SQL} THEN last.at END",
    "termination_reason": _reason_sql(_RUN_REASONS),
}
_ITEM_STATUS = "coalesce(last.status, 'PENDING')"
_DONE_SQL = f"{_ITEM_STATUS} NOT IN ('PENDING', 'PROCESSING')"
ITEM_COLUMNS = {
    "state": f"CASE WHEN {_DONE_SQL} THEN 3 WHEN {_ITEM_STATUS} = 'PROCESSING' THEN 2 ELSE 1 END",
    "terminated_at": f"CASE WHEN {_DONE_SQL} THEN last.at END",
    "termination_reason": _reason_sql(_ITEM_REASONS),
}


@frozen
class ItemCounts:
    """How many items of a run there are in each state."""

    total: int
    pending: int
    processing: int
    by_reason: Counter[str]

    @classmethod
    def of(cls, run: StoredRun, statuses: Counter[str]) -> ItemCounts:
        """Return the counts of a run from an aggregate of its items' statuses."""
        by_reason: Counter[str] = Counter()
        for status, reason in _ITEM_REASONS.items():
            by_reason[reason] += statuses[status]
        processing = statuses["PROCESSING"]
        pending = run.item_count - processing - by_reason.total()
        return cls(run.item_count, pending, processing, by_reason)

    def as_json(self) -> dict[str, int]:
        """Return the counts as RunItemStatistics."""
        return {
            "item_count": self.total,
            "item_pending_count": self.pending,
            "item_processing_count": self.processing,
            "item_user_error_count": self.by_reason["USER_ERROR"],
            "item_system_error_count": self.by_reason["SYSTEM_ERROR"],
            "item_skipped_count": self.by_reason["SKIPPED"],
            "item_succeeded_count": self.by_reason["SUCCEEDED"],
        }

    @property
    def output(self) -> str:
        """How much of the run's output there is: NONE, PARTIAL or FULL."""
        succeeded = self.by_reason["SUCCEEDED"]
        return "NONE" if succeeded == 0 else "FULL" if succeeded == self.total else "PARTIAL"


def run_state(run: StoredRun, counts: ItemCounts) -> tuple[str, str | None]:
    """Return the state and the termination reason of a run.

    A running run goes back to PENDING whenever some items are finished and none is being processed.
    """
    if run.status in FINAL:
        return "TERMINATED", _RUN_REASONS.get(run.status)
    is_under_way = run.status == "RUNNING" and not counts.by_reason.total()
    return ("PROCESSING" if counts.processing or is_under_way else "PENDING"), None


def item_state(item: StoredItem) -> tuple[str, str | None]:
    """Return the state and the termination reason of an item."""
    if item.status in OPEN:
        return item.status, None
    return "TERMINATED", _ITEM_REASONS.get(item.status)


def item_message(item: StoredItem) -> str | None:
    """Return the error message of an item."""
    return item.error or _SKIPPED.get(item.status)


def statuses_of(state: str | None, reason: str | None) -> list[str] | None:
    """Return the core's statuses of items with a state and a termination reason; None for all items."""
    if state is None and reason is None:
        return None
    found: set[str] = {*OPEN, *_ITEM_REASONS}
    if state is not None:
        found &= set(_ITEM_REASONS) if state == "TERMINATED" else {state}
    if reason is not None:
        found &= {status for status, own in _ITEM_REASONS.items() if own == reason}
    return sorted(found)


def is_over(value: StoredRun) -> bool:
    """Return whether a run is TERMINATED."""
    return value.status in FINAL


def checksum_of(metadata: Any) -> str | None:
    """Return the checksum of custom metadata, which does not depend on the order of keys; None for none."""
    if metadata is None:
        return None
    return f"{zlib.crc32(json.dumps(metadata, sort_keys=True, separators=(',', ':')).encode()):08x}"
