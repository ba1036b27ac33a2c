"""Reading the items of a run page by page, while they move."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings, strategies as st

from aignostics_async import ItemResult, ItemStatus, Page
from aignostics_async.models import InvalidItem
from aignostics_async.watch._results_scan import (
    Ask,
    Found,
    Reading,
    read_all,
    read_moved,
)

PENDING, SUCCEEDED = ItemStatus.PENDING, ItemStatus.SUCCEEDED
States = dict[str, ItemStatus]


def states(count: int, finished: int = 0) -> States:
    return {f"{number:04}": SUCCEEDED if number < finished else PENDING for number in range(count)}


def result(item_id: str, status: ItemStatus) -> ItemResult:
    return ItemResult(item_id, "r", item_id, status, None, ())


def server(current: States, ask: Ask) -> Page[ItemResult]:
    """Answer as the API does, in the order of ids."""
    wanted = [
        result(item_id, status)
        for item_id, status in sorted(current.items())
        if (not ask.statuses or status in ask.statuses) and (not ask.item_ids or item_id in ask.item_ids)
    ]
    start = (ask.page.number - 1) * ask.page.size
    return Page(ask.page.number, tuple(wanted[start : start + ask.page.size]))


def drive(reading: Reading, answer: Callable[[Ask], Page[ItemResult]]) -> tuple[Found, list[Ask]]:
    asked = [next(reading)]
    while True:
        try:
            asked.append(reading.send(answer(asked[-1])))
        except StopIteration as end:
            return end.value, asked


def seen(found: Found) -> States:
    return {item.item_id: item.status for item in found.items}


def test_one_page_is_one_answer() -> None:
    current = states(20)
    found, asked = drive(read_all(), lambda ask: server(current, ask))
    assert (seen(found), found.is_whole, len(asked)) == (current, True, 1)


def test_several_pages_are_read_until_two_passes_agree() -> None:
    current = states(250)
    found, asked = drive(read_all(), lambda ask: server(current, ask))
    assert (seen(found), found.is_whole, len(asked)) == (current, True, 6)
    found, asked = drive(read_all(current), lambda ask: server(current, ask))
    assert (found.is_whole, len(asked)) == (True, 3), "it agrees with an earlier reading"


def test_less_than_there_was_is_not_all() -> None:
    current = states(20)
    found, _ = drive(read_all(states(21)), lambda ask: server(current, ask))
    assert not found.is_whole


def test_what_can_t_be_read_is_not_all() -> None:
    broken = Page(1, (result("a", SUCCEEDED),), (InvalidItem(1, "no id", ""),))
    found, _ = drive(read_all(), lambda ask: broken)
    assert (len(found.items), found.is_whole) == (1, False)


def test_a_listing_that_never_stands_still_ends() -> None:
    number = iter(range(100_000))
    found, asked = drive(
        read_all(),
        lambda ask: (
            Page(ask.page.number, tuple(result(str(next(number)), PENDING) for _ in range(100)))
            if ask.page.number < 3
            else Page(3, ())
        ),
    )
    assert (found.is_whole, len(asked)) == (False, 15)


@pytest.mark.parametrize(
    ("items", "finished", "side", "requests"),
    [
        (20, 0, SUCCEEDED, 1),
        (20, 19, SUCCEEDED, 1),
        (150, 99, SUCCEEDED, 1),
        (150, 100, PENDING, 1),
        (500, 99, SUCCEEDED, 1),
        (500, 120, SUCCEEDED, 4),
        (500, 260, PENDING, 3),
        (500, 450, PENDING, 1),
    ],
)
def test_the_cheaper_side_is_asked_for(items: int, finished: int, side: ItemStatus, requests: int) -> None:
    current = states(items, finished)
    _, asked = drive(read_moved(current), lambda ask: server(current, ask))
    assert side in asked[0].statuses
    assert len(asked) == requests, "nothing has moved, so nothing more is asked"


def test_those_that_left_the_pending_ones_are_read_by_their_ids() -> None:
    known, current = states(300, 200), states(300, 275)
    found, asked = drive(read_moved(known), lambda ask: server(current, ask))
    assert seen(found) == {f"{number:04}": SUCCEEDED for number in range(200, 275)}
    assert [len(ask.item_ids) for ask in asked] == [0, 50, 25]


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

    def answer(ask: Ask) -> Page[ItemResult]:
        page = server(current, ask)
        current.update(dict.fromkeys(next(moves, []), SUCCEEDED))
        return page

    found, _ = drive(read_all(), answer)
    assert seen(found).keys() == current.keys()
    known.update(seen(found))
    for _ in range(20):
        found, _ = drive(read_moved(known), answer)
        items = [item.item_id for item in found.items]
        assert len(items) == len(set(items)), "none is repeated"
        assert all(current[item.item_id] == item.status or item.status == PENDING for item in found.items)
        known.update(seen(found))
    assert known == current, "what finished is seen once it stands still"
