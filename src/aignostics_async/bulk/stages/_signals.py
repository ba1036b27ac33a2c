"""Signals that wake a stage when the database may have work for it, since polling costs a query each time."""

from __future__ import annotations

from enum import IntEnum

import anyio


class StageId(IntEnum):
    """A stage of the pipeline; each feeds the next."""

    PROBING = 0
    UPLOADING = 1
    SUBMITTING = 2
    MONITORING = 3
    DOWNLOADING = 4


class StageSignals:
    """Wakes the stages that wait for work."""

    def __init__(self) -> None:
        self._events = [anyio.Event() for _ in StageId]

    def notify(self, *parts: StageId) -> None:
        """Wake some stages, or all if none is given."""
        for part in parts or StageId:
            self._events[part].set()
            self._events[part] = anyio.Event()

    def notify_from(self, part: StageId) -> None:
        """Wake a stage that has passed something on, and the stage that it feeds."""
        self.notify(*list(StageId)[part : part + 2])

    def next(self, part: StageId) -> anyio.Event:
        """Return the next signal. Take it before reading the database, so that no change is missed."""
        return self._events[part]
