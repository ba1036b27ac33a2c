"""The mark of a job in the references that the platform sees: it proves whose a run is. Pure."""

from __future__ import annotations

import re

_DIGITS = 8


def tag_of(job_id: str) -> str:
    """Return the mark of a job; each of its intents adds a point and its number to it."""
    return f"~{job_id.replace('-', '')[:_DIGITS]}"


def untagged(reference: str) -> str:
    """Return a reference without the mark of an intent, of whatever job."""
    return re.sub(rf"~[0-9a-f]{{{_DIGITS}}}\.\d+\Z", "", reference)


def plain(reference: str, tag: str) -> str:
    """Return a reference without the mark of any intent; `tag` is the job's, or nothing."""
    return re.sub(rf"{re.escape(tag)}\.\d+\Z", "", reference) if tag else reference
