"""Checks of identifiers, lists of texts, and times, before a request uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from ._core._redaction import excerpt
from ._core._token import is_text
from .errors import UsageError

_VERSION_NUMBER = re.compile(r"v?([^:\s]+)")
_VERSION_ID = re.compile(rf"([^:\s]+):{_VERSION_NUMBER.pattern}")


def as_uuid(value: str, what: str) -> str:
    """Return a UUID as the contract writes it; raises UsageError for any other value."""
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise UsageError(
            f"a {what} is a UUID, not {excerpt(repr(value))}; copy the whole id from where it is listed"
        ) from None


def as_path_part(value: str, what: str) -> str:
    """Return a text that can be part of a path; raises UsageError for any other value."""
    if not is_text(value) or value.strip() in ("", ".", ".."):
        raise UsageError(f"{value!r} is no {what}")
    return value


def as_item_path(reference: str) -> str:
    """Return an item's reference that can be part of a path; raises UsageError for any other one."""
    if "/" in as_path_part(reference, "reference"):
        raise UsageError(
            f"item {reference!r} can't be named in a path: nobody has proven that the platform finds a "
            "reference with a slash there"
        )
    return reference


def as_object_key(key: str) -> str:
    """Return a key of a store, or an object's URI; raises UsageError for what no request can carry."""
    if not is_text(key):
        raise UsageError(
            f"the key of an object must be text that can be encoded, not {key!r}; a file whose name can't be "
            "needs a key of its own"
        )
    return key


def as_filter(value: str | None, what: str) -> str | None:
    """Return a text to look for, or None; raises UsageError for an empty one, which might select all."""
    if value is not None and (not is_text(value) or not value.strip()):
        raise UsageError(
            f"{what} is a text that is not empty, not {excerpt(repr(value))}; leave it out to select all"
        )
    return value


def as_texts(values: Iterable[str], what: str) -> tuple[str, ...]:
    """Return several texts; raises UsageError for others, and for a single one, which would be split."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"{what} takes several texts; put the one in a list: [{values!r}]")
    several = tuple(values)
    for value in several:
        if not isinstance(value, str):
            raise UsageError(f"{what} takes texts, not {excerpt(repr(value))}")
    return several


def as_aware(value: datetime | None, what: str) -> datetime | None:
    """Return an aware time or None; raises UsageError for a time without a zone."""
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise UsageError(f"{what} must be an aware time, such as datetime.now(UTC), not {value!r}")
    return value


def as_future(value: datetime | None, what: str) -> datetime | None:
    """Return an aware time to come, or None; raises UsageError for any other value."""
    if as_aware(value, what) is not None and value <= datetime.now(UTC):  # type: ignore[operator]
        raise UsageError(f"{what} must be a time to come, and {value!s} has passed")
    return value


def as_version_number(version: str) -> str:
    """Return a semantic version without the `v` that users may write; raises UsageError for other values."""
    found = _VERSION_NUMBER.fullmatch(version) if isinstance(version, str) else None
    if found is None:
        raise UsageError(f"{version!r} is no version of an application; give its number, such as '1.2.3'")
    return found[1]


def split_version_id(version_id: str) -> tuple[str, str]:
    """Return the application id and the semantic version of a version id; raises UsageError."""
    parts = _VERSION_ID.fullmatch(version_id) if isinstance(version_id, str) else None
    if parts is None:
        raise UsageError(
            f"{version_id!r} is no version id; give application and version, such as 'he-tme:v1.1.0'. "
            "client.applications.versions(...) lists them"
        )
    return parts[1], parts[2]


def as_version_id(version_id: str) -> str:
    """Return a version id as the platform writes it, with the `v` that users may omit."""
    application_id, version = split_version_id(version_id)
    return f"{application_id}:v{version}"
