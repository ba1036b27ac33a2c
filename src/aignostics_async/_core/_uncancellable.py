"""Work that no cancellation interrupts.

A refresh token is good for one use, so nothing may interrupt the time between its use and the saving of its
successor. A task can't guarantee that: an event loop that ends cancels its tasks, and a shield stops only
anyio's cancellation. A thread with an event loop of its own can; the interpreter waits for it at exit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ._lifetime import running_loop
from ._tasks import to_its_end
from ._threads import start_thread

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]


class LoopEnded(Exception):
    """A task that others waited for was cancelled, usually because its event loop has ended."""


def start_uncancellable(work: Work[T]) -> Future[T]:
    """Start a coroutine in a thread with an event loop of its own, and return its future.

    It fails with AignosticsError if something of the user's in it was cancelled.
    """
    return _start(lambda: asyncio.run(to_its_end(work)), daemon=False)


async def run_uncancellable(work: Work[T]) -> T:
    """Run a coroutine in a thread with an event loop of its own; it goes on if the caller is cancelled."""
    loop = running_loop()
    return await asyncio.wrap_future(start_uncancellable(work), loop=loop)


async def run_in_daemon_thread(work: Callable[[], T]) -> T:
    """Run blocking work that may never return: it outlives its caller and ends with the process."""
    loop = running_loop()
    return await asyncio.wrap_future(_start(work, daemon=True), loop=loop)


def start_in_loop(work: Work[T]) -> Future[T]:
    """Start a coroutine as a task of the running loop, and return a future that any loop can wait for.

    The future raises LoopEnded if the task is cancelled.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    task = running_loop().create_task(work())
    future.task = task  # type: ignore[attr-defined]  # the strong reference that a task needs

    def ended(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            future.set_exception(LoopEnded())
        elif (error := task.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())

    task.add_done_callback(ended)
    return future


def _start(work: Callable[[], T], *, daemon: bool) -> Future[T]:
    future: Future[T] = Future()
    # From now on no caller can cancel it.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    start_thread(run, "aignostics uncancellable", daemon=daemon)
    return future
