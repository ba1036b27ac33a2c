"""Finding a run by the references of its items, the only marks of the caller's that it carries."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from .._errors import APIStatusError, InvalidItems, UsageError

if TYPE_CHECKING:
    from ..models import ItemResult, RunDetails

_CLOCK_SKEW = timedelta(minutes=10)


@frozen
class FoundRuns:
    """Runs that match a set of references, the newest first. False if there are none at all."""

    exact: tuple[RunDetails, ...]
    """Every item's reference is in the set, and every reference of the set has an item."""
    possible: tuple[RunDetails, ...]
    """Nothing was found to be different, but not all of it could be read. Look again later."""

    def __bool__(self) -> bool:
        return bool(self.exact or self.possible)


async def find_runs(
    runs: AsyncIterable[RunDetails],
    results: Callable[[str], AsyncIterable[ItemResult]],
    references: frozenset[str],
    since: datetime | None,
) -> FoundRuns:
    """Sort runs, the newest first, into exact and possible matches."""
    if not references:
        raise UsageError("give the references of the items to find")
    if since is not None and since.tzinfo is None:
        raise UsageError("since must be an aware time, such as datetime.now(UTC)")
    exact, possible = [], []
    async for run in runs:
        if since is not None and run.triggered_at < since - _CLOCK_SKEW:
            break
        match = await _matches(results(run.run_id), references)
        if match is True:
            exact.append(run)
        elif match is None:
            possible.append(run)
    return FoundRuns(tuple(exact), tuple(possible))


async def _matches(items: AsyncIterable[ItemResult], references: frozenset[str]) -> bool | None:
    """Tell whether the items have exactly these references; None if not all of them can be read."""
    found: set[str] = set()
    try:
        async for item in items:
            if item.reference not in references:
                return False
            found.add(item.reference)
    except (APIStatusError, InvalidItems):
        # A listing that is refused, or has gaps, is no proof of absence.
        return None
    return True if found == references else None
