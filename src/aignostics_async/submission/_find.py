"""Find a run by the references of its items, the only thing about it that the caller chose."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from .._identifiers import as_aware
from ..errors import APIStatusError, InvalidItems, UsageError

if TYPE_CHECKING:
    from .._core._pager import Pager
    from ..models import ItemResult, RunDetails

_CLOCK_SKEW = timedelta(minutes=10)


@frozen
class FoundRuns:
    """The runs that match a set of references, the newest first.

        if not await client.runs.find(references=["a", "b"]):
            print("there is no such run yet")

    It is false if there are neither exact nor possible matches.
    """

    exact: tuple[RunDetails, ...]
    """Runs whose items have exactly these references."""
    possible: tuple[RunDetails, ...]
    """Runs of which only a part could be read, and that part matches. Search again later."""

    def __bool__(self) -> bool:
        return bool(self.exact or self.possible)


async def find_runs(
    runs: Pager[RunDetails],
    results: Callable[[str], AsyncIterable[ItemResult]],
    references: frozenset[str],
    since: datetime | None,
) -> FoundRuns:
    """Sort runs, which come newest first, into exact and possible matches.

    Raises InvalidItems if an entry can't be read that may be the run: an empty answer must be a proof.
    """
    if not references:
        raise UsageError("give the references of the items to find")
    since = as_aware(since, "since")
    exact, possible = [], []
    async for page in runs.pages():
        if page.invalid:
            raise InvalidItems("find runs", page.invalid)
        recent = [run for run in page.items if since is None or run.triggered_at >= since - _CLOCK_SKEW]
        for run in recent:
            match = await _matches(run, results(run.run_id), references)
            if match is True:
                exact.append(run)
            elif match is None:
                possible.append(run)
        # A whole page, because an order that the server does not keep must not end the search.
        if page.items and not recent:
            break
    return FoundRuns(tuple(exact), tuple(possible))


async def _matches(
    run: RunDetails, items: AsyncIterable[ItemResult], references: frozenset[str]
) -> bool | None:
    """Return whether the items have exactly these references; None if not all of them could be read."""
    found: set[str] = set()
    try:
        async for item in items:
            if item.reference not in references:
                return False
            found.add(item.reference)
    except (APIStatusError, InvalidItems):
        # A listing that is refused, or has gaps, is no proof of absence.
        return None
    if found == references:
        return True
    # A part of the set may be all that a lagging replica shows, unless the run is over.
    return False if found and run.status.is_final else None
