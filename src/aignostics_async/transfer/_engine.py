"""The data plane: blocking work in threads that the client owns, and the limits that all of it shares."""

from __future__ import annotations

import asyncio
import mmap
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from ._cancel_token import Cancelled, CancelToken
from ._limits import (
    INTERVAL,
    MAX_PIECE,
    BandwidthLimiter,
    ConcurrencyLimit,
)
from ._threads import Lane, WorkerThreads
from .connections._pool import ConnectionPool

if TYPE_CHECKING:
    import ssl
    from contextlib import AsyncExitStack
    from pathlib import Path

    from .._config import Settings
    from .._core._lifetime import Lifetime
    from .._http._retry import Outcome
    from .files._partial_file import PartialFile

_T = TypeVar("_T")

CANCEL_TIMEOUT = 2.0
"""Seconds that a call which ends early waits for its thread to stop, and again for its cleanup."""
_TICK = 0.1  # seconds
_FILE_CALLS = 4
_THROTTLING = frozenset({429, 503})  # "SlowDown" is a 503
_SAME_TIME = 1.0  # seconds


class Engine:
    """The engine that runs blocking work in threads, so that the event loop handles only ticks and results.

        size = await engine.run_file_io(lambda token: path.stat().st_size)

    `run` is for work that moves bytes over a connection; a limit that adapts to the throughput admits from
    one call to `Limits.transfers` calls. `run_file_io` is for work on files.

    If a call ends early, by cancellation, a timeout, an exception of a callback or the end of the client, its
    `CancelToken` tells the work to stop, and the caller waits up to 2 s for the thread. One that hangs
    longer, for example in a frozen file system, is left behind; what it returns is passed to `release`.

    `settings` are those of the client. `bandwidth` is the limit that all transfers share, and `connections`,
    after `open`, the `ConnectionPool`. `parts` is a set of the files that are being written, and
    `checked_folders` maps target folders that were found to be safe to device and inode.
    """

    def __init__(self, settings: Settings, lifetime: Lifetime) -> None:
        self.settings = settings
        self._lifetime = lifetime
        self._concurrency = ConcurrencyLimit(settings.limits.transfers, _cores())
        self.bandwidth = BandwidthLimiter(settings.transfers.bandwidth)
        self._tokens: set[CancelToken] = set()
        self._moved = 0
        self._slowed = 0.0
        self._observed = (0.0, 0, 0.0)
        self._local = threading.local()
        self._ticker: asyncio.TimerHandle | None = None
        self.parts: set[PartialFile] = set()
        """The files under way, which share the space on their disks."""
        self.checked_folders: dict[Path, tuple[int, int]] = {}
        """Target folders that were found to be safe, with device and inode."""

    def open(self, stack: AsyncExitStack, context: ssl.SSLContext) -> Self:
        """Open the engine and return it; its threads and connections end when `stack` is closed.

            async with AsyncExitStack() as stack:
                engine = Engine(settings, lifetime).open(stack, ssl.create_default_context())

        `context` is used for TLS connections to storages. Closing the stack tells running calls to stop, and
        waits up to 2 s for them. Raises ConfigurationError for a `Settings.proxy` without a host, or with
        another scheme than http.
        """
        self.connections = ConnectionPool(self.settings, context)
        # The loop's default executor has a handful of threads, and belongs to everybody.
        self._threads = WorkerThreads("aignostics-transfer")
        self._connection_calls = Lane(self._concurrency.connections)
        self._file_calls = Lane(_FILE_CALLS)
        stack.push_async_callback(self._close)
        return self

    async def _close(self) -> None:
        for token in self._tokens:
            token.cancel()
        self.connections.close()
        await self._threads.close(CANCEL_TIMEOUT)

    @property
    def has_room(self) -> bool:
        """Whether another call of `run` would start without waiting for the concurrency limit."""
        return self._connection_calls.has_room

    async def run(
        self,
        work: Callable[[CancelToken], _T],
        tick: Callable[[], None] | None = None,
        *,
        release: Callable[[_T], None] | None = None,
    ) -> _T:
        """Run work that moves bytes in a thread, when the concurrency limit admits it, and return its result.

            count = await engine.run(lambda token: upload(path, token), tick=lambda: show(done))

        `work` gets a `CancelToken`, whose `check` raises Cancelled when the work is to stop. `tick`, None by
        default, is called in the event loop about ten times a second while the work runs; an exception of it
        ends the call and is raised. `release`, None by default, is called, perhaps in the thread, with a
        result other than None that comes after the caller has left. Raises what `work` raises, UsageError if
        the client is not open in this event loop or is closed meanwhile, and ConfigurationError if the system
        can start no thread.
        """
        return await self._run(work, self._connection_calls, tick, release)

    async def run_file_io(
        self, work: Callable[[CancelToken], _T], *, release: Callable[[_T], None] | None = None
    ) -> _T:
        """Run work on files in a thread and return its result, at most four at once beside those of `run`.

            size = await engine.run_file_io(lambda token: path.stat().st_size)

        `work` and `release` are as for `run`, and so are cancellation and errors.
        """
        return await self._run(work, self._file_calls, None, release)

    async def run_cleanup(self, work: Callable[[], None]) -> None:
        """Run cleanup work in a thread, even while cancelled or after the client was closed.

            await engine.run_cleanup(part.close)

        The caller waits up to 2 s; the work goes on after that. What it raises is lost. Raises
        ConfigurationError if the system can start no thread; then the work was not begun.
        """
        await self._threads.start(work).join(CANCEL_TIMEOUT)

    def on_throttled(self, outcome: Outcome) -> None:
        """Halve the limit of connections if `outcome` has status 429 or 503; do nothing otherwise.

        Does nothing, either, for a second after it has halved the limit, which stays at least one. Call it in
        the event loop.
        """
        if outcome.status in _THROTTLING and time.monotonic() > self._slowed + _SAME_TIME:
            self._slowed = time.monotonic()
            self._threads.set_limit(self._connection_calls, self._concurrency.slow_down())

    def buffer(self) -> memoryview:
        """Return the buffer of the calling thread, a memoryview of 4 MiB with the content of its last use.

        Each call in a thread returns the same buffer.
        """
        if not hasattr(self._local, "buffer"):
            self._local.buffer = new_buffer(MAX_PIECE)
        buffer: memoryview = self._local.buffer
        return buffer

    async def _run(
        self,
        work: Callable[[CancelToken], _T],
        lane: Lane,
        tick: Callable[[], None] | None,
        release: Callable[[_T], None] | None,
    ) -> _T:
        self._lifetime.check()
        token = CancelToken()
        call = self._threads.start(partial(work, token), release, lane=lane)
        self._tokens.add(token)
        self._tick_later()
        try:
            while not await call.wait():
                self._observe()
                if tick is not None:
                    tick()
        except BaseException as error:
            token.cancel()
            self._threads.abandon(call)
            if not isinstance(error, GeneratorExit):  # else nothing can be waited for any more
                await call.join(CANCEL_TIMEOUT)
            self._threads.vacate(call)
            raise
        finally:
            self._tokens.discard(token)
            self._moved += token.moved
        self._observe()
        try:
            return call.take()
        except Cancelled:
            # Only the end of the client cancels the token of a caller that still waits.
            self._lifetime.check()
            raise

    def _tick_later(self) -> None:
        """Let the callers see how far their calls are in a while, as long as there are any."""
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._ticker = None
        if self._threads.tick():
            self._tick_later()

    def _observe(self) -> None:
        """Let the concurrency limit observe the throughput since the last time."""
        then, moved_then, busy_then = self._observed
        now = time.monotonic()
        if now - then < INTERVAL:
            return
        busy = time.process_time()
        moved = self._moved + sum(token.moved for token in self._tokens)
        self._observed = now, moved, busy
        if now - then > 4 * INTERVAL:  # nothing was under way, so what was known is old
            self._threads.set_limit(self._connection_calls, self._concurrency.rest())
            return
        share = (busy - busy_then) / (now - then) / _cores()
        rate, is_full = (moved - moved_then) / (now - then), not self.has_room
        limit = self._concurrency.observe(rate, share, is_full=is_full)
        self._threads.set_limit(self._connection_calls, limit)


def new_buffer(size: int) -> memoryview:
    """Return page-aligned memory; copies between it and the kernel take a third less CPU."""
    return memoryview(mmap.mmap(-1, max(size, 1)))[:size]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
