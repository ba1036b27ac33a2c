"""Waking those who wait for news in the database."""

from __future__ import annotations

import anyio


class Bell:
    """Rings whenever something in the database may be news to somebody who waits."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake all who wait."""
        self._event.set()
        self._event = anyio.Event()

    @property
    def next(self) -> anyio.Event:
        """The next ring; taken before one looks, so that what comes meanwhile is heard."""
        return self._event
