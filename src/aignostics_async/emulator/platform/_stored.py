"""Runs, items and artifacts at a moment, and selections of them; what `_history` returns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from attrs import field, frozen

from ._catalogue import version_id

FINAL = frozenset({"COMPLETED", "COMPLETED_WITH_ERROR", "REJECTED", "CANCELED_SYSTEM", "CANCELED_USER"})
"""The statuses after which a run does not change."""
OPEN = frozenset({"PENDING", "PROCESSING"})
"""The statuses of an item that is not finished."""
RESULTS_LIFETIME_S = 30 * 24 * 3600
"""How long results are kept after the end of their run."""

Deletion = Literal["USER", "SYSTEM"]


def _loads(text: str | None) -> Any:
    return None if text is None else json.loads(text)


@frozen(kw_only=True)
class SubmittedItem:
    """An item of a run that is to be stored."""

    reference: str
    inputs: list[dict[str, Any]] = field(factory=list)
    metadata: dict[str, Any] | None = None


@frozen
class Scheduling:
    """When the results of a run are wanted, as the request says it; the run is cancelled at its deadline."""

    due_date: str | None = None
    deadline: str | None = None


UNSCHEDULED = Scheduling()


@frozen
class StoredRun:
    """A run at a moment."""

    id: str
    application_id: str
    version: str
    submitted_at: str
    status: str
    changed_at: float | None
    error: str | None
    code: str | None
    item_count: int
    results_deleted_at: float | None
    due_date: str | None
    deadline: str | None
    submitted_by: str
    metadata: dict[str, Any] | None = field(converter=_loads)

    @property
    def version_id(self) -> str:
        """The id of the application version."""
        return version_id(self.application_id, self.version)

    @property
    def ended_at(self) -> float | None:
        """When the run became final, or None."""
        return self.changed_at if self.status in FINAL else None

    def results_deletion(self, at: float) -> Deletion | None:
        """Return who deleted the results until a moment, or None; the system does when their time is over."""
        if self.results_deleted_at is not None:
            return "USER"
        ended = self.ended_at
        return "SYSTEM" if ended is not None and at >= ended + RESULTS_LIFETIME_S else None


@frozen
class StoredItem:
    """An item at a moment. `inputs` hold keys of the emulator's objects, or URLs of other servers."""

    id: str
    run_id: str
    position: int
    """Its place in the request, from 0."""
    reference: str
    status: str
    changed_at: float | None
    error: str | None
    inputs: list[dict[str, Any]] = field(converter=json.loads)
    metadata: dict[str, Any] | None = field(converter=_loads)


@frozen
class StoredArtifact:
    """An output artifact."""

    id: str
    item_id: str
    name: str
    key: str
    metadata: dict[str, Any] = field(converter=json.loads)


@frozen
class Selection:
    """The rows and the order of a listing; `sort` holds (column, descends) pairs."""

    limit: int = -1
    offset: int = 0
    sort: Sequence[tuple[str, bool]] = ()

    def clause(self, last: str) -> str:
        """Return the selection as SQL; `last` breaks ties. Columns are trusted names, never user input."""
        order = [f"{column} {'DESC' if descends else 'ASC'}" for column, descends in self.sort]
        return f" ORDER BY {', '.join([*order, last])} LIMIT {self.limit} OFFSET {self.offset}"


ALL = Selection()
