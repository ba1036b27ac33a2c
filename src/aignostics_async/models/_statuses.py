"""Statuses and scopes, as enums that the platform may extend."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class _OpenEnum(StrEnum):
    """An enum that the platform may extend, and that older servers wrote in lower case.

    A value keeps the text that it was read from. If it differs from a listed member only in case, it has
    that member's name and hash and equals both the member and its own text; compare with `==`, since it is
    not the same object. Another value has its text as its name, and equals only that.

    The hash is that of the name, so a set of plain strings finds a value by the listed spelling only.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        listed = cls.__members__.get(value.upper())
        text = str.__new__(cls, value)
        text._value_ = str(value)
        text._name_ = text._value_ if listed is None else listed.name
        return text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _OpenEnum):
            return self._name_ == other._name_
        return isinstance(other, str) and other in (self._value_, self._name_)

    def __ne__(self, other: object) -> bool:
        # str defines its own.
        return not self == other

    def __hash__(self) -> int:
        return hash(self._name_)

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        # Python before 3.11.4 pickles the name, which is less than the text.
        return type(self), (self._value_,)


class RunStatus(_OpenEnum):
    """The status of a run.

        if details.status == RunStatus.COMPLETED: ...

    RECEIVED (accepted), SCHEDULED (waiting) and RUNNING are followed by a final status: COMPLETED (every item
    has succeeded), COMPLETED_WITH_ERROR (some items, or all, have no results), REJECTED (the platform refused
    the run), CANCELED_SYSTEM (the platform cancelled it) or CANCELED_USER (its user did). Contract 1.8 has no
    SCHEDULED and no REJECTED. Compare with `==`, not `is`: older servers write the values in lower case. A
    status that this release does not know keeps its text and is not final.
    """

    RECEIVED = "RECEIVED"
    """The platform has accepted the request."""
    SCHEDULED = "SCHEDULED"
    """The run waits for processing."""
    RUNNING = "RUNNING"
    """Items are being processed."""
    COMPLETED = "COMPLETED"
    """Final: every item has succeeded."""
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    """Final: some items, or all of them, have no results."""
    REJECTED = "REJECTED"
    """Final: the platform refused the run."""
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    """Final: the platform cancelled the run."""
    CANCELED_USER = "CANCELED_USER"
    """Final: the user cancelled the run."""

    @property
    def is_final(self) -> bool:
        """Whether it is a final status: that of a run that is completed, rejected or cancelled.

        False for a status that this release does not know.
        """
        return self in _FINAL_RUN_STATUSES


_FINAL_RUN_STATUSES = frozenset(
    {
        RunStatus.COMPLETED,
        RunStatus.COMPLETED_WITH_ERROR,
        RunStatus.REJECTED,
        RunStatus.CANCELED_SYSTEM,
        RunStatus.CANCELED_USER,
    }
)


class ItemStatus(_OpenEnum):
    """The status of an item of a run.

        if item.status == ItemStatus.SUCCEEDED: ...

    PENDING and PROCESSING are followed by a final status: SUCCEEDED (it has results), ERROR_USER (the input
    could not be analysed), ERROR_SYSTEM (the platform failed, or gave no reason that this release knows), or
    one for an item whose run was cancelled: SKIPPED under contract 1.8, and CANCELED_USER or CANCELED_SYSTEM
    under 1.0, which has no PROCESSING. Compare with `==`, not `is`: older servers write them in lower case. A
    status that this release does not know keeps its text and is not final.
    """

    PENDING = "PENDING"
    """The item is not processed yet."""
    PROCESSING = "PROCESSING"
    """The item is being processed; contract 1.0 says PENDING until the end."""
    SUCCEEDED = "SUCCEEDED"
    """Final: the item has results."""
    ERROR_USER = "ERROR_USER"
    """Final: the input could not be analysed."""
    ERROR_SYSTEM = "ERROR_SYSTEM"
    """Final: the platform failed."""
    CANCELED_USER = "CANCELED_USER"
    """Final: the user cancelled the run."""
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    """Final: the platform cancelled the run."""
    SKIPPED = "SKIPPED"
    """Final: the item was not processed, because its run was cancelled; contract 1.0 says by whom instead."""

    @property
    def is_final(self) -> bool:
        """Whether the item no longer changes: its status is known to this release, and neither PENDING nor
        PROCESSING.
        """
        return self in _FINAL_ITEM_STATUSES


_FINAL_ITEM_STATUSES = frozenset(ItemStatus) - {ItemStatus.PENDING, ItemStatus.PROCESSING}


class ArtifactScope(_OpenEnum):
    """The scope of an output: one item, or the whole run.

        per_item = [spec.name for spec in version.output_artifacts if spec.scope == ArtifactScope.ITEM]

    The values are ITEM and GLOBAL. Compare with `==`, not `is`: older servers write them in lower case. A
    scope that this release does not know keeps its text.
    """

    ITEM = "ITEM"
    """The output belongs to one item."""
    GLOBAL = "GLOBAL"
    """The output belongs to the whole run."""


class HealthStatus(_OpenEnum):
    """The status that a deployment reports of itself, as `Health.status` has it.

        if (await client.health()).status == HealthStatus.DOWN: ...

    The values are UP (it works), DEGRADED (it works in part), DOWN (it does not work) and UNKNOWN (it reports
    none, which is no sign of trouble). Compare with `==`, not `is`: the platform may write them in lower
    case. A status that this release does not know keeps its text.
    """

    UP = "UP"
    """It works."""
    DEGRADED = "DEGRADED"
    """It works in part."""
    DOWN = "DOWN"
    """It does not work: `Runs.submit` raises PlatformDown unless forced, and bulk jobs wait."""
    UNKNOWN = "UNKNOWN"
    """It reports no status; this is no sign of trouble."""
