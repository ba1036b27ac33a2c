"""Waking those who wait for news in the database, and nobody else: each look costs a query."""

from __future__ import annotations

from enum import IntEnum

import anyio


class StageId(IntEnum):
    """A part of the pipeline; each feeds the next."""

    PROBING = 0
    UPLOADING = 1
    SUBMITTING = 2
    MONITORING = 3
    DOWNLOADING = 4


class StageSignals:
    """Ring for a part of the pipeline whenever something in the database may be news to it."""

    def __init__(self) -> None:
        self._events = [anyio.Event() for _ in StageId]

    def ring(self, *parts: StageId) -> None:
        """Wake parts, all if none is named."""
        for part in parts or StageId:
            self._events[part].set()
            self._events[part] = anyio.Event()

    def ring_from(self, part: StageId) -> None:
        """Wake a part that has moved something on, and the one that it feeds."""
        self.ring(*list(StageId)[part : part + 2])

    def next(self, part: StageId) -> anyio.Event:
        """The next ring; taken before one looks, so that what comes meanwhile is heard."""
        return self._events[part]
