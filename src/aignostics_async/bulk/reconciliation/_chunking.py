"""Which items become a run together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database._queries import Waiting


def chunks(items: Sequence[Waiting], size: int, *, is_last: bool) -> Iterator[Sequence[Waiting]]:
    """Give the chunks that are full, and the rest too where no more items can come.

    Items that were in a chunk which the platform refused are in chunks of half that size, so that the one it
    was refused for is alone in the end.
    """
    for refusals, alike in groupby(sorted(items, key=attrgetter("attempts")), key=attrgetter("attempts")):
        most, rest = max(1, size >> refusals), list(alike)
        while len(rest) >= most or (rest and (is_last or refusals)):
            yield rest[:most]
            rest = rest[most:]
