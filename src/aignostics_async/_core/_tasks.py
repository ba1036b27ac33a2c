"""Concurrent work that raises one plain error instead of an exception group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import anyio
from anyio.abc import TaskGroup

S = TypeVar("S")
T = TypeVar("T")


@asynccontextmanager
async def plain_task_group() -> AsyncIterator[TaskGroup]:
    """Open a task group whose first failure cancels the other tasks and is raised itself, not in a group."""
    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as several:
        failure = several
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
    if failure is not None:
        raise failure


def is_cancelled() -> bool:
    """Return whether the current task itself is cancelled, and not only something that it has waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def run_all(jobs: Sequence[Callable[[], Awaitable[T]]], *, limit: int) -> list[T]:
    """Return the results of all jobs, in order, running at most `limit` of them at once.

    The first failure cancels the others and is raised itself.
    """
    results: list[T | None] = [None] * len(jobs)
    limiter = anyio.CapacityLimiter(limit)

    async def run(index: int) -> None:
        async with limiter:
            results[index] = await jobs[index]()

    async with plain_task_group() as group:
        for index in range(len(jobs)):
            group.start_soon(run, index)
    return cast("list[T]", results)


async def for_each(items: Iterable[S], work: Callable[[S], Awaitable[None]], *, limit: int) -> None:
    """Call `work` for each item, at most `limit` at once; takes the next item when one is done.

    The first failure cancels the others and is raised itself.
    """
    remaining = iter(items)

    async def follow() -> None:
        for item in remaining:
            await work(item)

    async with plain_task_group() as group:
        for _ in range(limit):
            group.start_soon(follow)
