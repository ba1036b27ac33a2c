"""A run as a whole, again and again while its items finish: what a download of it goes by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ..errors import NotFound
from ..models import InvalidItem, ItemResult, RunDetails
from ..watch._status_order import is_later

if TYPE_CHECKING:
    from ..resources._run import Run
    from ..watch._watcher import Watcher


@frozen
class Look:
    """The items of a run that are known, as they are; `invalid` are those that can't be read."""

    details: RunDetails
    items: tuple[ItemResult, ...]
    invalid: tuple[InvalidItem, ...] = ()


async def looks(run: Run, watcher: Watcher) -> AsyncIterator[Look]:
    """Give a look whenever something has changed, and at the end of the run one that is read anew."""
    items: dict[str, ItemResult] = {}
    async for change in watcher:
        if change.item is not None:
            items[change.item.item_id] = change.item
        # What was seen at once is given at once, so that all items are known before one is given a name.
        if not watcher.is_ready:
            yield Look(change.details, tuple(items.values()))
    last = await _read(run)
    # A replica that lags may answer; what was seen before stays.
    yield evolve(last, items=tuple(_later(items.get(item.item_id), item) for item in last.items))


async def one_look(run: Run) -> AsyncIterator[Look]:
    """Give one look at a run, as it is now."""
    yield await _read(run)


async def _read(run: Run) -> Look:
    # Details first: when they are final, the results that are read after them are too.
    details = await run.details()
    items: list[ItemResult] = []
    invalid: list[InvalidItem] = []
    try:
        async for page in run.results().pages():
            items.extend(page.items)
            invalid.extend(page.invalid)
    except NotFound:
        # A run that was just received may have no results to list yet.
        if details.status.is_final:
            raise
    return Look(details, tuple(items), tuple(invalid))


def _later(seen: ItemResult | None, read: ItemResult) -> ItemResult:
    return seen if seen is not None and is_later(read.status, seen.status) else read
