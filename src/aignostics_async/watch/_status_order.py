"""Which of two states is the later one. Pure.

A replica that lags answers with a state that was; so a state counts only where its rank is higher than the
last one's. Each state is therefore seen once, and what is final stays as it is.
"""

from __future__ import annotations

from ..models import ItemStatus, RunStatus

_RANKS: dict[RunStatus | ItemStatus, int] = {
    RunStatus.RECEIVED: 0,
    RunStatus.SCHEDULED: 1,
    RunStatus.RUNNING: 2,
    ItemStatus.PENDING: 0,
}
# A status that this release does not know is not final, and none of those that come before: it is between.
_UNKNOWN, _FINAL = 3, 4


def rank(status: RunStatus | ItemStatus) -> int:
    """Return how far on its way a run or an item is."""
    return _FINAL if status.is_final else _RANKS.get(status, _UNKNOWN)


def is_later(old: RunStatus | ItemStatus | None, new: RunStatus | ItemStatus) -> bool:
    """Whether `new` is news to somebody who has seen `old`."""
    return old is None or (old is not new and rank(new) > rank(old))
