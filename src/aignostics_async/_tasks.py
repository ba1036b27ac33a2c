"""Several things at once, and one plain error instead of a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import anyio

T = TypeVar("T")


async def run_all(jobs: Sequence[Callable[[], Awaitable[T]]], *, limit: int) -> list[T]:
    """Return the results of all jobs, in their order, with at most `limit` of them at work.

    The first one that fails cancels the others, and its error is raised as it is.
    """
    results: list[T | None] = [None] * len(jobs)
    failure: Exception | None = None
    limiter = anyio.CapacityLimiter(limit)

    async def run(index: int) -> None:
        nonlocal failure
        async with limiter:
            try:
                results[index] = await jobs[index]()
            except Exception as error:  # noqa: BLE001 - it is raised below, whatever it is
                failure = failure or error
                group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for index in range(len(jobs)):
            group.start_soon(run, index)
    if failure is not None:
        raise failure
    return cast("list[T]", results)
