"""How many items of a run have each status: an aggregate of transitions, kept until one changes it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from attrs import frozen

from ._state_database import StateDatabase

_COUNTS = """
SELECT run_id, status, count(*) FROM transitions AS last
WHERE run_id IN (SELECT value FROM json_each(:run_ids)) AND item_id != '' AND at <= :at AND NOT EXISTS (
    SELECT 1 FROM transitions AS later
    WHERE later.run_id = last.run_id AND later.item_id = last.item_id AND later.at <= :at
      AND (later.at, later.number) > (last.at, last.number)
)
GROUP BY run_id, status
"""
_NEXT = """
SELECT run_id, min(at) FROM transitions
WHERE run_id IN (SELECT value FROM json_each(:run_ids)) AND at > :at GROUP BY run_id
"""


@frozen
class _Counted:
    """The counts of a run, from one moment until its next transition."""

    since: float
    until: float
    statuses: Counter[str]


class ItemStatusCounts:
    """The counts of all runs. Whoever stores or deletes transitions of a run has to `forget` it."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database
        self._counted: dict[str, _Counted] = {}

    def forget(self, run_ids: Iterable[str]) -> None:
        """Count again when the runs are asked for."""
        for run_id in run_ids:
            self._counted.pop(run_id, None)

    def of(self, run_ids: Sequence[str], at: float) -> dict[str, Counter[str]]:
        """Return the counts of runs at a moment; items without a transition are not counted."""
        self._count([run_id for run_id in run_ids if not self._has(run_id, at)], at)
        return {run_id: self._counted[run_id].statuses for run_id in run_ids}

    def _has(self, run_id: str, at: float) -> bool:
        counted = self._counted.get(run_id)
        return counted is not None and counted.since <= at < counted.until

    def _count(self, run_ids: Sequence[str], at: float) -> None:
        if not run_ids:
            return
        asked = {"at": at, "run_ids": json.dumps(run_ids)}
        following = dict(self._database.all(_NEXT, asked))
        counts: dict[str, Counter[str]] = {run_id: Counter() for run_id in run_ids}
        for run_id, status, count in self._database.all(_COUNTS, asked):
            counts[run_id][status] = count
        for run_id, statuses in counts.items():
            self._counted[run_id] = _Counted(at, following.get(run_id, math.inf), statuses)
