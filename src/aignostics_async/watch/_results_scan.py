"""What to ask for to know how the items of a run stand. Pure: generators that yield requests and take pages.

Items move while their pages are read: one that finishes leaves the pending ones, and those behind it slide
to a page that was read already. So whatever takes more than one page is read again, until two passes agree on
the items. What fits on one page is one answer, which agrees with itself.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence

from attrs import frozen

from .._core._pager import MAX_PAGE_SIZE, Page, PageRequest
from ..models import ItemResult, ItemStatus
from ._status_order import is_later

_FINISHED = tuple(sorted(status for status in ItemStatus if status.is_final))
# Passes that do not agree; a listing that moves so much is looked at again at its next turn.
_MOST_PASSES = 5
# Ids travel in the URL.
_IDS_AT_ONCE = 50


@frozen
class Ask:
    """One request for a page of a run's results."""

    page: PageRequest
    statuses: Sequence[ItemStatus] = ()
    item_ids: Sequence[str] = ()


@frozen
class Found:
    """What a reading found: the items that it saw, and whether these are all that it was to see."""

    items: tuple[ItemResult, ...]
    is_whole: bool


_Pass = Generator[Ask, Page[ItemResult], "tuple[dict[str, ItemResult], bool, int]"]
Reading = Generator[Ask, Page[ItemResult], Found]


def read_all(settled: Collection[str] = ()) -> Reading:
    """Read every item; `settled` are the ids of all items, where a whole reading has shown them before."""
    return _agreed((), settled=frozenset(settled))


def read_moved(items: Mapping[str, ItemStatus]) -> Reading:
    """Read the items that have moved, where all are known, by the side that takes fewer requests."""
    pending = [item_id for item_id, status in items.items() if not status.is_final]
    finished = _pages(len(items) - len(pending))
    # Several pages of the finished ones are read twice; after the pending ones come those that left them.
    by_finished = finished if finished == 1 else 2 * finished
    return _agreed(_FINISHED) if by_finished <= _pages(len(pending)) + 1 else _left(pending)


def _pages(entries: int) -> int:
    """Return how many requests a list takes: one more where its last page is full."""
    return entries // MAX_PAGE_SIZE + 1


def _agreed(statuses: Sequence[ItemStatus], settled: frozenset[str] = frozenset()) -> Reading:
    """Read the items of some statuses until two passes agree on which they are."""
    seen: dict[str, ItemResult] = {}
    before: Collection[str] = settled
    for _ in range(_MOST_PASSES):
        found, is_clean, pages = yield from _one_pass(statuses)
        _merge(seen, found.values())
        if pages == 1 or found.keys() == before:
            # A replica that lags far enough may not have all of them.
            return Found(tuple(seen.values()), is_clean and settled <= found.keys())
        before = found.keys()
    return Found(tuple(seen.values()), is_whole=False)


def _left(pending: Sequence[str]) -> Reading:
    """Read which items are pending, and then those that were and are not any more."""
    still, is_clean, _ = yield from _one_pass((ItemStatus.PENDING,))
    # One that only slid past the pages is read here in vain, and does no harm.
    gone = [item_id for item_id in pending if item_id not in still]
    moved: dict[str, ItemResult] = {}
    for start in range(0, len(gone), _IDS_AT_ONCE):
        found, clean, _ = yield from _one_pass((), gone[start : start + _IDS_AT_ONCE])
        moved.update(found)
        is_clean = is_clean and clean
    return Found(tuple(moved.values()), is_clean)


def _one_pass(statuses: Sequence[ItemStatus], item_ids: Sequence[str] = ()) -> _Pass:
    """Read page after page; return the items, whether all could be read, and how many pages it took."""
    found: dict[str, ItemResult] = {}
    is_clean = True
    request = PageRequest.first("item_id", MAX_PAGE_SIZE)
    while True:
        page = yield Ask(request, statuses, item_ids)
        is_clean = is_clean and not page.invalid
        _merge(found, page.items)
        if page.size < request.size:
            return found, is_clean, request.number
        request = request.next()


def _merge(items: dict[str, ItemResult], more: Iterable[ItemResult]) -> None:
    for item in more:
        before = items.get(item.item_id)
        if before is None or is_later(before.status, item.status):
            items[item.item_id] = item
