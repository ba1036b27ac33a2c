"""The names of fields to sort by: as users know them, in the words of 1.8. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import NotInContract

if TYPE_CHECKING:
    from aignostics_api_1_8.models import ApplicationVersion as ReleasedVersion

RUNS: Mapping[str, tuple[str, ...]] = {
    "metadata": ("custom_metadata",),
    "application_run_id": ("run_id",),
    "application_version_id": ("application_id", "version_number"),
    "status": ("state",),
    "triggered_at": ("submitted_at",),
    "triggered_by": ("submitted_by",),
}
ITEMS: Mapping[str, tuple[str, ...]] = {
    "metadata": ("custom_metadata",),
    "application_run_id": ("run_id",),
    "reference": ("external_id",),
    "status": ("state",),
}
_VERSION_FIELDS = ("version", "application_version_id", "created_at")


def translated(sort: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the fields in the words of the contract, with their signs; unknown names pass."""
    return [f"{sign}{theirs}" for sign, field in map(_parts, sort) for theirs in names.get(field, (field,))]


def sort_versions(versions: Sequence[ReleasedVersion], sort: Sequence[str]) -> list[ReleasedVersion]:
    """Return versions in an order, by default the server's; the contract lists them unsorted.

    Raises NotInContract for any other field than those that its list has.
    """
    ordered = list(versions)
    for sign, field in map(_parts, reversed(sort)):
        if field not in _VERSION_FIELDS:
            advice = f"sort versions by {' or '.join(_VERSION_FIELDS)}"
            raise NotInContract(f"sorting versions by {field!r}", contract="1.8", advice=advice)
        key = (lambda each: each.released_at) if field == "created_at" else _precedence
        ordered.sort(key=key, reverse=sign == "-")
    return ordered


def _parts(field: str) -> tuple[str, str]:
    return (field[0], field[1:]) if field[:1] in ("+", "-") else ("", field)


def _precedence(released: ReleasedVersion) -> tuple[object, ...]:
    """Return a key that orders versions by the rules of semantic versioning."""
    version = str(released.number)
    core, _, pre = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) if part.isdecimal() else -1 for part in core.split("."))
    # Numbers rank below words, and a version with a name below the one without.
    names = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in pre.split("."))
    return numbers, not pre, names
