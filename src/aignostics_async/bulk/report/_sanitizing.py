"""Removes secrets from texts of users and servers."""

from __future__ import annotations

import re

from ..._core._redaction import redact

# All that `redact` looks for has one of these; most texts have none, and there are a million in a large job.
_MARKS = ("=", "@", "?", "#", "%3d", "u003f", "eyj", "bearer")
# A folder may well be called `code=7`. A URL, a token, or the query that a download left in a file's name is
# another thing.
_IS_NO_PLAIN_NAME = re.compile(r"://|:\\/|[?&][\w-]+(?:=|%3d)|eyJ|bearer\s", re.IGNORECASE)


def told(text: str) -> str:
    """Return what a server or an error said, without secrets."""
    folded = text.lower()
    return redact(text) if any(mark in folded for mark in _MARKS) else text


def named(text: str) -> str:
    """Return a reference or a path as its owner wrote it, but for a URL's query or a token in it."""
    shown = told(text)
    return shown if shown == text or _IS_NO_PLAIN_NAME.search(text) else text
