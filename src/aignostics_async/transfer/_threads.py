"""Worker threads for blocking calls, and calls that can be abandoned.

A thread can't be interrupted, so a caller that ends early leaves a call behind. Whatever such a call returns
later, a descriptor or a lock, is released by the thread that brings it. Threads are daemons: one that hangs
in a frozen file system does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import anyio

from .._core._threads import start_thread

_T = TypeVar("_T")
_LONG = 3600.0  # seconds


class ThreadCall(Generic[_T]):
    """One blocking call: it is taken by its caller, or abandoned, and then its result is released."""

    def __init__(
        self,
        work: Callable[[], _T],
        release: Callable[[_T], None] | None,
        on_done: Callable[[ThreadCall[_T]], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.is_done = False
        """Whether the loop has heard that the call is over."""
        self._waiters: set[asyncio.Future[None]] = set()
        self._work: Callable[[], _T] | None = work
        self._release = release
        self._on_done = on_done
        self._lock = threading.Lock()
        self._is_over = False
        self._is_abandoned = False
        self._result: _T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call; in a worker thread."""
        work, self._work = self._work, None
        try:
            # One that was abandoned before it began is not begun.
            if work is not None and not self._is_abandoned:
                self._result = work()
        except BaseException as error:  # noqa: BLE001 - raised to the caller
            self._error = error
        with self._lock:
            self._is_over = True
            is_abandoned = self._is_abandoned
        if is_abandoned:
            self.drop()
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop was closed, so the caller is gone
            self.abandon()
            self._on_done(self)

    async def wait(self, seconds: float) -> bool:
        """Wait until the call is over, no longer than some seconds, and return whether it is."""
        if not self.is_done:
            # asyncio.wait would cost three times as much, and a small file is two calls.
            waiter = self._loop.create_future()
            self._waiters.add(waiter)  # the caller and a client that is closed wait at the same time
            timer = self._loop.call_later(seconds, _stop_waiting, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiters.discard(waiter)
        return self.is_done

    async def join(self, seconds: float) -> None:
        """Wait until the call is over, no longer than some seconds, also while the caller is cancelled."""
        with anyio.CancelScope(shield=True):
            await self.wait(seconds)

    def take(self) -> _T:
        """Return the result of a call that is over, or raise its exception."""
        error, self._error, self._release = self._error, None, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # it holds this frame
        return cast("_T", self._result)

    def abandon(self) -> None:
        """Leave the call to itself: its result is released when it comes, or now."""
        with self._lock:
            self._is_abandoned = True
            is_over = self._is_over
        if is_over:
            self.drop()

    def drop(self) -> None:
        """Release a result that nobody takes."""
        release, self._release = self._release, None
        result, self._result = self._result, None
        if release is not None and result is not None:
            release(result)

    def _wake(self) -> None:
        self.is_done = True
        self._on_done(self)
        for waiter in self._waiters:
            _stop_waiting(waiter)


def _stop_waiting(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class WorkerThreads:
    """Threads that run calls, one for each call at work. Idle threads are used again.

    How many calls are at work is limited by the callers. A call that hangs takes no thread from the others.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[ThreadCall[Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._is_closed = False
        self._calls: set[ThreadCall[Any]] = set()

    def start(self, work: Callable[[], _T], release: Callable[[_T], None] | None = None) -> ThreadCall[_T]:
        """Start a call; `release` gets its result if the caller has gone when it comes.

        Works after `close` too, for what has to be cleaned up. Raises ConfigurationError if the system gives
        no thread; then nothing was begun.
        """
        call = ThreadCall(work, release, self._calls.discard)
        with self._lock:
            is_awaited = self._idle > 0
            self._idle -= is_awaited
        if not is_awaited:
            start_thread(self._run, self._name, daemon=True)
        self._calls.add(call)
        # Not as an argument of the thread, which would keep it for as long as the thread lives.
        self._queue.put(cast("ThreadCall[Any]", call))
        return call

    async def close(self, seconds: float) -> None:
        """End the threads, and wait some seconds at most for the calls that are at work."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._queue.put(None)
        deadline = time.monotonic() + seconds
        for call in list(self._calls):
            await call.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (call := self._queue.get()) is not None:
            call.run()
            del call  # not kept while the thread is idle
            with self._lock:
                if self._is_closed:
                    return
                self._idle += 1


async def run_to_end(
    work: Callable[[], _T], name: str, *, release: Callable[[_T], None] | None = None, seconds: float = 10.0
) -> _T:
    """Run blocking work in a thread of its own, and return its result.

    A caller that is cancelled waits for the end of the work, no longer than some seconds. A result that comes
    when the caller has gone is released by the thread.
    """
    threads = WorkerThreads(name)
    call = threads.start(work, release)
    try:
        while not await call.wait(_LONG):
            pass
        return call.take()
    except GeneratorExit:  # nothing can be waited for any more
        call.abandon()
        raise
    except asyncio.CancelledError:
        await call.join(seconds)
        call.abandon()
        raise
    finally:
        await threads.close(0)
