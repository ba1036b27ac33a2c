"""Results that the platform will delete soon and that are not downloaded."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from ..._core._display_text import moment
from ..database._writer import Execute

KEPT = 30 * 24 * 3600.0
"""Seconds for which the platform keeps the results of a run that has ended."""
ALARM = 7 * 24 * 3600.0
"""Seconds before their end in which results that are not here are an alarm."""


@frozen(kw_only=True)
class ExpiringResults:
    """Results that the platform deletes soon and that are not downloaded, as `Summary.expiry` has them.

        expiry = (await job.summary()).expiry
        print(expiry.items, "items expire, the first at", expiry.first)

    The platform keeps results for 30 days after the end of their run, counted here from when the job saw it.
    `items` is the number of items without downloads whose time ends within 7 days, or has ended. `first` is
    the end of the first of all such times, in UTC; None if no run with any has ended.
    """

    items: int
    """The number of items whose results are to be deleted within 7 days, or before now."""
    first: datetime | None
    """When the first of all results that are not downloaded is deleted, in UTC; None if no run with any
    ended.
    """


def read_expiry(execute: Execute, now: float) -> ExpiringResults:
    """Read which results end soon: a query for `Database.read`."""
    query = (
        "SELECT coalesce(sum(seen.ended_at < ?), 0), min(seen.ended_at) FROM items "
        "JOIN seen ON seen.run_id = items.run_id WHERE items.state IN ('SUBMITTED', 'SUCCEEDED')"
    )
    items, first = execute(query, (now + ALARM - KEPT,)).fetchone()
    return ExpiringResults(items=items, first=moment(None if first is None else first + KEPT))
