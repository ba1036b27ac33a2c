"""A run with the items that are known of it, listed again as they finish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from attrs import evolve, frozen

from ..errors import NotFound
from ..models import InvalidItem, ItemResult, RunDetails
from ..watch._status_order import is_later

if TYPE_CHECKING:
    from .._core._pager import Pager
    from ..watch._watcher import Watcher


class RunReader(Protocol):
    """The reads of a run that a download makes; the live handle of a run offers them."""

    async def details(self) -> RunDetails:
        """Return the run as it is now."""
        ...

    def results(self) -> Pager[ItemResult]:
        """Return a pager over the run's items."""
        ...

    async def artifact_url(self, item_id: str, artifact_id: str) -> str | None:
        """Return a fresh signed URL of an output artifact, or None if there is none any more."""
        ...


@frozen
class RunResults:
    """A run and its known items; `invalid` holds the entries that could not be decoded."""

    details: RunDetails
    items: tuple[ItemResult, ...]
    invalid: tuple[InvalidItem, ...] = ()


async def follow_listings(run: RunReader, watcher: Watcher) -> AsyncIterator[RunResults]:
    """Yield a listing after each batch of changes, and a complete one when the run is final."""
    items: dict[str, ItemResult] = {}
    async for change in watcher:
        if change.item is not None:
            items[change.item.item_id] = change.item
        # Changes of one poll are yielded together: file names are chosen over all known items.
        if not watcher.is_ready:
            yield RunResults(change.details, tuple(items.values()))
    last = await _list(run)
    # A lagging replica may have answered, so the later of two statuses counts.
    yield evolve(last, items=tuple(_later(items.get(item.item_id), item) for item in last.items))


async def list_once(run: RunReader) -> AsyncIterator[RunResults]:
    """Yield one listing of the run as it is now."""
    yield await _list(run)


async def _list(run: RunReader) -> RunResults:
    # Details first: if they are final, so are the results read after them.
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
    return RunResults(details, tuple(items), tuple(invalid))


def _later(seen: ItemResult | None, read: ItemResult) -> ItemResult:
    return seen if seen is not None and is_later(read.status, seen.status) else read
