"""The throughput of each stage, for the plot of the report: counted in memory, written every few seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from ..database._samples import Sample, Stage, add_samples

if TYPE_CHECKING:
    from ..database._database import Database

_INTERVAL = 5.0  # seconds


class ThroughputMeter:
    """Counts items and bytes of the stages."""

    def __init__(self) -> None:
        self.items: Counter[Stage] = Counter()
        self.bytes: Counter[Stage] = Counter()
        self._told_items: Counter[Stage] = Counter()
        self._told_bytes: Counter[Stage] = Counter()

    def count(self, stage: Stage, items: int = 0, size: int = 0) -> None:
        """Count what a stage has moved."""
        self.items[stage] += items
        self.bytes[stage] += size

    def passing(self, stage: Stage) -> Callable[[int], None]:
        """Return a counter of the bytes of one file, to be called with its position; a restart lowers it."""
        told = 0

        def count(done: int, _total: int | None = None) -> None:
            nonlocal told
            self.bytes[stage] += done - told
            told = done

        return count

    def take(self) -> list[Sample]:
        """Return what was counted since the last time."""
        # Less than nothing was not moved.
        samples = [
            Sample(
                stage,
                self.items[stage] - self._told_items[stage],
                max(0, self.bytes[stage] - self._told_bytes[stage]),
            )
            for stage in Stage
        ]
        self._told_items, self._told_bytes = self.items.copy(), self.bytes.copy()
        return samples

    async def keep(self, database: Database) -> None:
        """Write what is counted into the database, for ever, and once more when that is cancelled."""
        try:
            while True:
                await anyio.sleep(_INTERVAL)
                await database.write(add_samples(self.take()))
        finally:
            with anyio.CancelScope(shield=True):
                await database.write(add_samples(self.take()))
