"""The data plane: worker threads that the client owns, and what they share."""

from __future__ import annotations

import asyncio
import mmap
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

import anyio
import anyio.to_thread

from ._cancel_token import Cancelled, CancelToken
from ._connection import ConnectionPool
from ._limits import (
    INTERVAL,
    LARGEST_PIECE,
    BandwidthLimiter,
    ConcurrencyLimit,
)

if TYPE_CHECKING:
    import ssl
    from contextlib import AsyncExitStack

    from .._config import Settings
    from .._core._lifetime import Lifetime
    from .._http._retry import Outcome
    from ._partial_file import PartialFile

_T = TypeVar("_T")

_TICK = 0.1
_PATIENCE = 2.0  # seconds for a thread to notice that it was cut; only a slow disk or resolver needs more
_ASIDE = 4
_LESS = frozenset({429, 503})  # "SlowDown" is a 503
_TOGETHER = 1.0  # seconds


class Engine:
    """Runs blocking work in threads of its own, so that the loop only sees ticks and results.

    `run` is for work that moves bytes over a connection, and lets as many at it as the pace allows. `aside`
    is for work on files. Both free thread and connection at once when they are cancelled.
    """

    def __init__(self, settings: Settings, lifetime: Lifetime) -> None:
        self.settings = settings
        self._lifetime = lifetime
        self._most = settings.limits.transfers
        self._pace = ConcurrencyLimit(self._most, _cores())
        self.bandwidth = BandwidthLimiter(settings.transfers.bandwidth)
        self._jobs: set[CancelToken] = set()
        self._moved = 0
        self._slowed = 0.0
        self._looked = (0.0, 0, 0.0)
        self._local = threading.local()
        self.parts: set[PartialFile] = set()

    def open(self, stack: AsyncExitStack, context: ssl.SSLContext) -> Self:
        """Open the engine; its threads and connections end with `stack`."""
        self.connections = ConnectionPool(self.settings, context)
        # The loop's default executor has a handful of threads, and belongs to everybody.
        self._threads = ThreadPoolExecutor(self._most + _ASIDE, "aignostics-transfer")
        self._limiter = anyio.CapacityLimiter(self._pace.connections)
        self._aside = anyio.CapacityLimiter(_ASIDE)
        stack.callback(self._close)
        return self

    def _close(self) -> None:
        for token in self._jobs:
            token.cut()
        self.connections.close()
        self._threads.shutdown(wait=False)

    @property
    def has_room(self) -> bool:
        """Whether another connection would keep nobody waiting."""
        return self._limiter.available_tokens > 0

    async def run(self, work: Callable[[CancelToken], _T], tick: Callable[[], None] | None = None) -> _T:
        """Run work that moves bytes, once there is room for it; `tick` is called ten times a second."""
        self._lifetime.check()
        async with self._limiter:
            return await self._run(work, tick)

    async def run_file_io(self, work: Callable[[CancelToken], _T]) -> _T:
        """Run work on files, a few at once, beside what moves bytes."""
        self._lifetime.check()
        async with self._aside:
            return await self._run(work, None)

    async def run_cleanup(self, work: Callable[[], None]) -> None:
        """Run what has to be done in the end, through cancellation, and when the client was closed too."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(work)

    def on_throttled(self, outcome: Outcome) -> None:
        """Take in what became of a try. What a storage asks of all connections at once counts once."""
        if outcome.status in _LESS and time.monotonic() > self._slowed + _TOGETHER:
            self._slowed = time.monotonic()
            self._limiter.total_tokens = self._pace.slow_down()

    def buffer(self) -> memoryview:
        """Return the calling thread's buffer. It is reused: fresh memory costs more than the copy into it."""
        if not hasattr(self._local, "buffer"):
            self._local.buffer = new_buffer(LARGEST_PIECE)
        buffer: memoryview = self._local.buffer
        return buffer

    async def _run(self, work: Callable[[CancelToken], _T], tick: Callable[[], None] | None) -> _T:
        token = CancelToken()
        self._jobs.add(token)
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, token)
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_TICK)
                self._look()
                if tick is not None:
                    tick()
            return future.result()
        except asyncio.CancelledError:
            token.cut()
            future.add_done_callback(_look_away)
            with anyio.CancelScope(shield=True):
                await asyncio.wait({future}, timeout=_PATIENCE)
            raise
        except Cancelled:
            # Not by a cancellation of this task: the client was closed under it.
            self._lifetime.check()
            raise
        finally:
            self._jobs.discard(token)
            self._moved += token.moved

    def _look(self) -> None:
        """Let the pace take in what was moved since the last look."""
        then, moved_then, busy_then = self._looked
        now, busy = time.monotonic(), time.process_time()
        if now - then < INTERVAL:
            return
        moved = self._moved + sum(token.moved for token in self._jobs)
        self._looked = now, moved, busy
        if now - then > 4 * INTERVAL:  # nothing was under way, so what was known is old
            self._limiter.total_tokens = self._pace.rest()
            return
        share = (busy - busy_then) / (now - then) / _cores()
        is_full = self._limiter.available_tokens <= 0
        self._limiter.total_tokens = self._pace.observe(
            (moved - moved_then) / (now - then), share, is_full=is_full
        )


def new_buffer(size: int) -> memoryview:
    """Return memory that begins with a page; copies between it and the kernel take a third less CPU."""
    return memoryview(mmap.mmap(-1, max(size, 1)))[:size]


def _look_away(future: asyncio.Future[_T]) -> None:
    """Take the exception of work that was cut, which nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
