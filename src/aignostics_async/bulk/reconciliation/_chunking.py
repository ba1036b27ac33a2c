"""Which items become a run together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database._queries import Waiting


def chunks(items: Sequence[Waiting], size: int, *, is_last: bool) -> Iterator[Sequence[Waiting]]:
    """Give the full chunks, and the rest too if no more items can come.

    Items of a refused chunk are in chunks of half its size, until the item that it was refused for is alone.
    """
    for refusals, alike in groupby(sorted(items, key=attrgetter("attempts")), key=attrgetter("attempts")):
        max_items, rest = max(1, size >> refusals), list(alike)
        while len(rest) >= max_items or (rest and (is_last or refusals)):
            yield rest[:max_items]
            rest = rest[max_items:]
