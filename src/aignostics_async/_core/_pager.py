"""Async-iterable pages over the list operations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import evolve, frozen

from ..errors import InvalidItems, NotFound, UsageError
from ..models import InvalidItem

T = TypeVar("T")

# The contract's bounds of page_size.
MIN_PAGE_SIZE, MAX_PAGE_SIZE = 5, 100


@frozen
class PageRequest:
    """Which page of a listing is wanted, of what size and in which order."""

    number: int
    size: int
    sort: tuple[str, ...]

    @classmethod
    def first(cls, sort: str | Sequence[str], size: int) -> PageRequest:
        """Return the request for the first page, or raise UsageError for a size that the contract forbids.

        One field to sort by may be given as a plain text.
        """
        if not MIN_PAGE_SIZE <= size <= MAX_PAGE_SIZE:
            raise UsageError(f"page_size must be from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}, not {size}")
        return cls(1, size, (sort,) if isinstance(sort, str) else tuple(sort))

    def next(self) -> PageRequest:
        """Return the request for the page after this one."""
        return evolve(self, number=self.number + 1)


@frozen
class Page(Generic[T]):
    """One page: what could be read, what could not, and how many entries the server sent."""

    number: int
    items: tuple[T, ...]
    invalid: tuple[InvalidItem, ...] = ()
    date: datetime | None = None
    """The server's time when it answered; None where it does not say."""

    @property
    def size(self) -> int:
        """How many entries the server sent."""
        return len(self.items) + len(self.invalid)


class Pager(Generic[T]):
    """Everything that a list operation gives, fetched page by page as it is iterated.

    `async for entry in pager` gives entries, `async for page in pager.pages()` gives pages. One page is in
    memory at a time. An empty page, a short page, or a 404 on any page after the first is the end; a 404 on
    the first page raises NotFound. An entry that moved to the next page while pages were read is given once.

    Iterating entries raises InvalidItems at the end if some could not be read: all others were given by
    then. Pages carry them in `invalid` and raise nothing.
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

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Give page after page; each is fetched when it is asked for."""
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
