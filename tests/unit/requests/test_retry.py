"""The decision about trying again, without a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies as st

from aignostics_async import AignosticsError, Retries
from aignostics_async._http._retry import (
    AttemptFailed,
    Outcome,
    read_retry_after,
    repeat,
    wait_before_retry,
)

POLICY = Retries(attempts=3, initial_wait=1, max_wait=4, max_retry_after=60)


def wait(method: str, outcome: Outcome, attempt: int = 1, jitter: float = 0) -> float | None:
    return wait_before_retry(POLICY, method=method, outcome=outcome, attempt=attempt, jitter=jitter)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 529, None])
def test_what_is_idempotent_is_repeated_after_what_may_pass(method: str, status: int | None) -> None:
    assert wait(method, Outcome(status=status)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 501, 505, 301])
def test_what_will_not_pass_is_not_repeated(status: int) -> None:
    assert wait("GET", Outcome(status=status)) is None


@pytest.mark.parametrize("status", [408, 429, 500, 503, 520, None])
def test_a_post_that_was_sent_is_never_repeated(status: int | None) -> None:
    assert wait("POST", Outcome(status=status)) is None
    assert wait("POST", Outcome(status=status, retry_after=1)) is None


def test_a_post_that_never_left_is_repeated() -> None:
    assert wait("POST", Outcome(request_sent=False)) == 1


def test_waits_double_to_a_limit_and_end() -> None:
    policy = Retries(attempts=6, initial_wait=1, max_wait=4)
    waits = [
        wait_before_retry(policy, method="GET", outcome=Outcome(status=503), attempt=n, jitter=0)
        for n in range(1, 7)
    ]
    assert waits == [1, 2, 4, 4, 4, None]


@given(st.floats(0, 1))
def test_jitter_takes_a_quarter_at_most(jitter: float) -> None:
    waited = wait("GET", Outcome(status=503), jitter=jitter)
    assert waited is not None
    assert 0.75 <= waited <= 1


def test_retry_after_counts_up_to_its_limit() -> None:
    assert wait("GET", Outcome(status=429, retry_after=59)) == 59
    assert wait("GET", Outcome(status=429, retry_after=61)) is None


def test_retry_after_is_never_less_than_the_backoff() -> None:
    """Retry-After: 0 would spend every try within a few milliseconds."""
    assert [wait("GET", Outcome(status=503, retry_after=0), attempt=n) for n in (1, 2)] == [1, 2]


def test_one_attempt_turns_retries_off() -> None:
    once = Retries(attempts=1)
    outcome = Outcome(request_sent=False)
    assert wait_before_retry(once, method="GET", outcome=outcome, attempt=1, jitter=0) is None


def test_retry_after_is_read_as_number_and_as_date() -> None:
    assert read_retry_after({"retry-after": "7"}) == 7
    assert read_retry_after({"retry-after": "0.5"}) == 0.5
    assert read_retry_after({"retry-after": "5, 120"}) == 120
    assert read_retry_after({"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}) == 0
    assert read_retry_after({}) is None
    for odd in (
        "",
        "soon",
        "inf",
        "-inf",
        "nan",
        "1e999",
        "5, soon",
        f"Thu, 01 Jan 2026 00:00:00 +{'9' * 20}",
    ):
        assert read_retry_after({"retry-after": odd}) is None


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=3), timedelta(hours=-3)])
def test_a_date_to_retry_after_is_of_the_server_s_clock(ahead: timedelta) -> None:
    there = datetime.now(UTC) + ahead
    at = format_datetime(there + timedelta(seconds=30), usegmt=True)
    for form in (format_datetime(there, usegmt=True), there.ctime()):
        assert read_retry_after({"retry-after": at, "date": form}) == 30


async def test_the_loop_raises_the_last_error_without_a_context() -> None:
    tries = 0

    async def attempt() -> None:
        nonlocal tries
        tries += 1
        try:
            raise OSError("holds a secret")
        except OSError:
            error = AignosticsError(f"try {tries}")
        raise AttemptFailed(error, Outcome(status=503))

    policy = Retries(attempts=3, initial_wait=0.001, max_wait=0.001)
    with pytest.raises(AignosticsError, match="try 3") as caught:
        await repeat(policy, "GET", "a test", attempt)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
