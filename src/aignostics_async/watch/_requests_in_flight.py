"""The requests that are under way, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


class RequestsInFlight:
    """The tasks of shared requests, oldest first. They outlive the caller that starts them.

    Each runs in an empty context: a request serves all callers, so it must not carry the trace or the log
    fields of the one that happens to start it. `on_done` is called whenever one ends.
    """

    def __init__(self, on_done: Callable[[], None]) -> None:
        self._on_done = on_done
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._failure: BaseException | None = None
        self._keeps_newest = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, request: Coroutine[Any, Any, None]) -> None:
        """Start a request; the coroutine handles its response, and all errors that are expected."""
        Context().run(self._start, request)

    def raise_failure(self) -> None:
        """Raise the first unexpected error since the last call, such as one of a user's hook."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def cancel_all_but_one(self) -> None:
        """Cancel every request but the oldest one and, the next time, but the newest one.

        It alternates because a leader starts requests in the same order each time: if always the first one
        was kept, the others would starve.
        """
        tasks = list(self._tasks)
        if len(tasks) > 1:
            del tasks[-1 if self._keeps_newest else 0]
            self._keeps_newest = not self._keeps_newest
            for task in tasks:
                task.cancel()

    async def cancel(self) -> None:
        """Cancel every request, and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, request: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(request)
        self._tasks[task] = None
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = self._failure or failure
        self._on_done()
