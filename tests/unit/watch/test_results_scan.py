"""Reading the items of a run page by page, while they move."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from aignostics_async import ItemResult, ItemStatus, Page
from aignostics_async.models import InvalidItem
from aignostics_async.watch._results_scan import (
    ResultsRequest,
    ResultsScan,
    ScannedItems,
    scan_all,
    scan_moved,
)

PENDING, SUCCEEDED = ItemStatus.PENDING, ItemStatus.SUCCEEDED
States = dict[str, ItemStatus]


def states(count: int, finished: int = 0) -> States:
    return {f"{number:04}": SUCCEEDED if number < finished else PENDING for number in range(count)}


def result(item_id: str, status: ItemStatus) -> ItemResult:
    return ItemResult(item_id, "r", item_id, status, None, ())


def server(current: States, request: ResultsRequest) -> Page[ItemResult]:
    """Respond as the API does, in the order of ids."""
    wanted = [
        result(item_id, status)
        for item_id, status in sorted(current.items())
        if (not request.statuses or status in request.statuses)
        and (not request.item_ids or item_id in request.item_ids)
    ]
    start = (request.page.number - 1) * request.page.size
    return Page(request.page.number, tuple(wanted[start : start + request.page.size]))


def drive(
    scan: ResultsScan, answer: Callable[[ResultsRequest], Page[ItemResult]]
) -> tuple[ScannedItems, list[ResultsRequest]]:
    sent = [next(scan)]
    while True:
        try:
            sent.append(scan.send(answer(sent[-1])))
        except StopIteration as end:
            return end.value, sent


def seen(found: ScannedItems) -> States:
    return {item.item_id: item.status for item in found.items}


def test_one_page_is_consistent_by_itself() -> None:
    current = states(20)
    found, sent = drive(scan_all(), lambda request: server(current, request))
    assert (seen(found), found.is_complete, len(sent)) == (current, True, 1)


def test_several_pages_are_read_until_two_passes_agree() -> None:
    current = states(250)
    found, sent = drive(scan_all(), lambda request: server(current, request))
    assert (seen(found), found.is_complete, len(sent)) == (current, True, 6)
    found, sent = drive(scan_all(current), lambda request: server(current, request))
    assert (found.is_complete, len(sent)) == (True, 3), "it agrees with an earlier scan"


def test_all_items_are_read_where_the_page_size_is_ignored() -> None:
    current = states(120)

    def answer(request: ResultsRequest) -> Page[ItemResult]:
        return server(current, evolve(request, page=evolve(request.page, size=50)))

    found, _ = drive(scan_all(), answer)
    assert (seen(found), found.is_complete) == (current, True)


def test_fewer_items_than_before_are_not_complete() -> None:
    current = states(20)
    found, _ = drive(scan_all(states(21)), lambda request: server(current, request))
    assert not found.is_complete


def test_invalid_items_are_not_complete() -> None:
    broken = Page(1, (result("a", SUCCEEDED),), (InvalidItem(1, "no id", ""),))
    found, _ = drive(scan_all(), lambda request: broken)
    assert (len(found.items), found.is_complete) == (1, False)


def test_a_listing_that_never_settles_ends() -> None:
    number = iter(range(100_000))
    found, sent = drive(
        scan_all(),
        lambda request: (
            Page(request.page.number, tuple(result(str(next(number)), PENDING) for _ in range(100)))
            if request.page.number < 3
            else Page(3, ())
        ),
    )
    assert (found.is_complete, len(sent)) == (False, 15)


def test_a_server_that_ignores_the_number_of_the_page_gives_no_complete_listing() -> None:
    current = states(100)
    pages = [server(current, next(scan_all()))] * 20
    found, sent = drive(scan_all(), lambda _request: pages.pop())
    assert (seen(found), found.is_complete, len(sent)) == (current, False, 6)


@pytest.mark.parametrize(
    "page",
    [
        Page[ItemResult](1, (), (InvalidItem(0, "no id", "{}"),) * 100),
        Page[ItemResult](1, (), left_out=100, left_out_keys=("a", "b")),
    ],
    ids=["unreadable", "left out"],
)
def test_a_server_that_ignores_the_number_is_not_asked_for_ever_for_what_gives_no_item(
    page: Page[ItemResult],
) -> None:
    pages = [page] * 20
    found, sent = drive(scan_all(), lambda _request: pages.pop())
    assert (seen(found), found.is_complete, len(sent)) == ({}, False, 3)


@pytest.mark.parametrize(
    ("items", "finished", "side", "requests"),
    [
        (20, 0, SUCCEEDED, 1),
        (20, 19, SUCCEEDED, 1),
        (150, 99, SUCCEEDED, 1),
        (150, 101, PENDING, 1),
        (500, 99, SUCCEEDED, 1),
        (500, 120, SUCCEEDED, 4),
        (500, 260, PENDING, 3),
        (500, 451, PENDING, 1),
    ],
)
def test_the_cheaper_side_is_listed(items: int, finished: int, side: ItemStatus, requests: int) -> None:
    current = states(items, finished)
    _, sent = drive(scan_moved(current), lambda request: server(current, request))
    assert side in sent[0].statuses
    assert len(sent) == requests, "nothing has moved, so nothing more is sent"


def test_items_that_are_not_pending_any_more_are_read_by_their_ids() -> None:
    known, current = states(300, 200), states(300, 275)
    found, sent = drive(scan_moved(known), lambda request: server(current, request))
    assert seen(found) == {f"{number:04}": SUCCEEDED for number in range(200, 275)}
    assert [len(request.item_ids) for request in sent] == [0, 40, 35]


@st.composite
def moving(draw: st.DrawFn) -> tuple[States, Iterator[list[str]]]:
    """Give the items of a run, and which of them finish after each answer."""
    current = states(draw(st.integers(0, 330)), draw(st.integers(0, 330)))
    some = st.lists(st.sampled_from(sorted(current)), max_size=120) if current else st.just([])
    return current, iter(draw(st.lists(some, max_size=12)))


@settings(max_examples=60)
@given(moving())
def test_items_that_move_while_pages_are_read_are_not_missed(
    case: tuple[States, Iterator[list[str]]],
) -> None:
    current, moves = case
    known = dict(current)

    def answer(request: ResultsRequest) -> Page[ItemResult]:
        page = server(current, request)
        current.update(dict.fromkeys(next(moves, []), SUCCEEDED))
        return page

    found, _ = drive(scan_all(), answer)
    assert seen(found).keys() == current.keys()
    known.update(seen(found))
    for _ in range(20):
        found, _ = drive(scan_moved(known), answer)
        items = [item.item_id for item in found.items]
        assert len(items) == len(set(items)), "none is repeated"
        assert all(current[item.item_id] == item.status or item.status == PENDING for item in found.items)
        known.update(seen(found))
    assert known == current, "finished items are found once nothing moves"
