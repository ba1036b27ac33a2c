"""From snapshots of a run to changes. Pure."""

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
    """A new status of a run or of one of its items.

        async for change in run.watch():
            print(change.reference or "the run", change.old, "->", change.new)

    `run_id` is the id of the run. For a change of an item, `reference` is its reference and `item` its
    `ItemResult`; both are None for a change of the run itself. `old` and `new` are values of `ItemStatus` or
    `RunStatus`: `old` is the last one observed, None for the first, and statuses that passed between two
    polls are skipped. `details` is the `RunDetails` of the run as last observed. `items_incomplete`, False by
    default, is True for a final run of which some results were still missing after `Settings.results_timeout`
    (60 s); read them later with `Run.results`.
    """

    run_id: str
    """The id of the run."""
    reference: str | None
    """The reference of the item; None for a change of the run itself."""
    old: RunStatus | ItemStatus | None
    """The status observed before; None when the run or item is observed for the first time."""
    new: RunStatus | ItemStatus
    """The new status: a RunStatus for a run, an ItemStatus for an item."""
    item: ItemResult | None = field(default=None, repr=False)
    """The item with its results; None, the default, for a change of the run itself."""
    details: RunDetails = field(kw_only=True, repr=False)
    """The run as last observed."""
    items_incomplete: bool = False
    """Whether some results of a final run were still missing after `Settings.results_timeout`; False by
    default.

    Read them again later with `Run.results`.
    """
    _cursor: str | Callable[[], str] = field(default="", repr=False, eq=False)

    @property
    def id(self) -> str:
        """A text that identifies this status of this run or item, the same after a restart.

        Use it to recognise a change that is yielded again: `{run id}/{status}`, or `{run id}/{item
        id}/{status}`.
        """
        parts = (self.run_id, self.item and self.item.item_id, self.new.name)
        return "/".join(part for part in parts if part)

    @property
    def cursor(self) -> str:
        """The position before this change as text, to pass to `Run.watch`, `Client.watch` or
        `Client.watch_all`.

            cursor = path.read_text() if path.exists() else None
            async for change in client.watch_all(cursor=cursor):
                process(change)
                path.write_text(change.cursor)

        A watcher that starts from it yields this change again, or the state that has replaced it since, and
        what follows. To lose no change in a crash, store the cursor of the oldest change that is not
        processed yet.

        Each access computes it, in time and length that grow with the runs that are not final and their
        items. As long as a change is kept, so are the states of later ones: to keep many, store their cursors
        as text.
        """
        return self._cursor if isinstance(self._cursor, str) else self._cursor()

    def __getstate__(self) -> dict[str, Any]:
        fields = ("run_id", "reference", "old", "new", "item", "details", "items_incomplete")
        return {**{name: getattr(self, name) for name in fields}, "_cursor": self.cursor}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


@frozen
class Snapshot:
    """What one poll shows of a run: its details, and some of its items or none.

    With `holds_run` the status of the run is not reported yet.
    """

    details: RunDetails
    items: tuple[ItemResult, ...] = ()
    holds_run: bool = False
    items_incomplete: bool = False

    def merge(self, older: Snapshot) -> Snapshot:
        """Return one snapshot for both, where `older` has not been reported."""
        items = {item.item_id: item for item in older.items}
        for item in self.items:
            before = items.get(item.item_id)
            if before is None or is_later(before.status, item.status):
                items[item.item_id] = item
        # A held status never replaces one that is due, and nothing comes after a final status that is due.
        latest = self if older.holds_run or not self.holds_run else older
        return evolve(latest, items=tuple(items.values()))


@frozen(eq=False)
class ObservedState:
    """The last statuses that an observer has seen of one run and its items; items by `item_key`."""

    status: RunStatus | None = None
    items: Mapping[bytes, ItemStatus] = _NO_ITEMS

    def unseen(self, snapshot: Snapshot) -> Snapshot | None:
        """Return the part of a snapshot that is new, or None."""
        items = tuple(
            item for item in snapshot.items if is_later(self.items.get(item_key(item.item_id)), item.status)
        )
        holds_run = snapshot.holds_run or not is_later(self.status, snapshot.details.status)
        return evolve(snapshot, items=items, holds_run=holds_run) if items or not holds_run else None

    def apply(self, change: Change) -> ObservedState:
        """Return the state after one more change."""
        if change.item is None:
            return ObservedState(change.new, self.items)  # type: ignore[arg-type]
        return ObservedState(self.status, {**self.items, item_key(change.item.item_id): change.item.status})


def changes(observed: ObservedState, snapshot: Snapshot) -> Iterator[Change]:
    """Yield what a snapshot changes: the run if it is not final, then its items, then the run if it is."""
    unseen = observed.unseen(snapshot)
    if unseen is None:
        return
    details = unseen.details
    run = Change(
        details.run_id,
        None,
        observed.status,
        details.status,
        details=details,
        items_incomplete=unseen.items_incomplete,
    )
    if not unseen.holds_run and not details.status.is_final:
        yield run
    for item in unseen.items:
        old = observed.items.get(item_key(item.item_id))
        yield Change(details.run_id, item.reference, old, item.status, item, details=details)
    if not unseen.holds_run and details.status.is_final:
        yield run


def item_key(item_id: str) -> bytes:
    """Return eight bytes that identify an item within its run; cursors store them instead of the id."""
    return blake2b(item_id.encode(), digest_size=8).digest()
