"""Which requests show the state of a run's items. Pure: generators that yield requests and are sent pages.

Items move while their pages are read: an item that finishes leaves the pending ones, and those behind it move
to a page that was already read. So a listing of several pages is repeated until two passes agree on its
items. A single page is one response, and consistent by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence

from attrs import frozen

from .._core._pager import MAX_PAGE_SIZE, Page, PageRequest, Repetition
from ..models import ItemResult, ItemStatus
from ._status_order import is_later

_FINISHED = tuple(sorted(status for status in ItemStatus if status.is_final))
# A listing that does not settle in this many passes is scanned again at the run's next turn.
_MAX_PASSES = 5
# Ids travel in the URL. A page of 50, the API's own size, would be followed by another request.
_IDS_PER_REQUEST = 40


@frozen
class ResultsRequest:
    """A request for one page of a run's results; empty filters select everything."""

    page: PageRequest
    statuses: Sequence[ItemStatus] = ()
    item_ids: Sequence[str] = ()


@frozen
class ScannedItems:
    """The items that a scan found; `is_complete` if it found all that it was to find."""

    items: tuple[ItemResult, ...]
    is_complete: bool


ResultsScan = Generator[ResultsRequest, Page[ItemResult], ScannedItems]
_Pass = Generator[ResultsRequest, Page[ItemResult], "tuple[dict[str, ItemResult], bool, int]"]


def scan_all(known_ids: Collection[str] = ()) -> ResultsScan:
    """Read every item; `known_ids` are the ids that an earlier complete scan found."""
    return _scan_until_settled((), known_ids=frozenset(known_ids))


def scan_moved(items: Mapping[str, ItemStatus]) -> ResultsScan:
    """Read the items whose status has changed; `items` maps the ids of all items to their last statuses.

    Lists either the finished or the pending items, whichever takes fewer requests.
    """
    pending = [item_id for item_id, status in items.items() if not status.is_final]
    pages = _pages(len(items) - len(pending))
    # Several pages of finished items take two passes; pending ones are followed by requests for the rest.
    cost = pages if pages == 1 else 2 * pages
    return _scan_until_settled(_FINISHED) if cost <= _pages(len(pending)) + 1 else _scan_pending(pending)


def _pages(entries: int) -> int:
    """Return how many requests a listing takes: one more if its last page is full."""
    return entries // MAX_PAGE_SIZE + 1


def _scan_until_settled(
    statuses: Sequence[ItemStatus], known_ids: frozenset[str] = frozenset()
) -> ResultsScan:
    """Read the items of some statuses until two passes agree on their ids."""
    seen: dict[str, ItemResult] = {}
    before: Collection[str] = known_ids
    for _ in range(_MAX_PASSES):
        found, is_clean, pages = yield from _scan_once(statuses)
        _merge(seen, found.values())
        if pages == 1 or found.keys() == before:
            # A replica that lags far behind may not know every item.
            return ScannedItems(tuple(seen.values()), is_clean and known_ids <= found.keys())
        before = found.keys()
    return ScannedItems(tuple(seen.values()), is_complete=False)


def _scan_pending(pending: Sequence[str]) -> ResultsScan:
    """Read which items are still pending, then those that are not any more."""
    still, is_clean, _ = yield from _scan_once((ItemStatus.PENDING,))
    # An item that only moved between pages is read without need, which does no harm.
    gone = [item_id for item_id in pending if item_id not in still]
    moved: dict[str, ItemResult] = {}
    for start in range(0, len(gone), _IDS_PER_REQUEST):
        found, clean, _ = yield from _scan_once((), gone[start : start + _IDS_PER_REQUEST])
        moved.update(found)
        is_clean = is_clean and clean
    return ScannedItems(tuple(moved.values()), is_clean)


def _scan_once(statuses: Sequence[ItemStatus], item_ids: Sequence[str] = ()) -> _Pass:
    """Read page after page; return the items, whether all could be decoded, and the number of pages."""
    found: dict[str, ItemResult] = {}
    is_clean = True
    repetition = Repetition()
    request = PageRequest.first("item_id", MAX_PAGE_SIZE)
    while True:
        page = yield ResultsRequest(request, statuses, item_ids)
        is_clean = is_clean and not page.invalid
        _merge(found, page.items)
        following = request.after(page.size)
        if following is None:
            return found, is_clean, request.number
        if repetition.is_seen(page, lambda item: item.item_id):
            return found, False, request.number
        request = following


def _merge(items: dict[str, ItemResult], more: Iterable[ItemResult]) -> None:
    for item in more:
        before = items.get(item.item_id)
        if before is None or is_later(before.status, item.status):
            items[item.item_id] = item
