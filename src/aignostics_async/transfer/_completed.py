"""The items of many runs, each as soon as it has succeeded and its files are there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import anyio
from attrs import frozen

from .._tasks import plain_task_group
from ..models import ItemResult, ItemStatus
from ._artifact import Wanted, bring_artifact
from ._outcomes import FileOutcome
from ._results import artifact_paths

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from ..resources._run import Run
    from ..watch import Change, Watcher
    from ._engine import Engine
    from ._progress import Progress
    from ._verified import Verified


@frozen
class CompletedItem:
    """An item that has succeeded, and what became of each of its files."""

    change: Change
    item: ItemResult
    files: tuple[FileOutcome, ...]


class CompletedItems(AsyncIterator[CompletedItem]):
    """What `client.download_as_completed` gives: use it in `async with`, and iterate it inside.

    Files are under way between two items, so it has an end: leaving the block stops them, and what was not
    finished is taken up where it was the next time. Items wait for who takes them, and then no more are
    started.
    """

    def __init__(
        self,
        watcher: Watcher,
        folder: Path,
        run: Callable[[str], Run],
        *,
        engine: Engine,
        verified: Verified,
        progress: Progress | None,
    ) -> None:
        self._watcher = watcher
        self._folder = folder
        self._run = run
        self._engine = engine
        self._verified = verified
        self._progress = progress
        self._items: dict[str, dict[str, ItemResult]] = {}
        self._failure: Exception | None = None
        self._places = anyio.Semaphore(engine.settings.limits.transfers)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._put, self._take = anyio.create_memory_object_stream[CompletedItem](0)
        async with AsyncExitStack() as stack:
            stack.enter_context(self._take)
            group = await stack.enter_async_context(plain_task_group())
            stack.callback(group.cancel_scope.cancel)
            group.start_soon(self._follow)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CompletedItem:
        try:
            return await self._take.receive()
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            raise StopAsyncIteration from None

    async def _follow(self) -> None:
        """Start what succeeds, and end when all that was started is there."""
        done: list[Change] = []
        with self._put:
            async with plain_task_group() as group:
                try:
                    async for change in self._watcher:
                        self._note(change, done)
                        # What was seen at once is taken at once, so that all items of a run are known
                        # before one of them is given a folder.
                        if not self._watcher.is_ready:
                            await self._start(done, group)
                except Exception as error:  # noqa: BLE001 - raised where the items are taken
                    self._failure = error
                await self._start(done, group)

    async def _start(self, done: list[Change], group: TaskGroup) -> None:
        """Bring the items, as there is a place for them."""
        while done:
            await self._places.acquire()
            group.start_soon(self._bring, done.pop(0))

    def _note(self, change: Change, done: list[Change]) -> None:
        if change.item is None:
            return
        self._items.setdefault(change.run_id, {})[change.item.item_id] = change.item
        if change.new == ItemStatus.SUCCEEDED:
            done.append(change)

    async def _bring(self, change: Change) -> None:
        item = change.item
        assert item is not None  # noqa: S101 - only changes of items are noted
        try:
            root = self._folder / change.run_id
            wanted = [
                Wanted(item, artifact, path, root)
                for each, artifact, path in artifact_paths(self._items[change.run_id].values(), root)
                if each.item_id == item.item_id
            ]
            files = [await self._bring_one(change.run_id, each) for each in wanted]
            await self._put.send(CompletedItem(change, item, tuple(files)))
        finally:
            self._places.release()

    async def _bring_one(self, run_id: str, wanted: Wanted) -> FileOutcome:
        return await bring_artifact(
            self._run(run_id),
            wanted,
            engine=self._engine,
            verified=self._verified,
            progress=self._progress,
        )
