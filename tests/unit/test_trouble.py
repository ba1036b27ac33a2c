"""What becomes of an item, and of the job, when a step fails."""

from __future__ import annotations

from typing import Any

import pytest

from aignostics_async import (
    AignosticsError,
    ChecksumMismatch,
    ConfigurationError,
    ConnectionFailed,
    DiskFull,
    Forbidden,
    JobError,
    LocalFileChanged,
    LoginRequired,
    NotFound,
    ServerError,
    SlideError,
    TokenEndpointUnavailable,
    TooManyRequests,
    TransferError,
    TransferInterrupted,
    Unauthorized,
    UrlRefused,
)
from aignostics_async.bulk.stages._failure_policy import (
    Breaker,
    Failures,
    Verdict,
    rule,
)

API: Any = {"method": "GET", "path": "/api/v1/runs"}
LOST = ConnectionFailed("no answer", **API, request_sent=True)
BROKEN = TransferInterrupted("broke off", name="a.svs")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (LOST, Verdict.AGAIN),
        (ServerError(503, **API), Verdict.AGAIN),
        (TooManyRequests(429, **API), Verdict.AGAIN),
        (TokenEndpointUnavailable("down"), Verdict.AGAIN),
        (BROKEN, Verdict.AGAIN),
        (ChecksumMismatch(name="a", expected="x", actual="y"), Verdict.AGAIN),
        (LocalFileChanged("changed", name="a"), Verdict.ANEW),
        (SlideError("no slide", path="a"), Verdict.ASIDE),
        (TransferError("can't be read", name="a"), Verdict.ASIDE),
        (UrlRefused("refused", name="a", status=403), Verdict.AGAIN),
        (NotFound(404, **API), Verdict.ASIDE),
        (LoginRequired("sign in"), Verdict.STOP),
        (Unauthorized(401, **API), Verdict.STOP),
        (Forbidden(403, **API), Verdict.STOP),
        (ConfigurationError("no bucket"), Verdict.STOP),
        (DiskFull("full", name="a"), Verdict.STOP),
        (JobError("the database"), Verdict.STOP),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, AignosticsError) else None,
)
def test_the_first_failure(error: AignosticsError, verdict: Verdict) -> None:
    assert rule(error, 1, 0.0).verdict is verdict


def test_an_outage_is_waited_for_and_not_for_ever() -> None:
    assert rule(LOST, 500, 3599).verdict is Verdict.AGAIN
    assert rule(LOST, 2, 3601).verdict is Verdict.STOP
    assert [rule(LOST, tries, 0).wait for tries in (1, 2, 3, 7, 5000)] == [1, 2, 4, 60, 60]


def test_who_asks_for_time_gets_it() -> None:
    assert rule(TooManyRequests(429, **API, retry_after=90), 1, 0).wait == 90
    assert rule(TooManyRequests(429, **API, retry_after=0), 1, 0).wait == 1
    assert rule(ServerError(503, **API, retry_after=1e9), 1, 0).wait == 600


def test_a_storage_that_is_away_is_waited_for_and_one_slide_does_not_keep_its_place_for_ever() -> None:
    assert [rule(BROKEN, 20, since).verdict for since in (900, 901)] == [Verdict.AGAIN, Verdict.ASIDE]
    refused = UrlRefused("refused", name="a", status=403)
    assert [rule(refused, tries, 0).verdict for tries in (1, 2)] == [Verdict.AGAIN, Verdict.ASIDE]
    wrong = ChecksumMismatch(name="a", expected="x", actual="y")
    assert [rule(wrong, tries, 0).verdict for tries in (4, 5)] == [Verdict.AGAIN, Verdict.ASIDE]


def test_an_outage_begins_with_its_first_failure() -> None:
    """A watch that went well for a day and then fails is not an outage of a day."""
    failures = Failures()
    failures.add(began=0, now=86_400)
    assert (failures.count, failures.lasted) == (1, 0)
    failures.add(began=86_401, now=86_701)
    assert (failures.count, failures.lasted) == (2, 301)
    failures.add(began=86_800, now=200_000)
    assert (failures.count, failures.lasted) == (3, 0), "it was well in between"
    for hour in range(12):
        failures.add(began=200_000 + 300 * hour, now=200_300 + 300 * hour)
    assert failures.lasted == 3600


def test_the_breaker_trips_when_one_after_the_other_fails_alike() -> None:
    breaker = Breaker()
    refused = UrlRefused("no", name="a", status=403)
    assert [breaker.failed(refused) for _ in range(5)] == [False] * 4 + [True]


def test_the_breaker_forgives_what_differs_or_says_nothing_of_the_next_slide() -> None:
    breaker = Breaker()
    for _ in range(10):
        assert not breaker.failed(UrlRefused("no", name="a", status=403))
        assert not breaker.failed(UrlRefused("no", name="a", status=404))
        assert not breaker.failed(TransferInterrupted("broke off", name="a", status=500))
    for _ in range(4):
        assert not breaker.refused("alone")
    breaker.succeeded()
    assert not breaker.refused("alone")
    for _ in range(10):
        assert not breaker.failed(SlideError("no slide", path="a"))
        assert not breaker.failed(NotFound(404, **API)), "its run is gone, which is no word on another's"
