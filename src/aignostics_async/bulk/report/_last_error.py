"""The last thing that went wrong in a job, and when."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from ..._core._display_text import moment
from ..database._writer import Execute
from ._sanitizing import named, told


@frozen
class LastError:
    """The latest error of a job: of a slide, of a request for a run, or of the job itself.

        error = (await job.summary()).last_error
        if error is not None:
            print(error.at, error.reference or error.where, error.message)

    `at` is when, in UTC by this machine's clock. `where` is `slide`, `run` (a request for one) or `job`,
    `reference` that of the slide, else None, and `message` what it said, without secrets. The error of a
    slide is kept until it is retried, that of the job until `run` begins again, that of a request for good.
    """

    at: datetime
    """When it happened, in UTC by this machine's clock."""
    where: str
    """What failed: `slide`, `run` (a request for one) or `job`."""
    reference: str | None
    """The reference of the slide; None for other errors."""
    message: str
    """What it said, without secrets."""


_QUERY = """
SELECT at, source, reference, message FROM (
    SELECT changed_at AS at, 'slide' AS source, reference, coalesce(error, fault) AS message
    FROM items WHERE state IN ('FAILED', 'SET_ASIDE')
    UNION ALL
    SELECT sent_at, 'run', NULL, told FROM attempts WHERE outcome <> 'CREATED'
    UNION ALL
    SELECT stopped_at, 'job', NULL, stop_reason FROM job WHERE stopped_at IS NOT NULL
) WHERE message IS NOT NULL ORDER BY at DESC LIMIT 1
"""


def read_last_error(execute: Execute) -> LastError | None:
    """Read it: a query for `Database.read`."""
    row = execute(_QUERY).fetchone()
    if row is None:
        return None
    at, where, reference, message = row
    when = moment(at)
    assert when is not None  # noqa: S101 - the query selects a time
    return LastError(when, where, None if reference is None else named(reference), told(message))
