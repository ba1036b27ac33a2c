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
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import anyio

from .._core._threads import start_thread
from ..errors import ConfigurationError
from ._cancel_token import Cancelled

_T = TypeVar("_T")


class ThreadCall(Generic[_T]):
    """One blocking call: it is taken by its caller, or abandoned, and then its result is released."""

    def __init__(
        self,
        work: Callable[[], _T],
        release: Callable[[_T], None] | None,
        on_done: Callable[[ThreadCall[_T]], None],
        lane: Lane | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.lane = lane
        """The lane in which it has a place, or waits for one."""
        self.is_done = False
        """Whether the loop has heard that the call is over."""
        self._caller: asyncio.Future[None] | None = None
        self._joining: set[asyncio.Future[None]] = set()
        self._work: Callable[[], _T] | None = work
        self._release = release
        self._on_done = on_done
        self._lock = threading.Lock()
        self._is_over = False
        self._is_abandoned = False
        self._result: _T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call; in a worker thread, which then calls `tell`."""
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

    def tell(self) -> None:
        """Let the loop know that the call is over; in any thread."""
        try:
            self._loop.call_soon_threadsafe(self.end)
        except RuntimeError:  # the loop was closed, so the caller is gone
            self.abandon()
            self._on_done(self)

    def end(self, error: BaseException | None = None) -> None:
        """Wake up those who wait for the call, which is over; with an error if it was never begun."""
        if error is not None:
            self._error = error
        self.is_done = True
        self._on_done(self)
        for waiter in (self._caller, *self._joining):
            _stop_waiting(waiter)

    def tick(self) -> None:
        """Let the caller see how far the call is, if it is at work."""
        if self._work is None:
            _stop_waiting(self._caller)

    async def wait(self) -> bool:
        """Wait until the call is over, or `tick` is called, and return whether it is over. For the caller."""
        if not self.is_done:
            # asyncio.wait would cost three times as much.
            self._caller = self._loop.create_future()
            await self._caller
        return self.is_done

    async def join(self, seconds: float) -> None:
        """Wait until the call is over, no longer than some seconds, also while the waiter is cancelled."""
        if self.is_done:
            return
        waiter = self._loop.create_future()
        self._joining.add(waiter)  # the caller and a client that is closed wait at the same time
        timer = self._loop.call_later(seconds, _stop_waiting, waiter)
        try:
            with anyio.CancelScope(shield=True):
                await waiter
        finally:
            timer.cancel()
            self._joining.discard(waiter)

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


def _stop_waiting(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Lane:
    """Calls of which no more than `limit` are at work at once; the others wait for their turn."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.at_work = 0
        self.waiting: OrderedDict[ThreadCall[Any], None] = OrderedDict()

    @property
    def has_room(self) -> bool:
        """Whether a call would begin at once."""
        return self.at_work < self.limit

    def admit(self) -> ThreadCall[Any] | None:
        """Give a place to the call that has waited longest, and return it; None without either."""
        if not self.waiting or not self.has_room:
            return None
        self.at_work += 1
        return self.waiting.popitem(last=False)[0]


class WorkerThreads:
    """Threads that run calls, one for each call at work. Idle threads are used again.

    How many calls are at work is limited by their lane, if they have one. A thread that is done with a call
    takes the next one of its lane itself, so no call waits for the event loop. A call that hangs takes no
    thread from the others.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[ThreadCall[Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        """Held while the lanes change, and the number of idle threads."""
        self._idle = 0
        self._is_closed = False
        self._calls: set[ThreadCall[Any]] = set()

    def start(
        self, work: Callable[[], _T], release: Callable[[_T], None] | None = None, *, lane: Lane | None = None
    ) -> ThreadCall[_T]:
        """Start a call, when its lane has a place for it.

        `release` gets its result if the caller has gone when it comes. Works after `close` too, for what has
        to be cleaned up. Raises ConfigurationError if the system gives no thread; then nothing was begun.
        """
        call = ThreadCall(work, release, self._calls.discard, lane)
        with self._lock:
            if lane is not None:
                lane.waiting[cast("ThreadCall[Any]", call)] = None
            admitted = call if lane is None else lane.admit()
        self._calls.add(call)
        if admitted is not None:
            try:
                self._hand_over(admitted)
            except BaseException:
                self._calls.discard(call)
                raise
        return call

    def set_limit(self, lane: Lane, limit: int) -> None:
        """Change the limit of a lane."""
        if limit != lane.limit:
            lane.limit = limit
            self._admit(lane)

    def abandon(self, call: ThreadCall[Any]) -> None:
        """Leave a call to itself: one that waits for its turn is over, one at work releases its result."""
        call.abandon()
        if self._withdraw(call):
            call.end()

    def vacate(self, call: ThreadCall[Any]) -> None:
        """Give the place of a call that hangs to the others of its lane."""
        lane = self._leave(call)
        if lane is not None:
            self._admit(lane)

    def tick(self) -> bool:
        """Let the callers see how far their calls are; returns whether there are any."""
        for call in self._calls:
            call.tick()
        return bool(self._calls)

    async def close(self, seconds: float) -> None:
        """End the threads, and wait some seconds at most for the calls that are at work."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._queue.put(None)
        calls = list(self._calls)
        for call in calls:
            if self._withdraw(call):
                call.end(Cancelled())
        deadline = time.monotonic() + seconds
        for call in calls:
            await call.join(max(0.0, deadline - time.monotonic()))

    def _withdraw(self, call: ThreadCall[Any]) -> bool:
        """Take back a call that waits for its turn, and return whether it did."""
        with self._lock:
            if call.lane is None or call not in call.lane.waiting:
                return False
            del call.lane.waiting[call]
            call.lane = None
            return True

    def _leave(self, call: ThreadCall[Any]) -> Lane | None:
        """Take the place of a call away, and return its lane; None if it has no place any more."""
        with self._lock:
            lane, call.lane = call.lane, None
            if lane is not None:
                lane.at_work -= 1
            return lane

    def _admit(self, lane: Lane) -> None:
        """Begin calls that waited, as far as there are places for them."""
        while True:
            with self._lock:
                call = lane.admit()
            if call is None:
                return
            try:
                self._hand_over(call)
            except ConfigurationError as error:
                call.end(error)

    def _hand_over(self, call: ThreadCall[Any]) -> None:
        """Give a call to an idle thread, or to a new one."""
        with self._lock:
            is_awaited = self._idle > 0
            self._idle -= is_awaited
        try:
            if not is_awaited:
                start_thread(self._run, self._name, daemon=True)
        except BaseException:
            self._leave(call)
            raise
        # Not as an argument of the thread, which would keep it for as long as the thread lives.
        self._queue.put(call)

    def _run(self) -> None:
        call: ThreadCall[Any] | None
        while (call := self._queue.get()) is not None:
            while call is not None:
                call.run()
                following = self._next(call)
                call.tell()
                call = following
                del following  # not kept while the thread is idle
            with self._lock:
                if self._is_closed:
                    return
                self._idle += 1

    def _next(self, call: ThreadCall[Any]) -> ThreadCall[Any] | None:
        """Give the place of a call that is over to the next one of its lane, and return that."""
        with self._lock:
            lane, call.lane = call.lane, None
            if lane is None:
                return None
            lane.at_work -= 1
            return lane.admit()


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
        await call.wait()
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
