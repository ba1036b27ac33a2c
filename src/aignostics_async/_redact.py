"""Texts that came from outside, made fit for an error or a log."""

from __future__ import annotations

import re

_QUERY = re.compile(r"""(https?://[^\s?#"'<>\\]+)[?#][^\s"'<>]*""", re.IGNORECASE)
_USERINFO = re.compile(r"(https?://)[^\s/@\"'<>]+@", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*")
_BEARER = re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+")


def redact(text: str) -> str:
    """Return `text` without URL queries, user names in URLs and bearer tokens.

    A signed URL is a secret because of its query, so the query goes and the path stays.
    """
    text = _QUERY.sub(r"\1?[redacted]", text)
    text = _USERINFO.sub(r"\1[redacted]@", text)
    text = _JWT.sub("[redacted]", text)
    return _BEARER.sub(r"\1 [redacted]", text)


def excerpt(text: str, limit: int = 300) -> str:
    """Return the beginning of `text`, redacted and on one line, at most `limit` characters."""
    # Redaction comes first: cutting first could leave half a signature that no pattern knows.
    line = " ".join(redact(text[: 20 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
