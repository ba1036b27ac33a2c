"""The search for secrets finds what is planted, in every place that it looks at."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from canary import CANARY, TOKENS, Canary

from aignostics_async import AignosticsError, TransferError
from aignostics_async._redact import RedactingFilter
from aignostics_async._urls import without_query

MARKED = [
    "emulator-access-abc",
    "oidc-refresh-abc",
    "small-code-1",
    "emulator-device-x",
    "emulator-secret-x",
    "eyJhbGciOiJSUzI1NiIs.eyJzdWIiOiJwZXJzb24ifQ.c2ln",
    "https://host/a?signature=0123456789abcdef",
    "https://host/a?X-Amz-Signature=0123456789abcdef",
    "CANARY",
]


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Give a search of its own; the one of the session does not see what is planted here."""
    yield Canary()
    CANARY.errors.clear()
    CANARY.finds.clear()


@pytest.mark.parametrize("secret", MARKED)
def test_a_planted_log_record_is_found(canary: Canary, secret: str) -> None:
    log = logging.getLogger("planted")
    log.propagate = False
    log.addHandler(canary)
    log.warning("here is %s", secret)
    log.warning("nothing")
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("it failed")
    log.removeHandler(canary)
    assert len([find for find in canary.finds if find.startswith("a log record of planted")]) >= 2


def found(canary: Canary, error: AignosticsError) -> str:
    canary.remember(error)
    canary.search_errors()
    assert canary.errors == []
    return "\n".join(canary.finds)


@pytest.mark.parametrize("secret", MARKED)
def test_a_planted_error_is_found(canary: Canary, secret: str) -> None:
    told = found(canary, TransferError(f"it went to {secret}", name="a"))
    for where in ("text", "repr", "pickle"):
        assert f"the {where} of TransferError" in told


def test_a_secret_attribute_is_found_in_the_pickle(canary: Canary) -> None:
    error = TransferError("it failed", name="a")
    error.url = "emulator-access-abc"  # type: ignore[attr-defined]
    assert found(canary, error).startswith("the pickle of TransferError")


def test_a_secret_in_the_cause_is_found(canary: Canary) -> None:
    error = TransferError("it failed", name="a")
    error.__context__ = ValueError("CANARY")
    assert "the text of TransferError" in found(canary, error)


def test_a_secret_variable_of_ours_is_found(canary: Canary) -> None:
    with pytest.raises(TypeError) as caught:
        without_query(["small-access-1"])  # type: ignore[arg-type]
    error = TransferError("it failed", name="a").with_traceback(caught.value.__traceback__)
    told = found(canary, error)
    assert "the variable url in line" in told
    assert "of without_query" in told


def test_every_error_of_ours_is_seen(canary: Canary) -> None:
    watching: Iterator[None] = canary.watch()
    next(watching)
    made = AignosticsError("small-access-1")
    logging.getLogger("httpx").info("HTTP Request: GET %s", "http://host/?signature=0123456789")
    next(watching, None)
    AignosticsError("not seen any more")
    assert canary.errors == [made]
    canary.search_errors()
    assert {find.split(":")[0] for find in canary.finds} == {
        "a log record of httpx",
        "the text of AignosticsError",
        "the repr of AignosticsError",
        "the pickle of AignosticsError",
    }


def test_what_is_redacted_is_not_found(canary: Canary) -> None:
    record = logging.LogRecord("x", 10, "", 1, "%s", ("https://h/a?signature=0123456789ab",), None)
    RedactingFilter().filter(record)
    canary.emit(record)
    assert canary.finds == []


def test_a_signed_query_may_go_to_its_storage_and_a_token_may_not(canary: Canary) -> None:
    canary.search("a request", "GET /a?signature=0123456789abcdef", TOKENS)
    assert canary.finds == []
    canary.search("a request", "authorization: Bearer small-access-1", TOKENS)
    assert canary.finds
