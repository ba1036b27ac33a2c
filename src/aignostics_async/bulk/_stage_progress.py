"""How many items each stage of a job has passed on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from .database._states import ItemState

# The name of each stage, the states of items that it has not passed on yet, and what it transfers.
_STAGES: tuple[tuple[str, tuple[ItemState, ...], Literal["upload", "download"] | None], ...] = (
    ("read", (ItemState.FOUND,), None),
    ("uploaded", (ItemState.READY, ItemState.SENDING), "upload"),
    ("in a run", (ItemState.STORED, ItemState.ASSIGNED), None),
    ("analysed", (ItemState.SUBMITTED,), None),
    ("downloaded", (ItemState.SUCCEEDED,), "download"),
)


@frozen
class StageProgress:
    """The progress of a stage of a job, as `BulkJob.stage_progress` returns it.

        for stage in await job.stage_progress():
            print(stage.stage, stage.items, "of", stage.total)

    `stage` is `read`, `uploaded`, `in a run`, `analysed` or `downloaded`. `items` is the number of items that
    have finished it, and `total` that of all but the quarantined ones; for `downloaded` both are without
    those that failed. `transfers` is the direction of the stage's transfers, `upload` or `download`; None,
    the default, for a stage without transfers.
    """

    stage: str
    """The name of what is finished: `read`, `uploaded`, `in a run`, `analysed` or `downloaded`."""
    items: int
    """Items that the stage has finished."""
    total: int
    """Items that will reach the stage: without quarantined ones, and for `downloaded` without failed ones."""
    transfers: Literal["upload", "download"] | None = None
    """The direction of the stage's transfers; None, the default, for a stage without transfers."""


def stage_progress(states: Mapping[ItemState, int]) -> list[StageProgress]:
    """Return the progress of each stage, in order, from the number of items in each state."""
    total = sum(states.values()) - states.get(ItemState.QUARANTINED, 0)
    passed, stages = total, []
    for stage, before, transfers in _STAGES:
        if transfers == "download":
            # A failed item has no results to download.
            total, passed = (each - states.get(ItemState.FAILED, 0) for each in (total, passed))
        passed -= sum(states.get(state, 0) for state in before)
        stages.append(StageProgress(stage, passed, total, transfers))
    return stages
