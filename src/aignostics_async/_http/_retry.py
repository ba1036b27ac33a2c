"""The one retry policy: a pure decision, and the loop that acts on it.

GET, HEAD, PUT and DELETE are repeated after a failure that is likely to pass; a POST only if the connection
was never made. (The repetition after a 401 is in `_api_pool.py`: it belongs to the token.)
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, TypeVar

import anyio
from attrs import frozen

from .._core._backoff import Backoff
from .._core._logging import get_logger
from ..errors import is_transient_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from .._config import Retries
    from ..errors import AignosticsError

_log = get_logger("aignostics_async")
_T = TypeVar("_T")
_told: ContextVar[Callable[[], None] | None] = ContextVar("_told", default=None)

_PROGRESS = 64 * 1024  # bytes; some networks cut every connection after a few hundred thousand
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@frozen(kw_only=True)
class Outcome:
    """The outcome of one attempt: a status, or no response."""

    status: int | None = None
    retry_after: float | None = None
    request_sent: bool = True
    """False only if the connection was never made."""
    is_transient: bool = False
    """Whether the answer names a failure that is likely to pass, which its status alone does not tell."""


class AttemptFailed(Exception):
    """The failure of one attempt of a request, which the retry loop handles.

    `ConnectionPool.exchange` and the API pool raise it; methods of a client raise its `error` instead.
    `error` is the AignosticsError to raise if no other attempt follows. `outcome` decides whether one does:
    it has `status` (None if no response decides, 0 if another attempt would not help), `retry_after` in
    seconds or None, `request_sent`, False only if the connection was never made, and `is_transient`, True for
    a failure that is likely to pass whatever its status.
    """

    def __init__(self, error: AignosticsError, outcome: Outcome) -> None:
        super().__init__()
        self.error = error
        self.outcome = outcome


def wait_before_retry(
    policy: Retries, *, method: str, outcome: Outcome, attempt: int, jitter: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    `attempt` is the number of attempts so far, from 1; `jitter` is a random number from 0 to 1.
    """
    if attempt >= policy.attempts or not _may_repeat(method, outcome):
        return None
    if outcome.retry_after is not None and outcome.retry_after > policy.max_retry_after:
        return None
    backoff = Backoff(policy.initial_wait, policy.max_wait)
    return backoff.wait(attempt, jitter, retry_after=outcome.retry_after)


def _may_repeat(method: str, outcome: Outcome) -> bool:
    if not outcome.request_sent:
        return True
    if method not in _IDEMPOTENT:
        return False
    return outcome.is_transient or outcome.status is None or is_transient_status(outcome.status)


@contextmanager
def telling_retries(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` before each further attempt of what is repeated in the block, and in tasks it starts."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


async def repeat(
    policy: Retries,
    method: str,
    what: str,
    attempt: Callable[[], Awaitable[_T]],
    *,
    moved: Callable[[], int] | None = None,
    on_retry: Callable[[int, float, AignosticsError], Awaitable[None]] | None = None,
) -> _T:
    """Return what `attempt` returns, repeating it after AttemptFailed while `policy` allows.

    `moved` returns how many bytes were transferred so far; an attempt that transfers 64 KiB counts as the
    first one, so that a large file survives a bad network. `on_retry` is awaited with the number of the
    failed attempt, the wait in seconds, and the error.
    """
    tries = 0
    reached = moved() if moved else 0
    while True:
        tries += 1
        try:
            return await attempt()
        except AttemptFailed as failed:
            failure = failed
        if moved and moved() >= reached + _PROGRESS:
            tries, reached = 1, moved()
        wait = wait_before_retry(
            policy, method=method, outcome=failure.outcome, attempt=tries, jitter=random.random()
        )
        if wait is None:
            # Outside the except clause, so that the error has no transport exception as its context, which
            # holds headers and bodies.
            raise failure.error
        _log.info("%s: attempt %d failed, next one in %.1f s: %s", what, tries, wait, failure.error)
        if (tell := _told.get()) is not None:
            tell()
        if on_retry is not None:
            await on_retry(tries, wait, failure.error)
        await anyio.sleep(wait)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a response's Retry-After header, a number or a date; None for any other value.

    Of several numbers, as a gateway in front of the API makes them, it is the largest.
    A date is compared with that of the response: both are of the server's clock, which may not be this one.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = max(map(float, value.split(",")))
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if isfinite(seconds) else None
    at = parse_date(value)
    if at is None:
        return None
    now = parse_date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def parse_date(value: str | None) -> datetime | None:
    """Return the time of a date in a header; None for any other value."""
    try:
        date = parsedate_to_datetime(value or "")
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
