"""Work that no cancellation reaches.

A refresh token is good for one use, so between its use and the saving of what came for it nothing may cut in.
A task can't be kept from that: whoever ends its event loop cancels it, and a shield holds off no native
cancellation. A thread with a loop of its own can; the interpreter waits for it at its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from ..errors import TokenEndpointUnavailable

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]


def start_apart(work: Work[T]) -> Future[T]:
    """Start a coroutine in a thread and an event loop of its own, and return its future."""
    return _start(lambda: asyncio.run(work()), daemon=False)


async def apart(work: Work[T]) -> T:
    """Run a coroutine in a thread and an event loop of its own; it goes on when its caller is cancelled."""
    return await asyncio.wrap_future(start_apart(work))


async def in_a_daemon(work: Callable[[], T]) -> T:
    """Run blocking work that may hang for ever: it outlives its caller, and ends with the process."""
    return await asyncio.wrap_future(_start(work, daemon=True))


def start_here(work: Work[T]) -> Future[T]:
    """Start a coroutine as a task of the running loop, and return a future that any loop can wait for."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    task = asyncio.get_running_loop().create_task(work())
    future.task = task  # type: ignore[attr-defined]  # the strong reference that a task needs

    def ended(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            future.set_exception(
                TokenEndpointUnavailable("the loop that asked for a token has ended; try again")
            )
        elif (error := task.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())

    task.add_done_callback(ended)
    return future


def _start(work: Callable[[], T], *, daemon: bool) -> Future[T]:
    future: Future[T] = Future()
    # From now on it can't be cancelled, by whoever waits for it least of all.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised to who waits
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=run, name="aignostics apart", daemon=daemon).start()
    return future
