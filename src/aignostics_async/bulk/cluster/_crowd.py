"""Tasks that run together, and now and then one that runs alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Crowd:
    """Lets tasks run together, and a suspect alone, with nobody whom it could take with it."""

    def __init__(self) -> None:
        self._members = 0
        self._suspects = 0
        self._changed = anyio.Event()
        self._alone = anyio.Lock()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Run the block with others, as soon as no suspect waits or runs."""
        while self._suspects:
            await self._changed.wait()
        self._members += 1
        try:
            yield
        finally:
            self._members -= 1
            self._notify()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Run the block when all others have ended, and let none begin before its end."""
        self._suspects += 1
        try:
            async with self._alone:
                while self._members:
                    await self._changed.wait()
                yield
        finally:
            self._suspects -= 1
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
