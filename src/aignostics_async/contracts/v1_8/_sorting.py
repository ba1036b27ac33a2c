"""The names of fields to sort by: as users know them, in the words of 1.8. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import NotInContract
from .._requests import sign_and_field, sort_fields

if TYPE_CHECKING:
    from aignostics_api_1_8.models import ApplicationVersion as ReleasedVersion

SortFields = Mapping[str, tuple[str, ...]]
"""What users sort by, and the fields that the contract has for it."""

APPLICATIONS: SortFields = {
    each: (each,) for each in ("application_id", "name", "description", "regulatory_classes")
}
RUNS: SortFields = {
    "triggered_at": ("submitted_at",),
    "triggered_by": ("submitted_by",),
    "application_version_id": ("application_id", "version_number"),
    "status": ("state",),
    "run_id": ("run_id",),
    "metadata": ("custom_metadata",),
    "terminated_at": ("terminated_at",),
    "termination_reason": ("termination_reason",),
}
ITEMS: SortFields = {
    "item_id": ("item_id",),
    "reference": ("external_id",),
    "status": ("state",),
    "metadata": ("custom_metadata",),
    "terminated_at": ("terminated_at",),
    "termination_reason": ("termination_reason",),
}
_VERSION_FIELDS = ("version", "application_version_id", "created_at")


def translated(sort: Iterable[str], names: SortFields) -> list[str]:
    """Return the fields in the words of the contract, with their signs; raises UsageError for other ones.

    The contract's own words are taken, too.
    """
    own = {each for fields in names.values() for each in fields}
    fields = sort_fields(sort, names, aliases=own)
    return [f"{sign}{theirs}" for sign, field in fields for theirs in names.get(field, (field,))]


def sort_versions(versions: Sequence[ReleasedVersion], sort: Sequence[str]) -> list[ReleasedVersion]:
    """Return versions in an order, by default the server's; the contract lists them unsorted.

    Raises NotInContract for any other field than those that its list has.
    """
    ordered = list(versions)
    for sign, field in map(sign_and_field, reversed(sort)):
        if field not in _VERSION_FIELDS:
            advice = f"sort versions by {' or '.join(_VERSION_FIELDS)}"
            raise NotInContract(f"sorting versions by {field!r}", contract="1.8", advice=advice)
        key = (lambda each: each.released_at) if field == "created_at" else _precedence
        ordered.sort(key=key, reverse=sign == "-")
    return ordered


def _precedence(released: ReleasedVersion) -> tuple[object, ...]:
    """Return a key that orders versions by the rules of semantic versioning."""
    version = str(released.number)
    core, _, pre = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) if part.isdecimal() else -1 for part in core.split("."))
    # Numbers rank below words, and a version with a name below the one without.
    names = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in pre.split("."))
    return numbers, not pre, names
