"""The tag of a job in the references that the platform sees: it proves which job a run belongs to. Pure."""

from __future__ import annotations

import re

_DIGITS = 8


def tag_of(job_id: str) -> str:
    """Return the tag of a job; each intent appends a dot and its number."""
    return f"~{job_id.replace('-', '')[:_DIGITS]}"


def untagged(reference: str) -> str:
    """Return a reference without the tag of any job."""
    return re.sub(rf"~[0-9a-f]{{{_DIGITS}}}\.\d+\Z", "", reference)


def plain(reference: str, tag: str) -> str:
    """Return a reference without the tag of a job; an empty tag changes nothing."""
    return re.sub(rf"{re.escape(tag)}\.\d+\Z", "", reference) if tag else reference
