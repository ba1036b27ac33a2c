"""From states and termination reasons to the statuses that users know, and back for filters. Pure.

1.8 tells in two fields what 1.0 tells in one status. Whatever has terminated is final, also for a reason that
this release does not know: it would be watched for ever.
"""

from __future__ import annotations

from collections.abc import Collection

from aignostics_api_1_8.models import ItemState, ItemTerminationReason

from ...models import ItemStatus, RunStatistics, RunStatus

_TERMINATED = "TERMINATED"
_RUN_ENDS = {
    "CANCELED_BY_USER": RunStatus.CANCELED_USER,
    "CANCELED_BY_SYSTEM": RunStatus.CANCELED_SYSTEM,
}
_ITEM_STATES = {"PENDING": ItemStatus.PENDING, "PROCESSING": ItemStatus.PROCESSING}
_ITEM_ENDS = {
    "SUCCEEDED": ItemStatus.SUCCEEDED,
    "USER_ERROR": ItemStatus.ERROR_USER,
    "SYSTEM_ERROR": ItemStatus.ERROR_SYSTEM,
    "SKIPPED": ItemStatus.SKIPPED,
}
_STATE_OF = {status: ItemState(name) for name, status in _ITEM_STATES.items()}
_REASON_OF = {status: ItemTerminationReason(name) for name, status in _ITEM_ENDS.items()}


def run_status(state: str, reason: str | None, counts: RunStatistics, *, has_ended: bool) -> RunStatus:
    """Return the status of a run; `has_ended` is whether it has a time of termination."""
    match state.upper():
        case "PENDING":
            # A run waits again between its items, and users see no way back.
            return RunStatus.RECEIVED if counts.pending >= counts.total else RunStatus.RUNNING
        case "PROCESSING":
            return RunStatus.RUNNING
        case other if other == _TERMINATED or reason is not None or has_ended:
            return _run_end(reason, counts)
    return RunStatus(str(state))


def _run_end(reason: str | None, counts: RunStatistics) -> RunStatus:
    ended = "" if reason is None else reason.upper()
    if ended in _RUN_ENDS:
        return _RUN_ENDS[ended]
    has_errors = counts.user_errors + counts.system_errors + counts.skipped > 0
    # Counts may lag, so only those of errors make a run bad that has processed all items.
    is_good = not has_errors and (ended == "ALL_ITEMS_PROCESSED" or counts.succeeded >= counts.total > 0)
    return RunStatus.COMPLETED if is_good else RunStatus.COMPLETED_WITH_ERROR


def item_status(state: str, reason: str | None, *, has_ended: bool) -> ItemStatus:
    """Return the status of an item; `has_ended` is whether it has a time of termination."""
    name = state.upper()
    known = _ITEM_STATES.get(name)
    if known is not None:
        return known
    if name == _TERMINATED or reason is not None or has_ended:
        return _ITEM_ENDS.get("" if reason is None else reason.upper(), ItemStatus.ERROR_SYSTEM)
    return ItemStatus(str(state))


def item_filter(
    statuses: Collection[ItemStatus],
) -> tuple[ItemState | None, ItemTerminationReason | None]:
    """Return the narrowest filter of the contract that keeps all items with these statuses.

    It takes one state and one reason, so entries of other statuses may come with them.
    """
    if len(statuses) == 1:
        (status,) = statuses
        # An unknown reason counts as an error of the system, so that reason alone is no filter.
        if status in _REASON_OF and status != ItemStatus.ERROR_SYSTEM:
            return ItemState.TERMINATED, _REASON_OF[status]
        if status in _STATE_OF:
            return _STATE_OF[status], None
    if statuses and all(status.is_final for status in statuses):
        return ItemState.TERMINATED, None
    return None, None
