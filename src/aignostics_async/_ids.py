"""Identifiers, checked before they become a part of a path."""

from __future__ import annotations

from uuid import UUID

from ._errors import UsageError


def as_uuid(value: str, what: str) -> UUID:
    """Return an id as the contract types it, or raise UsageError."""
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"a {what} is a UUID, not {value!r}") from None


def as_path_part(value: str, what: str) -> str:
    """Return a text that can stand in a path, or raise UsageError if it is empty."""
    if not value.strip():
        raise UsageError(f"the {what} is empty")
    return value
