"""What changed between two looks at a run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from ..models import InvalidItem, ItemResult, ItemStatus, RunDetails, RunStatus


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


@frozen
class Look:
    """One complete look at a run: its details, then its results, read after them."""

    details: RunDetails
    items: tuple[ItemResult, ...]
    invalid: tuple[InvalidItem, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing in it will change any more. A run has items, except one that was rejected."""
        if self.details.status == RunStatus.REJECTED:
            return True
        items_final = bool(self.items) and all(item.status.is_final for item in self.items)
        return self.details.status.is_final and items_final


@frozen
class Seen:
    """The states that were last given out."""

    run: RunStatus | None = None
    items: Mapping[str, ItemStatus] = field(factory=dict)

    def after(self, look: Look) -> Seen:
        """Return what has been seen once a look was given out."""
        now = {item.item_id: _later(self.items.get(item.item_id), item.status) for item in look.items}
        return Seen(look.details.status, {**self.items, **now})


def changes(seen: Seen, look: Look, *, hold_final: bool = False) -> Iterator[Change]:
    """Give what a look shows that was not seen: items first, then the run, so that a final run is last.

    With `hold_final` the run's own final state is kept back.
    """
    run_id = look.details.run_id
    for item in look.items:
        old = seen.items.get(item.item_id)
        new = _later(old, item.status)
        if new != old:
            yield Change(run_id, item.reference, old, new, item)
    status = look.details.status
    if status != seen.run and not (hold_final and status.is_final):
        yield Change(run_id, None, seen.run, status)


def _later(old: ItemStatus | None, new: ItemStatus) -> ItemStatus:
    # A stale replica may answer; a state that was final stays.
    return old if old is not None and old.is_final and not new.is_final else new
