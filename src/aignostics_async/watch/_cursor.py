"""A place in a stream of changes, as a text: which runs are not over, and what of them was seen. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from attrs import field, frozen

from ..errors import UsageError
from ..models import ItemStatus, RunStatus
from ._transitions import Known

# The first letters of every cursor; another form of it gets another number.
_FORM = "w1."
_MARK = 8  # bytes


@frozen
class Cursor:
    """What a cursor says. Where all runs are watched, those triggered before `mark` were seen."""

    runs: Mapping[str, Known] = field(factory=dict)
    mark: datetime | None = None

    def encode(self) -> str:
        """Return it as a text."""
        mark = None if self.mark is None else self.mark.timestamp()
        content = msgspec.msgpack.encode([mark, *map(_pack, self.runs, self.runs.values())])
        return _FORM + base64.urlsafe_b64encode(content).decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read a text; raises UsageError for one that is no cursor, or one of a newer release."""
        if not isinstance(text, str) or not text.startswith(_FORM):
            raise UsageError("this is no cursor of this release; give the `cursor` of a change as it was")
        try:
            mark, *runs = msgspec.msgpack.decode(base64.urlsafe_b64decode(text[len(_FORM) :]))
            moment = None if mark is None else datetime.fromtimestamp(mark, UTC)
            return cls(dict(map(_unpack, runs)), moment)
        except (ValueError, TypeError, IndexError, OverflowError, OSError, msgspec.DecodeError):
            raise UsageError("this cursor is damaged; give the `cursor` of a change as it was") from None


def _pack(run_id: str, known: Known) -> list[object]:
    statuses = sorted({status.value for status in known.items.values()})
    places = {status: place for place, status in enumerate(statuses)}
    return [
        UUID(run_id).bytes,
        known.status and known.status.value,
        statuses,
        b"".join(known.items),
        bytes(places[status.value] for status in known.items.values()),
    ]


def _unpack(packed: tuple[bytes, str | None, list[str], bytes, bytes]) -> tuple[str, Known]:
    run_id, status, statuses, marks, places = packed
    listed = [ItemStatus(each) for each in statuses]
    items = {each: listed[place] for each, place in zip(_pieces(marks), places, strict=True)}
    return str(UUID(bytes=run_id)), Known(None if status is None else RunStatus(status), items)


def _pieces(marks: bytes) -> Iterable[bytes]:
    return (marks[start : start + _MARK] for start in range(0, len(marks), _MARK))
