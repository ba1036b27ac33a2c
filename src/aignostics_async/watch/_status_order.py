"""The order of statuses. Pure.

A lagging replica may answer with an earlier status. So a status counts only if it ranks above the last one
observed: each status is observed once, and a final one never changes.
"""

from __future__ import annotations

from ..models import ItemStatus, RunStatus

_RANKS: dict[RunStatus | ItemStatus, int] = {
    RunStatus.RECEIVED: 0,
    RunStatus.SCHEDULED: 1,
    RunStatus.RUNNING: 2,
    ItemStatus.PENDING: 0,
    ItemStatus.PROCESSING: 1,
}
# A status that this release does not know ranks above every known one that is not final.
_UNKNOWN, _FINAL = 3, 4


def rank(status: RunStatus | ItemStatus) -> int:
    """Return the rank of a status; a run or an item only ever moves to a higher one."""
    return _FINAL if status.is_final else _RANKS.get(status, _UNKNOWN)


def is_later(old: RunStatus | ItemStatus | None, new: RunStatus | ItemStatus) -> bool:
    """Whether `new` is a change for an observer that has last observed `old`."""
    return old is None or (old is not new and rank(new) > rank(old))
