"""The pace of a job's stages in its last hour of work, and how long what is left takes by it."""

from __future__ import annotations

from collections.abc import Mapping

from ..database._samples import Stage
from ..database._states import ItemState
from ..database._writer import Execute

_WINDOW = 3600.0  # seconds

# The states of items that wait for a stage, besides those that wait for a stage before it.
_WAITING: dict[Stage, tuple[ItemState, ...]] = {
    Stage.PROBE: (ItemState.FOUND,),
    Stage.UPLOAD: (ItemState.READY, ItemState.SENDING),
    Stage.ANALYSIS: (ItemState.STORED, ItemState.ASSIGNED, ItemState.SUBMITTED),
    Stage.DOWNLOAD: (ItemState.SUCCEEDED,),
}


def read_pace(execute: Execute) -> dict[str, float]:
    """Read how many items a second each stage has moved in the last hour of work: a query."""
    (last,) = execute("SELECT max(at) FROM samples").fetchone()
    if last is None:
        return {}
    # What the first sample counts was moved before it.
    query = (
        "SELECT stage, max(at) - min(at), sum(items), "
        "(SELECT first.items FROM samples AS first WHERE first.stage = samples.stage AND first.at >= ? "
        "AND first.items > 0 ORDER BY first.at LIMIT 1) "
        "FROM samples WHERE at >= ? AND items > 0 GROUP BY stage"
    )
    return {
        stage: (items - first) / seconds
        for stage, seconds, items, first in execute(query, (last - _WINDOW,) * 2)
        if seconds > 0 and items > first
    }


def seconds_left(pace: Mapping[str, float], states: Mapping[str, int], beyond_limit: int) -> float | None:
    """Return the time that the slowest stage needs for what waits for it; None where its pace is unknown.

    The stages work at the same time, so that the slowest one decides.
    """
    waiting, longest = -beyond_limit, 0.0
    for stage, before in _WAITING.items():
        waiting += sum(states.get(state, 0) for state in before)
        if waiting <= 0:
            continue
        if stage not in pace:
            return None
        longest = max(longest, waiting / pace[stage])
    return longest or None
