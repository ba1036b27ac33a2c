"""Pages of list operations, and the async iterator over their entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from datetime import datetime
from typing import Generic, Self, TypeVar

from attrs import evolve, field, frozen

from ..errors import InvalidItems, InvalidResponse, NotFound, UsageError
from ..models import InvalidItem
from ._misuse import explains_misuse

T = TypeVar("T")

# The contract's bounds of page_size.
MIN_PAGE_SIZE, MAX_PAGE_SIZE = 5, 100
# Of a server that does not know how this contract names the parameter.
_DEFAULT_PAGE_SIZE = 50
_MAX_REPETITIONS = 2


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
        if not isinstance(size, int) or not MIN_PAGE_SIZE <= size <= MAX_PAGE_SIZE:
            raise UsageError(f"page_size must be from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}, not {size!r}")
        fields = (sort,) if isinstance(sort, str) else tuple(sort) if isinstance(sort, Iterable) else (sort,)
        if not all(isinstance(each, str) for each in fields):
            raise UsageError(f"sort is the name of a field, or several, not {sort!r}")
        return cls(1, size, fields)

    def after(self, entries: int) -> PageRequest | None:
        """Return the request for the page after one of `entries` entries; None if that is the last, not full.

        A first page of the contract's default size may be full: a server may have ignored the size.
        """
        size = _DEFAULT_PAGE_SIZE if self.number == 1 and entries == _DEFAULT_PAGE_SIZE else self.size
        return None if entries < size else evolve(self, number=self.number + 1, size=size)


@frozen
class Page(Generic[T]):
    """One page of a listing, as `Pager.pages` yields it.

        async for page in client.runs.list().pages():
            print(page.number, len(page.items), page.invalid)

    `number` starts at 1. `items` is a tuple of the entries that could be read, in the server's order, without
    those that the previous page had. `invalid` is a tuple with an `InvalidItem` for each entry that could not
    be read, empty by default. `left_out` is the number of entries that the client left out, because they do
    not match a filter or are gone since they were listed; 0 by default. `date` is the server's time with time
    zone; None, the default, if it was not reported.
    """

    number: int
    """The number of the page, from 1."""
    items: tuple[T, ...]
    """The entries that could be read, in the server's order."""
    invalid: tuple[InvalidItem, ...] = ()
    """The entries that could not be read, with the reason; empty by default."""
    date: datetime | None = None
    """The server's time in the response, with time zone; None if the response had no valid Date header."""
    left_out: int = 0
    """How many entries the client left out: by a filter that the contract lacks, or gone since; 0 by default.
    """
    _left_out_keys: tuple[Hashable, ...] = field(default=(), repr=False, eq=False)
    """What tells those entries from others, for `Repetition`."""

    @property
    def size(self) -> int:
        """The number of entries: those in `items` and in `invalid`, and those that were left out."""
        return len(self.items) + len(self.invalid) + self.left_out


class Repetition:
    """Notices a server that ignores the number of the page, which would be asked for another one for ever.

    Entries slide from page to page while a listing is read, so two pages may be equal; three may not. Keeps
    a number for each page.
    """

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def is_seen(self, page: Page[T], key: Callable[[T], Hashable]) -> bool:
        """Whether two pages before had the entries of this one; one without entries says nothing."""
        # Those that are left out count, or a filter that fits none would be asked for more for ever.
        keys = frozenset([*map(key, page.items), *page._left_out_keys])  # noqa: SLF001
        found = hash(keys or frozenset(page.invalid))
        self._seen[found] += bool(keys or page.invalid)
        return self._seen[found] > _MAX_REPETITIONS


@explains_misuse("entries and pages are iterated with `async for`, or one by one with `await anext(...)`")
class Stream(AsyncIterator[T]):
    """The rest of an iteration over a pager; `aclose` ends it, which is optional."""

    def __init__(self, source: AsyncGenerator[T, None]) -> None:
        self._source = source

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T]:
        return self._source.__anext__()

    async def aclose(self) -> None:
        """End the iteration."""
        await self._source.aclose()


@explains_misuse(
    "a pager is iterated with `async for`; `await pager.to_list()` gives a list, and `await pager.first()` "
    "the first entry"
)
class Pager(Generic[T]):
    """The entries of a listing, fetched page by page as they are iterated.

        async for run in client.runs.list(): ...
        async for page in client.runs.list().pages(): ...
        newest = await client.runs.list().first()
        applications = await client.applications.list().to_list()

    Creating a pager sends no request. Each iteration starts at the first page, sends one request per page
    unless the method that returned the pager says otherwise, and keeps one page in memory. It ends at an
    empty page, at a page that is not full, or at a 404; a first page of 50, the API's own size, counts as
    full. A 404 on the first page raises NotFound, except for runs under contract 1.8, where the API may
    answer so if there are none. An entry that moves to the next page between two requests is yielded once;
    one that moves to a page that was already read is missed.

    After yielding all others, iteration raises InvalidItems if some entries could not be read. `pages` puts
    them in `Page.invalid` instead. A request raises APIStatusError for a status that is not 2xx, and
    ConnectionFailed if there was no complete response, both after the attempts of `Settings.retries`;
    InvalidResponse if a response does not fit the contract or pages repeat; AuthenticationError or
    ConfigurationError if there is no usable token; ConfigurationError for a proxy that can no longer be used;
    UsageError if the client is not open or belongs to another event loop, or an argument can't be sent; and
    whatever a token source of your own raises.
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

    def __aiter__(self) -> AsyncIterator[T]:
        return Stream(self._entries())

    async def _entries(self) -> AsyncGenerator[T, None]:
        invalid: list[InvalidItem] = []
        async for page in self.pages():
            invalid.extend(page.invalid)
            for entry in page.items:
                yield entry
        if invalid:
            raise InvalidItems(self._operation, invalid)

    async def first(self) -> T | None:
        """Return the first entry that can be read, or None if there is none.

            newest = await client.runs.list(page_size=5).first()

        Fetches one page, and further ones only while a page has no such entry. Entries that can't be read are
        skipped. Raises the errors of requests that `Pager` names.
        """
        async for page in self.pages():
            if page.items:
                return page.items[0]
        return None

    async def to_list(self) -> list[T]:
        """Return all entries as a list, in the server's order; empty if there are none.

            applications = await client.applications.list().to_list()

        Fetches every page, and keeps all entries in memory. Raises InvalidItems if some entries can't be
        read; iterate over the pager to get the others. Raises the errors of requests that `Pager` names.
        """
        return [entry async for entry in self]

    def pages(self) -> AsyncIterator[Page[T]]:
        """Yield the pages of the listing in order, each fetched when it is needed.

            async for page in client.runs.list().pages():
                print(page.number, len(page.items), len(page.invalid))

        An empty page of the server is not yielded. Entries that can't be read are in `Page.invalid` and raise
        nothing. Iterating raises the errors of requests that `Pager` names.
        """
        return Stream(self._pages())

    async def _pages(self) -> AsyncGenerator[Page[T], None]:
        seen: set[Hashable] = set()
        repetition = Repetition()
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
            if repetition.is_seen(page, self._key):
                reason = f"page {request.number} has the same entries as two before it"
                raise InvalidResponse(f"{reason}: the server ignores the number", operation=self._operation)
            fresh = tuple(entry for entry in page.items if self._key(entry) not in seen)
            # Entries can only slide from one page to the next, so one page of memory is enough.
            seen = {self._key(entry) for entry in page.items}
            yield evolve(page, items=fresh)
            following = request.after(page.size)
            if following is None:
                return
            request = following
