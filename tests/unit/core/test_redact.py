"""Texts from outside lose their secrets and keep their sense."""

from __future__ import annotations

import logging

import pytest
from rounds import sizes

import aignostics_async._http._client  # noqa: F401 - it installs the filter
from aignostics_async._core._redaction import excerpt, redact


@pytest.mark.parametrize(
    "secret",
    [
        "https://s3.example.com/b/key?X-Amz-Signature=PLANTED&X-Amz-Date=1",
        '{"download_url": "https://storage.example.com/o?X-Goog-Signature=PLANTED\\u0026a=b"}',
        "http://user:PLANTED@host/path",
        "HTTPS://HOST/PATH?PLANTED",
        "Authorization: Bearer PLANTED.token-1_2",
        "token eyJhbGciOiJSUzI1NiJ9.eyJDQU5BUlkiOjF9.PLANTED",
        "https://host/path#PLANTED",
        "Proxy-Authorization: Basic UExBTlRFPLANTED==",
        '{"access_token":"PLANTED","share_token" : "PLANTED", "client_secret": "PLANTED"}',
        "{'refresh_token': 'PLANTED', 'password': 'PLANTED'}",
        '"{\\"id_token\\": \\"PLANTED\\"}"',
        "[(b'set-cookie', b'a=PLANTED; Path=/'), (b'date', b'x')]",
        r"""[(b'Set-Cookie', b'a="b"; c=\'PLANTED')]""",
        """[(b'cookie', b"it's PLANTED")]""",
    ],
)
def test_secrets_go(secret: str) -> None:
    assert "PLANTED" not in redact(f"before {secret} after")
    assert "after" in redact(f"before {secret} after")


def test_what_is_no_secret_stays() -> None:
    for text in (
        "GET https://host/a/b answered 404: item 'case-7' is not there?",
        "basic information is missing; Basic authentication is not supported",
        '{"code": "NoSuchKey", "token_type": "Bearer", "share_token_id": "id-7", "error": "invalid_token"}',
    ):
        assert redact(text) == text


def test_an_excerpt_is_short_and_on_one_line() -> None:
    assert excerpt("a\n b\t c") == "a b c"
    assert len(excerpt("x" * 10_000)) == 300


def test_an_excerpt_is_redacted_before_it_is_cut() -> None:
    url = "https://host/path?" + "s" * 290 + "PLANTED"
    assert "sss" not in excerpt(url)


@pytest.mark.parametrize(
    "text",
    [
        '{"detail": "boom https:\\/\\/h\\/x?signature=PLANTED"}',
        "Cannot GET /a?X-Amz-Signature=PLANTED&x=1",
        "https://h/o'brien.svs?sig=PLANTED",
        "https://h/a?x='b'&sig=PLANTED",
        "X-Goog-Signature=PLANTED",
        "https:\\/\\/h\\/x\\u003fsig=PLANTED",
        "refresh_token=PLANTED&grant_type=x",
        "[(b'location', b'https://elsewhere/x?sig=PLANTED')]",
    ],
)
def test_secrets_in_disguise_go_too(text: str) -> None:
    assert "PLANTED" not in redact(text)


def test_the_http_library_s_records_are_redacted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "httpcore.http11")
    logging.getLogger("httpcore.http11").debug("got %r", [(b"location", b"https://host/x?sig=PLANTED")])
    assert "PLANTED" not in caplog.text
    assert "https://host/x" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "https://a/x,https://user:PLANTED@b/y",
        "https://us@er:PLANTED@b/y",
        "https://a/x?next=https://b/PLANTED",
        "https://a/xhttps://b?sig=PLANTED",
        "prefix-eyJhbGciOiJS.eyJDQU5BUlkiOjF9.PLANTED",
        "eyJ-eyJ-eyJhbGciOiJS.eyJDQU5BUlkiOjF9.PLANTED",
        "a%26X-Amz-Signature%3DPLANTED",
        "aX-Amz-Signature=PLANTED",
    ],
)
def test_secrets_that_touch_other_text_go_too(text: str) -> None:
    assert "PLANTED" not in redact(text)


HOSTILE = (
    "https://", "https://a", "https://a@", "https:\\", "https:\\/", "https://a?", "x-amz-", "x-goog-a",
    "eyJ", "eyJ-", "eyJabcd", "eyJabcd.", "a.", "-eyJabcde", "bearer ", "bearer\t", "token", "token-",
    "_token=", "signature", "sig=", "credential%3", " ", "@", "\\u003f", "=",
    "basic ", "Basic a", '"token"', '"secret":"', "'token' : '", '\\"', "_", '"_',
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("repeated", HOSTILE)
@pytest.mark.parametrize("end", ["", "=", "."])
@pytest.mark.parametrize("length", sizes(2**16, 2**18))
def test_redaction_is_linear(repeated: str, end: str, length: int) -> None:
    """With a quadratic pattern, lengths of up to 256 k characters would take hours."""
    text = repeated * (length // len(repeated)) + end
    assert len(redact(text)) <= 20 * len(text) + 20
