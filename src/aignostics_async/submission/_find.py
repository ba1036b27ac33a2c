"""Find a run by the references of its items, and by the mark of the request that has created it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._clock import earlier
from .._identifiers import as_aware
from ..errors import APIStatusError, InvalidItems, UsageError
from ._marks import RunMark

if TYPE_CHECKING:
    from .._core._pager import Page, Pager
    from ..models import ItemResult, RunDetails

_CLOCK_SKEW = timedelta(minutes=10)


@frozen
class FoundRuns:
    """The runs that match a set of references or a submission, or may match, as `Runs.find` returns them.

        if not await client.runs.find(references=["a", "b"]):
            print("there is no such run yet")

    `exact` is a tuple of the `RunDetails` of runs whose items have exactly these references, or which the
    submission has created. `possible` are those of runs of which nothing, or only a part that matches, could
    be read, or which may match and name no submission: search again later. Both have the order of the
    listing, newest first. The object is false if both are empty.
    """

    exact: tuple[RunDetails, ...]
    """Runs whose items have exactly these references, or those of the submission."""
    possible: tuple[RunDetails, ...]
    """Runs of which nothing or only a part that matches could be read, or which may match and name no
    submission.
    """

    def __bool__(self) -> bool:
        return bool(self.exact or self.possible)


async def find_runs(
    runs: Pager[RunDetails],
    results: Callable[[str], AsyncIterable[ItemResult]],
    references: frozenset[str],
    since: datetime | None,
    submission: str | None = None,
) -> FoundRuns:
    """Sort runs, which come newest first, into exact and possible matches.

    With `submission` the mark of a run decides; one without a mark may be the run if its items match. Raises
    InvalidItems if an entry can't be read that may be the run: an empty answer must be a proof.
    """
    if not references and submission is None:
        raise UsageError("give the references of the items to find, or the submission")
    since = as_aware(since, "since")
    exact, possible = [], []
    oldest = None if since is None else earlier(since, _CLOCK_SKEW)
    async for run in runs_since(runs.pages(), oldest, "find runs"):
        mark = RunMark.read(run.sdk_metadata)
        if submission is not None and mark is not None:
            match: bool | None = mark.attempt == submission
        else:
            match = await _matches(run, results(run.run_id), references) if references else None
            # Its metadata may be written later than the run.
            match = None if match and submission is not None else match
        if match is True:
            exact.append(run)
        elif match is None:
            possible.append(run)
    return FoundRuns(tuple(exact), tuple(possible))


async def runs_since(
    pages: AsyncIterable[Page[RunDetails]],
    oldest: datetime | None,
    operation: str,
    on_page: Callable[[Page[RunDetails]], object] = lambda _page: None,
) -> AsyncIterator[RunDetails]:
    """Give the runs of a listing, which comes newest first, that were triggered at a moment or later.

    A page of older runs ends the listing, unless the server does not keep that order. `on_page` is called
    with each page. Raises InvalidItems for an entry that can't be read, because it may be any run.
    """
    newest: datetime | None = None
    is_in_order = True
    async for page in pages:
        on_page(page)
        if page.invalid:
            raise InvalidItems(operation, page.invalid)
        is_last = oldest is not None and bool(page.items)
        for run in page.items:
            is_in_order &= newest is None or run.triggered_at <= newest
            newest = run.triggered_at
            if oldest is None or run.triggered_at >= oldest:
                is_last = False
                yield run
        if is_last and is_in_order:
            return


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
