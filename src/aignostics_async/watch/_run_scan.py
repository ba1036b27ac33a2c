"""Which requests show the state of runs: pages of the list, a hundred runs each, or single runs. Pure.

A scan is a generator of requests: it yields a page request, to which it is sent the page, or the id of a run,
to which it is sent None.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime

from .._core._pager import MAX_PAGE_SIZE, Page, PageRequest, Repetition
from ..models import RunDetails

ScanRequest = PageRequest | str
RunScan = Generator[ScanRequest, Page[RunDetails] | None, int]


def scan_runs(targets: Mapping[str, datetime | None], *, since: datetime | None, pages: int) -> RunScan:
    """Request the targets in the cheaper way; return how many pages listing them takes.

    `targets` are run ids with the times at which the runs were triggered, where known. `pages` is what the
    last scan returned. With `since`, all runs triggered later are listed too. A run may move from one page to
    another during the scan, so one that no page shows is requested by its id.
    """
    missing = dict(targets)
    if since is not None or len(missing) > pages:
        pages = yield from _list_runs(missing, since)
    yield from missing
    return pages


def _list_runs(missing: dict[str, datetime | None], since: datetime | None) -> RunScan:
    """List runs, newest first, and remove those found from `missing`; return the number of pages."""
    idle = 0
    repetition = Repetition()
    request = PageRequest.first("-triggered_at", MAX_PAGE_SIZE)
    while True:
        page = yield request
        assert isinstance(page, Page)  # noqa: S101 - the response to a page request
        found = [run.run_id for run in page.items if run.run_id in missing]
        for run_id in found:
            del missing[run_id]
        # After as many idle pages as runs are missing, single requests cost less than further pages.
        idle = 0 if found else idle + 1
        following = request.after(page.size)
        if following is None or not page.items or repetition.is_seen(page, lambda run: run.run_id):
            return request.number
        oldest = min(run.triggered_at for run in page.items)
        is_deep_enough = since is None or oldest < since
        is_done = not missing or idle >= len(missing) or not _may_follow(missing, oldest)
        if is_deep_enough and is_done:
            return request.number
        request = following


def _may_follow(missing: Mapping[str, datetime | None], oldest: datetime) -> bool:
    """Whether a missing run may be on a page after one with this oldest run."""
    return any(triggered_at is None or triggered_at <= oldest for triggered_at in missing.values())
