"""A position in a stream of changes, as text: what was observed of the runs that are not final. Pure.

A cursor is `w1.` and the URL-safe base64 of a msgpack array: the time before which all runs have been seen,
as seconds since the epoch or nil, then one array per run.

    [run id (16 bytes), status or nil, [item statuses], item keys (8 bytes each), index of each item's status]
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from attrs import field, frozen

from ..errors import UsageError
from ..models import ItemStatus, RunStatus
from ._transitions import ObservedState

_VERSION = "w1."
_KEY_SIZE = 8  # bytes


@frozen
class Cursor:
    """What a cursor says."""

    runs: Mapping[str, ObservedState] = field(factory=dict)
    seen_before: datetime | None = None
    """When all runs are watched: every run that was triggered earlier has been seen."""

    def encode(self) -> str:
        """Return the cursor as text."""
        seen_before = None if self.seen_before is None else self.seen_before.timestamp()
        content = msgspec.msgpack.encode([seen_before, *map(_pack, self.runs, self.runs.values())])
        return _VERSION + base64.urlsafe_b64encode(content).decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read a cursor. Raises UsageError for other text, and for a cursor of a later format."""
        if not isinstance(text, str) or not text.startswith(_VERSION):
            raise UsageError("this is not a cursor of this release; pass the `cursor` of a change unchanged")
        try:
            timestamp, *runs = msgspec.msgpack.decode(base64.urlsafe_b64decode(text[len(_VERSION) :]))
            seen_before = None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
            return cls(dict(map(_unpack, runs)), seen_before)
        except (ValueError, TypeError, IndexError, OverflowError, OSError, msgspec.DecodeError):
            raise UsageError("this cursor is damaged; pass the `cursor` of a change unchanged") from None


def _pack(run_id: str, observed: ObservedState) -> list[object]:
    statuses = sorted({status.value for status in observed.items.values()})
    indices = {status: index for index, status in enumerate(statuses)}
    return [
        UUID(run_id).bytes,
        observed.status and observed.status.value,
        statuses,
        b"".join(observed.items),
        bytes(indices[status.value] for status in observed.items.values()),
    ]


def _unpack(packed: tuple[bytes, str | None, list[str], bytes, bytes]) -> tuple[str, ObservedState]:
    run_id, status, names, keys, indices = packed
    statuses = [ItemStatus(name) for name in names]
    items = {key: statuses[index] for key, index in zip(_split(keys), indices, strict=True)}
    return str(UUID(bytes=run_id)), ObservedState(None if status is None else RunStatus(status), items)


def _split(keys: bytes) -> Iterable[bytes]:
    return (keys[start : start + _KEY_SIZE] for start in range(0, len(keys), _KEY_SIZE))
