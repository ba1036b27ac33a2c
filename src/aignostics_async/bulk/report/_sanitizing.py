"""Texts of users and servers, made fit to be shown: no secret, and nothing that does not show."""

from __future__ import annotations

import re

from ..._core._redaction import redact

# All that `redact` looks for has one of these; most texts have none, and there are a million in a large job.
_MARKS = ("=", "@", "?", "#", "%3d", "u003f", "eyj", "bearer")
# A folder may well be called `code=7`. A URL, a token, or the query that a download left in a file's name is
# another thing.
_IS_NO_PLAIN_NAME = re.compile(r"://|:\\/|[?&][\w-]+(?:=|%3d)|eyJ|bearer\s", re.IGNORECASE)
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


def told(text: str) -> str:
    """Return what a server or an error said, without secrets."""
    folded = text.lower()
    return redact(text) if any(mark in folded for mark in _MARKS) else text


def named(text: str) -> str:
    """Return a reference or a path as its owner wrote it, but for a URL's query or a token in it."""
    shown = told(text)
    return shown if shown == text or _IS_NO_PLAIN_NAME.search(text) else text


def visible(text: str) -> str:
    """Return a text on one line, in which what steers and does not show is written as ‹U+202E›."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


def shortened(text: str, limit: int) -> str:
    """Return at most so many characters of a text."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
