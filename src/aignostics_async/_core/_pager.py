"""Pages of list operations, and the async iterator over their entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from attrs import evolve, frozen

from ..errors import InvalidItems, NotFound, UsageError
from ..models import InvalidItem

T = TypeVar("T")

# The contract's bounds of page_size.
MIN_PAGE_SIZE, MAX_PAGE_SIZE = 5, 100


@frozen
class PageRequest:
    """Which page to fetch, of what size and in which order."""

    number: int
    size: int
    sort: tuple[str, ...]

    @classmethod
    def first(cls, sort: str | Sequence[str], size: int) -> PageRequest:
        """Return the request for the first page; raises UsageError for a size that the contract forbids.

        `sort` is one field or several, each with a `-` in front for descending order.
        """
        if not MIN_PAGE_SIZE <= size <= MAX_PAGE_SIZE:
            raise UsageError(f"page_size must be from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}, not {size}")
        return cls(1, size, (sort,) if isinstance(sort, str) else tuple(sort))

    def next(self) -> PageRequest:
        """Return the request for the page after this one."""
        return evolve(self, number=self.number + 1)


@frozen
class Page(Generic[T]):
    """One page of a list: the entries that could be read, those that could not, and the number of all."""

    number: int
    items: tuple[T, ...]
    invalid: tuple[InvalidItem, ...] = ()
    date: datetime | None = None
    """The server's time when it answered; None where it does not say."""

    @property
    def size(self) -> int:
        """The number of entries that the server sent, including those that can't be read."""
        return len(self.items) + len(self.invalid)


class Pager(Generic[T]):
    """The entries of a list operation, fetched page by page as they are iterated.

        async for run in client.runs.list(): ...
        async for page in client.runs.list().pages(): ...
        newest = await client.runs.list().first()
        applications = await client.applications.list().to_list()

    Creating one does no I/O; each iteration starts at the first page and keeps one page in memory. It ends at
    an empty page, at a page that is not full, or at a 404; on the first page a 404 raises NotFound. An entry
    that moved to the next page between two requests is yielded once.

    Iterating over entries raises InvalidItems at the end if some could not be read, after yielding all
    others. Pages list them in `invalid` instead.
    """

    def __init__(
        self,
        operation: str,
        fetch: Callable[[PageRequest], Awaitable[Page[T]]],
        first: PageRequest,
        *,
        key: Callable[[T], Hashable],
    ) -> None:
        self._operation = operation
        self._fetch = fetch
        self._first = first
        self._key = key

    async def __aiter__(self) -> AsyncIterator[T]:
        invalid: list[InvalidItem] = []
        async for page in self.pages():
            invalid.extend(page.invalid)
            for entry in page.items:
                yield entry
        if invalid:
            raise InvalidItems(self._operation, invalid)

    async def first(self) -> T | None:
        """Return the first readable entry, or None if there is none; usually costs one request.

        A small `page_size` keeps the response small.
        """
        async for page in self.pages():
            if page.items:
                return page.items[0]
        return None

    async def to_list(self) -> list[T]:
        """Return all entries as a list in memory; costs one request per page.

        Raises InvalidItems if some entries can't be read; iterate to get the others.
        """
        return [entry async for entry in self]

    if not TYPE_CHECKING:  # type checkers report the mistakes themselves

        def __iter__(self) -> NoReturn:
            raise UsageError("a pager is iterated with `async for`; `await pager.to_list()` gives a list")

        def __await__(self) -> NoReturn:
            raise UsageError(
                "a pager can't be awaited; write `async for`, `await pager.to_list()` or "
                "`await pager.first()`"
            )

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yield one Page after the other; each is fetched when it is needed.

        Entries that can't be read are in `Page.invalid` and raise nothing.
        """
        seen: set[Hashable] = set()
        request = self._first
        while True:
            try:
                page = await self._fetch(request)
            except NotFound:
                if request.number == 1:
                    raise
                return
            if page.size == 0:
                return
            fresh = tuple(entry for entry in page.items if self._key(entry) not in seen)
            # Entries can only slide from one page to the next, so one page of memory is enough.
            seen = {self._key(entry) for entry in page.items}
            yield evolve(page, items=fresh)
            if page.size < request.size:
                return
            request = request.next()
