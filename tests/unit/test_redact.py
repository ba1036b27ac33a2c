"""Texts from outside lose their secrets and keep their sense."""

from __future__ import annotations

import logging

import pytest

import aignostics_async._http._client  # noqa: F401 - it installs the filter
from aignostics_async._core._redaction import excerpt, redact


@pytest.mark.parametrize(
    "secret",
    [
        "https://s3.example.com/b/key?X-Amz-Signature=CANARY&X-Amz-Date=1",
        '{"download_url": "https://storage.example.com/o?X-Goog-Signature=CANARY\\u0026a=b"}',
        "http://user:CANARY@host/path",
        "HTTPS://HOST/PATH?CANARY",
        "Authorization: Bearer CANARY.token-1_2",
        "token eyJhbGciOiJSUzI1NiJ9.eyJDQU5BUlkiOjF9.CANARY",
        "https://host/path#CANARY",
    ],
)
def test_secrets_go(secret: str) -> None:
    assert "CANARY" not in redact(f"before {secret} after")
    assert "after" in redact(f"before {secret} after")


def test_what_is_no_secret_stays() -> None:
    text = "GET https://host/a/b answered 404: item 'case-7' is not there?"
    assert redact(text) == text


def test_an_excerpt_is_short_and_on_one_line() -> None:
    assert excerpt("a\n b\t c") == "a b c"
    assert len(excerpt("x" * 10_000)) == 300


def test_an_excerpt_is_redacted_before_it_is_cut() -> None:
    url = "https://host/path?" + "s" * 290 + "CANARY"
    assert "sss" not in excerpt(url)


@pytest.mark.parametrize(
    "text",
    [
        '{"detail": "boom https:\\/\\/h\\/x?signature=CANARY"}',
        "Cannot GET /a?X-Amz-Signature=CANARY&x=1",
        "https://h/o'brien.svs?sig=CANARY",
        "https://h/a?x='b'&sig=CANARY",
        "X-Goog-Signature=CANARY",
        "https:\\/\\/h\\/x\\u003fsig=CANARY",
        "refresh_token=CANARY&grant_type=x",
        "[(b'location', b'https://elsewhere/x?sig=CANARY')]",
    ],
)
def test_secrets_in_disguise_go_too(text: str) -> None:
    assert "CANARY" not in redact(text)


def test_the_http_library_s_records_are_redacted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "httpcore.http11")
    logging.getLogger("httpcore.http11").debug("got %r", [(b"location", b"https://host/x?sig=CANARY")])
    assert "CANARY" not in caplog.text
    assert "https://host/x" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "https://a/x,https://user:CANARY@b/y",
        "https://us@er:CANARY@b/y",
        "https://a/x?next=https://b/CANARY",
        "https://a/xhttps://b?sig=CANARY",
        "prefix-eyJhbGciOiJS.eyJDQU5BUlkiOjF9.CANARY",
        "eyJ-eyJ-eyJhbGciOiJS.eyJDQU5BUlkiOjF9.CANARY",
        "a%26X-Amz-Signature%3DCANARY",
        "aX-Amz-Signature=CANARY",
    ],
)
def test_secrets_that_touch_other_text_go_too(text: str) -> None:
    assert "CANARY" not in redact(text)


HOSTILE = (
    "https://", "https://a", "https://a@", "https:\\", "https:\\/", "https://a?", "x-amz-", "x-goog-a",
    "eyJ", "eyJ-", "eyJabcd", "eyJabcd.", "a.", "-eyJabcde", "bearer ", "bearer\t", "token", "token-",
    "_token=", "signature", "sig=", "credential%3", " ", "@", "\\u003f", "=",
)  # fmt: skip


@pytest.mark.parametrize("repeated", HOSTILE)
@pytest.mark.parametrize("end", ["", "=", "."])
def test_redaction_is_linear(repeated: str, end: str) -> None:
    """Doubled lengths up to 256 k characters: with a quadratic pattern they would take hours."""
    for doubling in (16, 17, 18):
        text = repeated * (2**doubling // len(repeated)) + end
        assert len(redact(text)) <= 20 * len(text) + 20
