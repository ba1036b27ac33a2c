"""Concurrent work that raises one plain error instead of an exception group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar, TypeVarTuple, cast

import anyio
from anyio.abc import TaskGroup

from ..errors import AignosticsError

S = TypeVar("S")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class PlainTaskGroup:
    """A task group, as `plain_task_group` opens it."""

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self.cancel_scope = group.cancel_scope

    def start_soon(self, work: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> None:
        """Start a task."""
        self._group.start_soon(to_its_end, work, *args)


async def to_its_end(work: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Call `work`, which fails if it was not cancelled, but something of the user's that it waited for was.

    A group would take such a task for one that has done its work, and its caller would be cancelled.
    """
    try:
        return await work(*args)
    except asyncio.CancelledError:
        if is_cancelled():
            raise
    raise AignosticsError(
        "something that was waited for was cancelled, and nothing else was: a request of a store or a token "
        "source of your own, perhaps; try again"
    )


@asynccontextmanager
async def plain_task_group() -> AsyncIterator[PlainTaskGroup]:
    """Open a task group whose first failure cancels the other tasks and is raised itself, not in a group."""
    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as group:
            yield PlainTaskGroup(group)
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
