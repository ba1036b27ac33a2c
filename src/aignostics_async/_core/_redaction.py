"""Texts that came from outside, made fit for an error or a log."""

from __future__ import annotations

import logging
import re
from collections.abc import Container
from urllib.parse import parse_qsl

# What may stand between the end of a path and a signature; JSON may have escaped it, and the slashes too.
_QUERY = re.compile(r"""(https?:(?:\\*/){2}(?:\\+/|[^\s?#"<>\\])+)(?:[?#]|\\u003f)[^\s"<>]*""", re.IGNORECASE)
_USERINFO = re.compile(r"(https?:(?:\\*/){2})[^\s/@\"'<>]+@", re.IGNORECASE)
# A query without its host, as servers like to repeat it: /path?signature=..., X-Goog-Signature=...
_SECRET_VALUE = re.compile(
    r"""((?:x-(?:amz|goog)-[\w-]+|signature|sig|credential|(?<!\w)\w*token|client_secret|code)(?:=|%3d))[^&\s"'<>]+""",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*")
_BEARER = re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+")


def redact(text: str) -> str:
    """Return `text` without URL queries, user names in URLs, signatures and bearer tokens.

    A signed URL is a secret because of its query, so the query goes and the path stays.
    """
    text = _QUERY.sub(r"\1?[redacted]", text)
    text = _USERINFO.sub(r"\1[redacted]@", text)
    text = _SECRET_VALUE.sub(r"\1[redacted]", text)
    text = _JWT.sub("[redacted]", text)
    return _BEARER.sub(r"\1 [redacted]", text)


def without_values(text: str, query: str, public: Container[str] = ()) -> str:
    """Return a text without the values of a query or form, which a server may repeat, except public ones."""
    for secret in (query, *(value for name, value in parse_qsl(query) if name not in public)):
        if len(secret) >= 4:
            text = text.replace(secret, "[redacted]")
    return text


def excerpt(text: str, limit: int = 300) -> str:
    """Return the beginning of `text`, redacted and on one line, at most `limit` characters."""
    # Redaction comes first: cutting first could leave half a signature that no pattern knows.
    line = " ".join(redact(text[: 20 * limit]).split())
    # It goes to terminals, which would obey control characters.
    line = "".join(character if character.isprintable() else "\ufffd" for character in line)
    # JSON may hold half a surrogate pair, which no file or terminal takes.
    line = line.encode("utf-8", "backslashreplace").decode("utf-8")
    return line if len(line) <= limit else line[: limit - 1] + "…"


class RedactingFilter(logging.Filter):
    """Rewrites log records of the HTTP library below us, which writes response headers as they come."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record's text, and keep the record."""
        record.msg, record.args = redact(record.getMessage()), None
        return True
