"""Texts from outside, made safe for errors and logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container
from urllib.parse import unquote, unquote_plus

# Every pattern matches in linear time, whatever the text: a server chooses it, and the event loop waits.
# A URL up to the next space or quote. JSON may have escaped its slashes, and its `?` as \\u003f.
_URL = re.compile(r"""https?:(?:\\*/){2}[^\s"<>]*""", re.IGNORECASE)
_NEXT_URL = re.compile(r"(?=https?:(?:\\*/){2})", re.IGNORECASE)
_QUERY_MARK = re.compile(r"[?#]|\\u003f", re.IGNORECASE)
_USERINFO = re.compile(r"(https?:(?:\\*/){2})[^/\\]+@", re.IGNORECASE)
# A query without its host, as servers like to repeat it: /path?signature=..., X-Goog-Signature=...
_SECRET_VALUE = re.compile(
    r"""((?:x-(?:amz|goog)-[\w-]{1,64}|signature|sig|credential|(?<!\w)\w*token|client_secret|code)(?:=|%3d))[^&\s"'<>]+""",
    re.IGNORECASE,
)
# The lookahead finds the dots before the search for the beginning: one reading of each word.
_JWT = re.compile(r"(?<![\w-])(?=[\w-]++\.[\w-]++\.)([\w-]*?)\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*")
_BEARER = re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+")
# As httpcore logs a header: (b'set-cookie', b'...').
_COOKIE = re.compile(r"""(cookie['"], b?(['"]))(?:\\.|(?!\2)[^\\])*""", re.IGNORECASE)
# Of a name and password; it has a capital or a digit, and so is no English word.
_BASIC = re.compile(r"\b([Bb]asic)\s+(?=[a-z+/]*+[A-Z0-9])[A-Za-z0-9+/]{4,}={0,2}")
# A field of JSON: what a token endpoint answers, say, and a gateway repeats.
_SECRET_FIELD = re.compile(
    r"""(\\?["'](?:\w{0,32}token|\w{0,32}secret|password|authorization|device_code)\\?["']\s{0,4}:\s{0,4}\\?["'])[^"'\\]+""",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return a text without URL queries, user names in URLs, signatures and bearer tokens.

    A signed URL is a secret because of its query, so the query is removed and the path kept. Takes time in
    proportion to the length of the text.
    """
    text = _URL.sub(_shown_url, text)
    text = without_secret_values(text)
    text = _JWT.sub(r"\1[redacted]", text)
    text = _SECRET_FIELD.sub(r"\1[redacted]", text)
    text = _COOKIE.sub(r"\1[redacted]", text)
    text = _BASIC.sub(r"\1 [redacted]", text)
    return _BEARER.sub(r"\1 [redacted]", text)


def without_secret_values(text: str) -> str:
    """Return a text without signatures and tokens in queries, whose other values it keeps."""
    return _SECRET_VALUE.sub(r"\1[redacted]", text)


def _shown_url(found: re.Match[str]) -> str:
    """Return a URL, or several that no space separates, up to the first query."""
    shown = []
    for url in _NEXT_URL.split(found[0]):
        mark = _QUERY_MARK.search(url)
        shown.append(_USERINFO.sub(r"\1[redacted]@", url[: mark.start()] if mark else url))
        if mark:
            shown.append("?[redacted]")
            break
    return "".join(shown)


def without_values(text: str, query: str, public: Container[str] = ()) -> str:
    """Return a text without the values of a query or form that was sent, except those of `public` fields.

    They are found as they were sent, decoded, and in any case: a server may write escapes in its own way.
    """
    secrets = {query}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name) not in public:
            secrets |= {value, unquote(value), unquote_plus(value)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = re.sub(re.escape(secret), "[redacted]", text, flags=re.IGNORECASE)
    return text


def excerpt(text: str, limit: int = 300) -> str:
    """Return the beginning of a text, redacted and on one line, at most `limit` characters."""
    # Redact before cutting: half a signature may match no pattern.
    line = " ".join(redact(text[: 20 * limit]).split())
    # Terminals obey control characters.
    line = "".join(character if character.isprintable() else "\ufffd" for character in line)
    # JSON may hold a lone surrogate, which can't be written to a file or terminal.
    line = line.encode("utf-8", "backslashreplace").decode("utf-8")
    return line if len(line) <= limit else line[: limit - 1] + "…"


class RedactingFilter(logging.Filter):
    """Redacts log records of the HTTP libraries, which log headers and URLs as they are."""

    def __init__(self, hide: Callable[[str], str] = redact) -> None:
        super().__init__()
        self._hide = hide

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the text of a record; keeps every record."""
        record.msg, record.args = self._hide(record.getMessage()), None
        return True
