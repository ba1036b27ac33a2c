"""The search for secrets finds what is planted, in every place that it looks at."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from leak_detector import DETECTOR, TOKENS, LeakDetector

from aignostics_async import AignosticsError, TransferError
from aignostics_async._core._redaction import RedactingFilter
from aignostics_async._core._urls import without_query

MARKED = [
    "emulator-access-abc",
    "oidc-refresh-abc",
    "small-code-1",
    "emulator-device-x",
    "emulator-secret-x",
    "eyJhbGciOiJSUzI1NiIs.eyJzdWIiOiJwZXJzb24ifQ.c2ln",
    "https://host/a?signature=0123456789abcdef",
    "https://host/a?X-Amz-Signature=0123456789abcdef",
    "PLANTED",
]


@pytest.fixture
def leak_detector() -> Iterator[LeakDetector]:
    """Give a search of its own; the one of the session does not see what is planted here."""
    yield LeakDetector()
    DETECTOR.errors.clear()
    DETECTOR.finds.clear()


@pytest.mark.parametrize("secret", MARKED)
def test_a_planted_log_record_is_found(leak_detector: LeakDetector, secret: str) -> None:
    log = logging.getLogger("planted")
    log.propagate = False
    log.addHandler(leak_detector)
    log.warning("here is %s", secret)
    log.warning("nothing")
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("it failed")
    log.removeHandler(leak_detector)
    assert len([find for find in leak_detector.finds if find.startswith("a log record of planted")]) >= 2


def found(leak_detector: LeakDetector, error: AignosticsError) -> str:
    leak_detector.remember(error)
    leak_detector.search_errors()
    assert leak_detector.errors == []
    return "\n".join(leak_detector.finds)


@pytest.mark.parametrize("secret", MARKED)
def test_a_planted_error_is_found(leak_detector: LeakDetector, secret: str) -> None:
    told = found(leak_detector, TransferError(f"it went to {secret}", name="a"))
    for where in ("text", "repr", "pickle"):
        assert f"the {where} of TransferError" in told


def test_a_secret_attribute_is_found_in_the_pickle(leak_detector: LeakDetector) -> None:
    error = TransferError("it failed", name="a")
    error.url = "emulator-access-abc"  # type: ignore[attr-defined]
    assert found(leak_detector, error).startswith("the pickle of TransferError")


def test_a_secret_in_the_cause_is_found(leak_detector: LeakDetector) -> None:
    error = TransferError("it failed", name="a")
    error.__context__ = ValueError("PLANTED")
    assert "the text of TransferError" in found(leak_detector, error)


def test_a_secret_variable_of_ours_is_found(leak_detector: LeakDetector) -> None:
    with pytest.raises(TypeError) as caught:
        without_query(["small-access-1"])  # type: ignore[arg-type]
    error = TransferError("it failed", name="a").with_traceback(caught.value.__traceback__)
    told = found(leak_detector, error)
    assert "the variable url in" in told
    assert "_urls.py" in told
    assert "without_query" in told


def test_every_error_of_ours_is_seen(leak_detector: LeakDetector) -> None:
    watching: Iterator[None] = leak_detector.watch()
    next(watching)
    made = AignosticsError("small-access-1")
    logging.getLogger("asyncio").info("GET %s", "http://host/?signature=0123456789")
    next(watching, None)
    AignosticsError("not seen any more")
    assert leak_detector.errors == [made]
    leak_detector.search_errors()
    assert {find.split(":")[0] for find in leak_detector.finds} == {
        "a log record of asyncio",
        "the text of AignosticsError",
        "the repr of AignosticsError",
        "the pickle of AignosticsError",
    }


def test_what_is_redacted_is_not_found(leak_detector: LeakDetector) -> None:
    record = logging.LogRecord("x", 10, "", 1, "%s", ("https://h/a?signature=0123456789ab",), None)
    RedactingFilter().filter(record)
    leak_detector.emit(record)
    assert leak_detector.finds == []


def test_a_signed_query_may_go_to_its_storage_and_a_token_may_not(leak_detector: LeakDetector) -> None:
    leak_detector.search("a request", "GET /a?signature=0123456789abcdef", TOKENS)
    assert leak_detector.finds == []
    leak_detector.search("a request", "authorization: Bearer small-access-1", TOKENS)
    assert leak_detector.finds
