"""The error tree: drawn, picklable, and without secrets."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from aignostics_async import Retries, errors, models
from aignostics_async._http._retry import Outcome, wait_before_retry
from aignostics_async.errors import (
    AignosticsError,
    APIStatusError,
    BadRequest,
    ConnectionFailed,
    Gone,
    NotFound,
    PlatformDown,
    PreconditionFailed,
    QuotaExceeded,
    ServerError,
    TokenEndpointUnavailable,
    TooManyRequests,
    TransferInterrupted,
    status_error_class,
)
from aignostics_async.models import RunStatus

DETAILS = models.RunDetails("r", "app:v1", "org", RunStatus.REJECTED, datetime(2026, 1, 1, tzinfo=UTC), "me")
SPECIAL: dict[str, dict[str, Any]] = {
    "SlideError": {"path": "a.svs"},
    "ResolutionUnknown": {"path": "a.svs", "remedy": "give it"},
    "NotASlide": {"path": "a.svs", "remedy": "leave it out"},
    "ResolutionConflict": {"path": "a.svs", "from_file": (0.5, 0.5), "given": (0.25, 0.25)},
    "MissingExtra": {"extra": "slides"},
    "NotInContract": {"contract": "1.0"},
    "ConnectionFailed": {"method": "GET", "path": "/", "request_sent": True},
    "RequestTimeout": {"method": "GET", "path": "/", "request_sent": True},
    "InvalidResponse": {"operation": "get run", "status": 200, "excerpt": "<html>"},
    "RunFailed": {"details": DETAILS},
    "RunCancelled": {"details": DETAILS},
    "ItemFailed": {"reference": "a", "status": "ERROR_USER", "error": "unreadable"},
    "ChecksumMismatch": {"name": "a.tiff", "expected": "AAAAAA==", "actual": "4waSgw=="},
    "UrlRefused": {"name": "a.tiff", "status": 403},
}


def all_classes() -> list[type[AignosticsError]]:
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value)
        and issubclass(value, AignosticsError)
        and not value.__name__.startswith("_")
    ]
    assert len(classes) > 30
    return classes


def sample(cls: type[Any]) -> Any:
    name = cls.__name__
    if issubclass(cls, APIStatusError):
        return cls(418, method="GET", path="/v1", detail="no", request_id="id", retry_after=3.0)
    if name == "InvalidSubmission":
        return cls([models.Fault("broken", "case-7", "slide")])
    if name == "InvalidItems":
        return cls("list runs", [models.InvalidItem(3, "no id", "{}")])
    if name == "SubmissionUnknown":
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return cls(references=["a"], application_version_id="app:v1", sent_at=at, reason="it broke")
    if name in ("ItemFailed", "ChecksumMismatch", "ResolutionConflict"):
        return cls(**SPECIAL[name])
    if name in SPECIAL:
        return cls("it broke", **SPECIAL[name])
    if issubclass(cls, errors.TransferError):
        return cls("it broke", name="a.tiff")
    return cls("it broke")


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_every_error_pickles_and_copies(cls: type[AignosticsError]) -> None:
    error = sample(cls)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        assert twin.__dict__ == error.__dict__


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_every_error_is_drawn_in_the_tree_and_exported(cls: type[AignosticsError]) -> None:
    import aignostics_async

    lines = (errors.__doc__ or "").splitlines()
    assert any(f" {cls.__name__}" in line for line in lines)
    assert getattr(aignostics_async, cls.__name__) is cls


def test_the_drawing_has_the_depth_of_the_classes() -> None:
    for line in (errors.__doc__ or "").splitlines():
        drawn = line.split("── ")
        if len(drawn) == 2:
            cls = getattr(errors, drawn[1].split()[0])
            depth = len([base for base in cls.__mro__ if base.__module__ == errors.__name__])
            assert line.index(drawn[1]) == 4 + 4 * (depth - 1), line


@pytest.mark.parametrize(
    ("status", "cls"),
    [(400, BadRequest), (402, QuotaExceeded), (404, NotFound), (410, Gone), (412, PreconditionFailed),
     (418, APIStatusError), (429, TooManyRequests), (500, ServerError),
     (520, ServerError), (999, ServerError), (307, APIStatusError)],
)  # fmt: skip
def test_statuses_have_their_class(status: int, cls: type[APIStatusError]) -> None:
    assert status_error_class(status) is cls


def test_an_error_says_what_to_do() -> None:
    text = str(NotFound(404, method="GET", path="/api/v1/runs/x", detail="gone", request_id="req-1"))
    assert "GET /api/v1/runs/x answered 404: gone" in text
    assert "req-1" in text
    assert "Check the id" in text
    busy = TooManyRequests(429, method="GET", path="/api/v1/runs", retry_after=7.0)
    assert "Wait 7 s, then try again" in str(busy)
    assert pickle.loads(pickle.dumps(busy)).advice == busy.advice


def test_a_spent_quota_is_told_in_the_server_s_words() -> None:
    error = status_error_class(402)(402, method="POST", path="/api/v1/runs", detail="40 of 40 slides used")
    assert isinstance(error, QuotaExceeded)
    assert error.detail == "40 of 40 slides used"
    assert "40 of 40 slides used" in str(error)


TRANSIENT = (ConnectionFailed, PlatformDown, TokenEndpointUnavailable, TransferInterrupted)


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_every_error_says_whether_it_is_transient(cls: type[AignosticsError]) -> None:
    if not issubclass(cls, APIStatusError):
        assert sample(cls).is_transient is issubclass(cls, TRANSIENT)


@pytest.mark.parametrize("status", range(400, 600))
def test_a_status_is_transient_for_requests_and_transfers_alike(status: int) -> None:
    expected = status in {408, 425, 429, 500, 502, 503, 504} or status >= 520
    assert status_error_class(status)(status, method="GET", path="/").is_transient is expected
    assert TransferInterrupted("it broke", name="a.tiff", status=status).is_transient is expected
    repeated = wait_before_retry(Retries(), method="GET", outcome=Outcome(status=status), attempt=1, jitter=0)
    assert (repeated is not None) is expected
