"""From what a reading shows of a run, and what is known already, to changes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from attrs import evolve, field, frozen

from ..models import ItemResult, ItemStatus, RunDetails, RunStatus
from ._status_order import is_later

_NO_ITEMS: Mapping[bytes, ItemStatus] = {}


@frozen
class Change:
    """A run or one of its items is in another state than when it was last seen.

    `reference` and `item` are None where the run itself changed. `old` is None for what is seen for the
    first time. States between two looks are skipped: `old` is the last one seen, not the last one there was.
    """

    run_id: str
    reference: str | None
    old: RunStatus | ItemStatus | None
    new: RunStatus | ItemStatus
    item: ItemResult | None = field(default=None, repr=False)
    details: RunDetails = field(kw_only=True, repr=False)
    """The run as it was last seen."""
    items_incomplete: bool = False
    """Of a final run: its results did not show every item final in time; read them again later."""
    _cursor: str | Callable[[], str] = field(default="", repr=False, eq=False)

    @property
    def id(self) -> str:
        """A text that this state of this run or item has and no other: the same again after a restart."""
        parts = (self.run_id, self.item and self.item.item_id, self.new.name)
        return "/".join(part for part in parts if part)

    @property
    def cursor(self) -> str:
        """The place of this change, to go on from after a restart: with this change, as the first one.

        So no crash loses a change, if the cursor that is kept is that of a change which is not worked off
        yet: the newest one's, or the oldest one's of several. It is opaque, and the longer the more runs are
        not over. It is made when it is asked for: keep one now and then where there are thousands of runs.
        For it, a change that is kept keeps what came after it: where that goes on for days, keep the text.
        """
        return self._cursor if isinstance(self._cursor, str) else self._cursor()

    def __getstate__(self) -> dict[str, Any]:
        fields = ("run_id", "reference", "old", "new", "item", "details", "items_incomplete")
        return {**{name: getattr(self, name) for name in fields}, "_cursor": self.cursor}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


@frozen
class Look:
    """What was seen of a run: some items or none, and its own state unless that is to be held back."""

    details: RunDetails
    items: tuple[ItemResult, ...] = ()
    holds_run: bool = False
    items_incomplete: bool = False

    def over(self, older: Look) -> Look:
        """Return both looks as one, of which nobody has taken the older."""
        items = {item.item_id: item for item in older.items}
        for item in self.items:
            before = items.get(item.item_id)
            if before is None or is_later(before.status, item.status):
                items[item.item_id] = item
        # One that is not held comes after those that are, and none comes after a final one.
        return evolve(self if older.holds_run or not self.holds_run else older, items=tuple(items.values()))


@frozen(eq=False)
class Known:
    """The states of one run and its items that somebody has seen; items by their marks."""

    status: RunStatus | None = None
    items: Mapping[bytes, ItemStatus] = _NO_ITEMS

    def news(self, look: Look) -> Look | None:
        """Return of a look what is not known; None where that is nothing."""
        known = self.items
        items = tuple(item for item in look.items if is_later(known.get(mark(item.item_id)), item.status))
        holds_run = look.holds_run or not is_later(self.status, look.details.status)
        return evolve(look, items=items, holds_run=holds_run) if items or not holds_run else None

    def after(self, change: Change) -> Known:
        """Return what is known with one change more."""
        if change.item is None:
            return Known(change.new, self.items)  # type: ignore[arg-type]
        return Known(self.status, {**self.items, mark(change.item.item_id): change.item.status})


def changes(known: Known, look: Look) -> Iterator[Change]:
    """Give what a look shows that is not known: a run that goes on, its items, and a final run last."""
    news = known.news(look)
    if news is None:
        return
    details = news.details
    run = Change(
        details.run_id,
        None,
        known.status,
        details.status,
        details=details,
        items_incomplete=news.items_incomplete,
    )
    if not news.holds_run and not details.status.is_final:
        yield run
    for item in news.items:
        old = known.items.get(mark(item.item_id))
        yield Change(details.run_id, item.reference, old, item.status, item, details=details)
    if not news.holds_run and details.status.is_final:
        yield run


def mark(item_id: str) -> bytes:
    """Return eight bytes that stand for an item: enough among the items of a run, and less to keep."""
    return blake2b(item_id.encode(), digest_size=8).digest()
