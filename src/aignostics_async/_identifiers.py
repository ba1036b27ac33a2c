"""Identifiers, lists of them and times, checked before anything is asked for by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from .errors import UsageError

_VERSION_ID = re.compile(r"([^:\s]+):v?([^:\s]+)")


def as_uuid(value: str, what: str) -> str:
    """Return an id as the contract writes it, or raise UsageError for what is no UUID."""
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"a {what} is a UUID, not {value!r}") from None


def as_path_part(value: str, what: str) -> str:
    """Return a text that can stand in a path, or raise UsageError."""
    if not isinstance(value, str) or value.strip() in ("", ".", ".."):
        raise UsageError(f"{value!r} is no {what}")
    return value


def as_texts(values: Iterable[str], what: str) -> tuple[str, ...]:
    """Return several texts, or raise UsageError for a single one, whose characters nobody means."""
    if isinstance(values, str):
        raise UsageError(f"{what} takes several texts; put the one in a list: [{values!r}]")
    return tuple(values)


def as_aware(value: datetime | None, what: str) -> datetime | None:
    """Return a time that may be missing, or raise UsageError for one that may be any hour of a day."""
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise UsageError(f"{what} must be an aware time, such as datetime.now(UTC), not {value!r}")
    return value


def split_version_id(version_id: str) -> tuple[str, str]:
    """Return application id and semantic version of a version id, or raise UsageError."""
    parts = _VERSION_ID.fullmatch(version_id) if isinstance(version_id, str) else None
    if parts is None:
        raise UsageError(
            f"{version_id!r} is no version id; give application and version, such as 'h-e-tme:v1.2.3'. "
            "client.applications.versions(...) lists them"
        )
    return parts[1], parts[2]


def as_version_id(version_id: str) -> str:
    """Return a version id in the form of the platform's own, with the `v` that may be left out."""
    application_id, version = split_version_id(version_id)
    return f"{application_id}:v{version}"
