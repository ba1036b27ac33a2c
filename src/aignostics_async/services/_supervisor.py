"""Background work that has to go on for as long as a service runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from .._core._arguments import check_function
from .._core._backoff import Backoff
from .._core._clock import SYSTEM_CLOCK
from .._core._logging import get_logger
from .._core._tasks import is_cancelled, plain_task_group
from ..errors import AignosticsError
from ._public_message import public_message

_MAX_RETRY_AFTER = 600.0  # seconds; a service that waits longer on one answer's word seems dead
_log = get_logger("aignostics_async")

SupervisedTask = Callable[[Callable[[], None]], Awaitable[object]]


class Supervisor:
    """A supervisor that keeps the background work of a service running, and reports trouble.

        async def show_changes(succeeded):
            async for change in client.watch_all(cursor=feed.cursor):
                succeeded()
                ...

        supervisor = Supervisor(on_trouble=lambda trouble: feed.publish("platform", trouble=trouble))
        await supervisor.run(show_changes, show_results)

    Each task is an async function of one argument, a function that it calls whenever it is up to date. A task
    that ends, or raises a transient error, is called again after a wait that doubles with each failure in a
    row, from `initial_wait` (1) to `max_wait` (60) seconds; `Retry-After` lengthens it, up to ten minutes.
    `on_trouble` is a plain function, called in the event loop with the value of `trouble` when that changes;
    and with an empty text when all tasks are up to date for the first time, since an earlier process may have
    reported trouble. What it raises ends `run`. Creating a supervisor raises UsageError for an
    `on_trouble` that is no plain function.
    """

    def __init__(
        self,
        *,
        on_trouble: Callable[[str], object] = lambda _trouble: None,
        initial_wait: float = 1.0,
        max_wait: float = 60.0,
    ) -> None:
        check_function(on_trouble, "on_trouble")
        self._on_trouble = on_trouble
        self._backoff = Backoff(initial_wait, max_wait)
        self._clock = SYSTEM_CLOCK
        self._told: str | None = None
        self._troubles: dict[int, str | None] = {}  # by task; None until it has succeeded or failed

    @property
    def trouble(self) -> str:
        """Why background tasks have failed, as one text for users; empty if none has.

        A task that has failed is no longer in trouble once it calls the function that it was given.
        """
        return "; ".join(dict.fromkeys(filter(None, self._troubles.values())))

    @property
    def is_ready(self) -> bool:
        """Whether each task has been up to date since the start, and none is in trouble.

        False before `run` is called. Suited for a readiness probe.
        """
        return bool(self._troubles) and all(trouble == "" for trouble in self._troubles.values())

    async def run(self, *tasks: SupervisedTask) -> None:
        """Run all tasks until cancelled, or until one of them raises an error that is not transient.

            await supervisor.run(show_changes, show_results)

        Raises the first error that is not transient, or not of this package, after it has cancelled the other
        tasks; `trouble` then still has its text. End the process after it, so that it can be restarted.
        """
        self._troubles = dict.fromkeys(range(len(tasks)))
        async with plain_task_group() as group:
            for number, task in enumerate(tasks):
                group.start_soon(self._keep_going, number, task)

    @asynccontextmanager
    async def in_background(
        self, *tasks: SupervisedTask, on_failure: Callable[[Exception], object]
    ) -> AsyncIterator[None]:
        """Run all tasks in the background while the block runs, and cancel them at its end.

            async with supervisor.in_background(show_changes, on_failure=server.fail):
                yield  # of a lifespan

        `on_failure`, a plain function, is called in the event loop with an error that `run` raises, which is
        also logged, as is what `on_failure` raises; the block continues. Raises UsageError for
        an `on_failure` that is no plain function.
        """
        check_function(on_failure, "on_failure")

        async def run() -> None:
            try:
                await self.run(*tasks)
            except Exception as error:  # noqa: BLE001 - whoever started it decides
                _log.error("background work can't go on", exc_info=error)
                _tell_failure(on_failure, error)

        running = asyncio.create_task(run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _keep_going(self, number: int, task: SupervisedTask) -> None:
        failures = 0

        def succeeded() -> None:
            nonlocal failures
            failures = 0
            self._tell(number, "")

        while True:
            retry_after = 0.0
            try:
                await _until_it_ends(task, succeeded)
            except Exception as error:
                self._tell(number, public_message(error))
                if not (isinstance(error, AignosticsError) and error.is_transient):
                    raise
                retry_after = min(getattr(error, "retry_after", None) or 0.0, _MAX_RETRY_AFTER)
                _log.warning("background work failed and is tried again: %s", error)
            failures += 1
            await self._clock.sleep(self._backoff.wait(failures, random.random(), retry_after=retry_after))

    def _tell(self, number: int, trouble: str) -> None:
        self._troubles[number] = trouble
        if self.trouble != self._told and (self.trouble or self.is_ready):
            self._told = self.trouble
            self._on_trouble(self._told)


async def _until_it_ends(task: SupervisedTask, succeeded: Callable[[], None]) -> None:
    """Call a task; raises RuntimeError for one that ends as if it were cancelled: nobody would notice."""
    try:
        await task(succeeded)
    except asyncio.CancelledError:
        if is_cancelled():
            raise
    else:
        return
    raise RuntimeError("the task has waited for something that was cancelled")


def _tell_failure(on_failure: Callable[[Exception], object], error: Exception) -> None:
    try:
        on_failure(error)
    except Exception:  # noqa: BLE001 - nobody waits for the task
        _log.exception("on_failure has failed")
