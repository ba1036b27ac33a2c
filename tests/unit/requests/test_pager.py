"""Where a listing ends, and what it does with entries that slide or can't be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aignostics_async import InvalidItem, InvalidItems, InvalidResponse, NotFound, Page, Pager, UsageError
from aignostics_async._core._pager import PageRequest
from aignostics_async._internals import _next_window


def missing() -> NotFound:
    return NotFound(404, method="GET", path="/")


def pager(pages: Sequence[Page[int] | NotFound], asked: list[int], size: int = 3) -> Pager[int]:
    async def fetch(request: PageRequest) -> Page[int]:
        asked.append(request.number)
        page = pages[request.number - 1]
        if isinstance(page, NotFound):
            raise page
        return page

    return Pager("list numbers", fetch, PageRequest(1, size, ()), key=lambda number: number)


@pytest.mark.parametrize(
    ("pages", "entries", "asked"),
    [
        ([Page(1, ())], [], [1]),
        ([Page(1, (1, 2))], [1, 2], [1]),
        ([Page(1, (1, 2, 3)), Page(2, ())], [1, 2, 3], [1, 2]),
        ([Page(1, (1, 2, 3)), Page(2, (4,))], [1, 2, 3, 4], [1, 2]),
        ([Page(1, (1, 2, 3)), missing()], [1, 2, 3], [1, 2]),
        ([Page(1, (1, 2, 3)), Page(2, (3, 4, 5)), Page(3, (6,))], [1, 2, 3, 4, 5, 6], [1, 2, 3]),
    ],
    ids=["empty", "short", "full then empty", "full then short", "full then 404", "sliding"],
)
async def test_ends(pages: list[Page[int] | NotFound], entries: list[int], asked: list[int]) -> None:
    seen: list[int] = []
    assert [entry async for entry in pager(pages, seen)] == entries
    assert seen == asked
    assert all([page.size async for page in pager(pages, []).pages()]), "no page is empty"


@pytest.mark.parametrize("count", [50, 100, 120])
async def test_a_server_that_ignores_the_size_of_the_page_is_read_to_its_end(count: int) -> None:
    pages = [Page(1 + start // 50, tuple(range(count)[start : start + 50])) for start in range(0, 151, 50)]
    assert await pager(pages, [], size=100).to_list() == list(range(count))


@pytest.mark.parametrize("invalid", [(), (InvalidItem(0, "no id", "{}"),)])
async def test_a_server_that_ignores_the_number_of_the_page_is_not_asked_for_ever(
    invalid: tuple[InvalidItem, ...],
) -> None:
    pages = [Page(number, (), invalid * 3) if invalid else Page(number, (1, 2, 3)) for number in range(1, 9)]
    asked: list[int] = []
    with pytest.raises(InvalidResponse, match="page 3 has the same entries"):
        [page async for page in pager(pages, asked).pages()]
    assert asked == [1, 2, 3]


async def test_a_server_that_alternates_pages_is_not_asked_for_ever() -> None:
    pages = [Page(number, ((1, 2, 3), (4, 5, 6))[number % 2]) for number in range(1, 99)]
    asked: list[int] = []
    with pytest.raises(InvalidResponse, match="page 5 has the same entries"):
        await pager(pages, asked).to_list()
    assert asked == [1, 2, 3, 4, 5]


async def test_a_404_on_the_first_page_is_raised() -> None:
    with pytest.raises(NotFound):
        [entry async for entry in pager([missing()], [])]


async def test_pages_are_fetched_when_they_are_asked_for() -> None:
    asked: list[int] = []
    async for entry in pager([Page(1, (1, 2, 3)), Page(2, (4, 5, 6))], asked):
        if entry == 3:
            break
    assert asked == [1]


async def test_an_entry_that_cant_be_read_costs_nothing_else() -> None:
    broken = InvalidItem(1, "no id", "{}")
    pages = [Page(1, (1, 2), (broken,)), Page(2, (4,))]
    given: list[int] = []
    with pytest.raises(InvalidItems, match="1 of its entries") as caught:
        async for entry in pager(pages, []):
            given.append(entry)
    assert given == [1, 2, 4]
    assert caught.value.invalid == (broken,)
    found = [page async for page in pager(pages, []).pages()]
    assert [page.invalid for page in found] == [(broken,), ()]


def test_page_sizes_have_the_contract_s_bounds() -> None:
    assert PageRequest.first("-name", 5) == PageRequest(1, 5, ("-name",))
    assert PageRequest.first(["a", "b"], 100).after(100) == PageRequest(2, 100, ("a", "b"))
    for size in (0, 4, 101):
        with pytest.raises(UsageError, match="from 5 to 100"):
            PageRequest.first((), size)


async def test_first_and_to_list() -> None:
    asked: list[int] = []
    assert await pager([Page(1, (1, 2, 3)), Page(2, (4,))], asked).first() == 1
    assert asked == [1]
    assert await pager([Page(1, ())], []).first() is None
    assert await pager([Page(1, (1, 2, 3)), Page(2, (4,))], []).to_list() == [1, 2, 3, 4]


async def test_an_entry_that_cant_be_read_is_no_first_one() -> None:
    broken = InvalidItem(0, "no id", "{}")
    pages = [Page(1, (), (broken, broken, broken)), Page(2, (4,))]
    assert await pager(pages, []).first() == 4
    with pytest.raises(InvalidItems):
        await pager(pages, []).to_list()


async def test_plain_iteration_says_what_to_write() -> None:
    numbers: Any = pager([Page(1, (1,))], [])
    with pytest.raises(UsageError, match=r"await pager.to_list\(\)"):
        list(numbers)
    with pytest.raises(UsageError, match="`async for`"):
        for _ in numbers:
            pass
    with pytest.raises(UsageError, match=r"await pager.first\(\)"):
        await numbers
    assert await numbers.to_list() == [1]


def test_a_page_of_runs_begins_among_those_before_it() -> None:
    """Otherwise a page of an older replica that begins too late could not be told from one that follows."""
    assert _next_window(0) == (1, 100)
    for end in (*range(100, 400), 5_000, 99_999, 1_000_000):
        number, size = _next_window(end)
        assert size <= 100
        assert (number - 1) * size <= end - 20
        assert number * size > end, "and it brings others"
