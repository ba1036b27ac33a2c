"""Which requests show how runs stand: pages of the list, a hundred runs each, or single runs. Pure.

A generator that yields what to ask for: a request for a page, or the id of a run. It takes the page as the
answer to a request for one, and nothing for an id.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime

from .._core._pager import MAX_PAGE_SIZE, Page, PageRequest
from ..models import RunDetails

Question = PageRequest | str
Answer = Page[RunDetails] | None
Survey = Generator[Question, Answer, int]


def survey(targets: Mapping[str, datetime | None], *, since: datetime | None, pages: int) -> Survey:
    """Ask for the targets, by the way that costs less; return how many pages of the list that would take.

    `targets` are ids with the times at which the runs were triggered, where known. `pages` is what the last
    survey returned. With `since`, all newer runs are listed too. A run that is not where it should be in the
    list is asked for by its id: it may have slid from one page to another.
    """
    missing = dict(targets)
    if since is not None or len(missing) > pages:
        pages = yield from _listing(missing, since)
    yield from missing
    return pages


def _listing(missing: dict[str, datetime | None], since: datetime | None) -> Generator[Question, Answer, int]:
    """List from the newest run on, and take what is found from the missing; return the number of pages."""
    idle = 0
    request = PageRequest.first("-triggered_at", MAX_PAGE_SIZE)
    while True:
        page = yield request
        assert isinstance(page, Page)  # noqa: S101 - the answer to this question
        found = [run.run_id for run in page.items if run.run_id in missing]
        for run_id in found:
            del missing[run_id]
        # Never much dearer than the better way: after as many pages in vain as runs are missing, by id.
        idle = 0 if found else idle + 1
        if page.size < request.size or not page.items:
            return request.number
        oldest = min(run.triggered_at for run in page.items)
        is_deep_enough = since is None or oldest < since
        is_done = not missing or idle >= len(missing) or not _may_follow(missing, oldest)
        if is_deep_enough and is_done:
            return request.number
        request = request.next()


def _may_follow(missing: Mapping[str, datetime | None], oldest: datetime) -> bool:
    """Whether a missing run may be on a later page than one whose oldest run is this old."""
    return any(triggered_at is None or triggered_at <= oldest for triggered_at in missing.values())
