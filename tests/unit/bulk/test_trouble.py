"""What becomes of an item, and of the job, when a step fails."""

from __future__ import annotations

from typing import Any

import pytest

from aignostics_async import (
    AignosticsError,
    APIStatusError,
    ChecksumMismatch,
    ChecksumMissing,
    ConfigurationError,
    ConnectionFailed,
    DiskFull,
    FileUnwritable,
    Forbidden,
    Gone,
    JobError,
    LocalFileChanged,
    LoginRequired,
    NotFound,
    ResultsDeleted,
    ServerError,
    SlideError,
    TokenEndpointUnavailable,
    TooManyRequests,
    TransferError,
    TransferInterrupted,
    Unauthorized,
    UnsafePath,
    UrlRefused,
)
from aignostics_async.bulk.stages._failure_policy import (
    OF_DOWNLOADS,
    CircuitBreaker,
    FailureAction,
    Failures,
    decide,
)

API: Any = {"method": "GET", "path": "/api/v1/runs"}
LOST = ConnectionFailed("no answer", **API, request_sent=True)
BROKEN = TransferInterrupted("broke off", name="a.svs")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (LOST, FailureAction.RETRY),
        (ServerError(503, **API), FailureAction.RETRY),
        (TooManyRequests(429, **API), FailureAction.RETRY),
        (TokenEndpointUnavailable("down"), FailureAction.RETRY),
        (BROKEN, FailureAction.RETRY),
        (ChecksumMismatch(name="a", expected="x", actual="y"), FailureAction.RETRY),
        (LocalFileChanged("changed", name="a"), FailureAction.REPROBE),
        (SlideError("no slide", path="a"), FailureAction.QUARANTINE),
        (TransferError("can't be read", name="a"), FailureAction.QUARANTINE),
        (UrlRefused("refused", name="a", status=403), FailureAction.RETRY),
        (APIStatusError(408, **API), FailureAction.RETRY),
        (APIStatusError(425, **API), FailureAction.RETRY),
        (ServerError(501, **API), FailureAction.QUARANTINE),
        (NotFound(404, **API), FailureAction.QUARANTINE),
        (LoginRequired("sign in"), FailureAction.STOP),
        (Unauthorized(401, **API), FailureAction.STOP),
        (Forbidden(403, **API), FailureAction.STOP),
        (ConfigurationError("no bucket"), FailureAction.STOP),
        (DiskFull("full", name="a"), FailureAction.STOP),
        (JobError("the database"), FailureAction.STOP),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, AignosticsError) else None,
)
def test_the_first_failure(error: AignosticsError, verdict: FailureAction) -> None:
    assert decide(error, 1, 0.0).action is verdict


def test_an_outage_is_waited_for_and_not_for_ever() -> None:
    assert decide(LOST, 500, 3599).action is FailureAction.RETRY
    assert decide(LOST, 2, 3601).action is FailureAction.STOP
    assert [decide(LOST, tries, 0).wait for tries in (1, 2, 3, 7, 5000)] == [1, 2, 4, 60, 60]


def test_who_asks_for_time_gets_it() -> None:
    assert decide(TooManyRequests(429, **API, retry_after=90), 1, 0).wait == 90
    assert decide(TooManyRequests(429, **API, retry_after=0), 1, 0).wait == 1
    assert decide(ServerError(503, **API, retry_after=1e9), 1, 0).wait == 600
    assert decide(LOST, 7, 0, 1.0).wait == 45, "clients that failed together spread out"


def test_a_storage_that_is_away_is_waited_for_and_one_slide_does_not_keep_its_place_for_ever() -> None:
    assert [decide(BROKEN, 20, since).action for since in (900, 901)] == [
        FailureAction.RETRY,
        FailureAction.QUARANTINE,
    ]
    refused = UrlRefused("refused", name="a", status=403)
    assert [decide(refused, tries, 0).action for tries in (1, 2)] == [
        FailureAction.RETRY,
        FailureAction.QUARANTINE,
    ]
    wrong = ChecksumMismatch(name="a", expected="x", actual="y")
    assert [decide(wrong, tries, 0).action for tries in (4, 5)] == [
        FailureAction.RETRY,
        FailureAction.QUARANTINE,
    ]


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
    breaker = CircuitBreaker()
    refused = UrlRefused("no", name="a", status=403)
    assert [breaker.failed(refused) for _ in range(5)] == [False] * 4 + [True]


def test_the_breaker_trips_however_a_storage_in_trouble_fails() -> None:
    breaker = CircuitBreaker(OF_DOWNLOADS)
    statuses = (None, 503, 500, 429, 504)
    failures = [TransferInterrupted("broke off", name="a", status=status) for status in statuses]
    assert [breaker.failed(error) for error in failures] == [False] * 4 + [True]


def test_a_store_that_keeps_other_bytes_stops_the_sending() -> None:
    breaker = CircuitBreaker()
    wrong = ChecksumMismatch(name="a", expected="x", actual="y")
    assert [breaker.failed(wrong) for _ in range(5)] == [False] * 4 + [True]


def test_the_breaker_forgives_what_differs_or_says_nothing_of_the_next_slide() -> None:
    breaker = CircuitBreaker()
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
        for gone in (NotFound(404, **API), Gone(410, **API)):
            assert not breaker.failed(gone), "its run is gone, which is no word on another's"


def test_results_stop_a_job_only_by_what_tells_of_the_next_ones() -> None:
    of_their_own: list[AignosticsError] = [
        ChecksumMismatch(name="a", expected="x", actual="y"),
        *(kind("no", name="a") for kind in (ChecksumMissing, ResultsDeleted, TransferError, UnsafePath)),
    ]
    for error in of_their_own:
        breaker = CircuitBreaker(OF_DOWNLOADS)
        assert not any(breaker.failed(error) for _ in range(50)), error
    breaker = CircuitBreaker(OF_DOWNLOADS)
    assert [breaker.failed(FileUnwritable("no", name="a")) for _ in range(5)] == [False] * 4 + [True]
