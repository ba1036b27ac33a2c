"""The items of many runs, each as soon as it has succeeded and its files are there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import anyio
from attrs import frozen

from .._core._tasks import plain_task_group
from ..errors import UsageError
from ..models import ItemResult, ItemStatus
from ._artifact import DownloadRequest, download_artifact
from ._outcomes import FileOutcome
from ._run_download import artifact_paths

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup
    from anyio.streams.memory import MemoryObjectReceiveStream

    from ..transfer._engine import Engine
    from ..transfer._progress import Progress
    from ..watch import Change, Watcher
    from ._checksum_cache import ChecksumCache
    from ._listing import RunReader

_OUTSIDE = (
    "use it inside of its block: `async with client.download_as_completed(...) as items:`, and in it "
    "`async for done in items:`"
)


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
        run: Callable[[str], RunReader],
        *,
        engine: Engine,
        checksums: ChecksumCache,
        progress: Progress | None,
    ) -> None:
        self._watcher = watcher
        self._folder = folder
        self._run = run
        self._engine = engine
        self._checksums = checksums
        self._progress = progress
        self._items: dict[str, dict[str, ItemResult]] = {}  # of runs that are not over
        self._take: MemoryObjectReceiveStream[CompletedItem] | None = None
        self._failure: Exception | None = None
        self._places = anyio.Semaphore(engine.settings.limits.transfers)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._take is not None:
            raise UsageError("this was begun before; call download_as_completed once more")
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
        if self._take is None:
            raise UsageError(_OUTSIDE)
        try:
            return await self._take.receive()
        except anyio.ClosedResourceError:
            raise UsageError(_OUTSIDE) from None
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            raise StopAsyncIteration from None

    async def _follow(self) -> None:
        """Start what succeeds, and end when all that was started is there."""
        news: list[Change] = []
        with self._put:
            async with plain_task_group() as group:
                try:
                    async for change in self._watcher:
                        news.append(change)
                        # What was seen at once is taken at once, so that all items of a run are known
                        # before one of them is given a folder.
                        if not self._watcher.is_ready:
                            await self._take_in(news, group)
                            news = []
                except Exception as error:  # noqa: BLE001 - raised where the items are taken
                    self._failure = error
                await self._take_in(news, group)

    async def _take_in(self, news: Sequence[Change], group: TaskGroup) -> None:
        """Bring what has succeeded, as there is a place for it, and forget the runs that are over."""
        done: list[tuple[Change, ItemResult]] = []
        for change in news:
            if change.item is not None:
                self._items.setdefault(change.run_id, {})[change.item.item_id] = change.item
                if change.new == ItemStatus.SUCCEEDED:
                    done.append((change, change.item))
        wanted = self._wanted({(change.run_id, item.item_id) for change, item in done})
        for change, item in done:
            await self._places.acquire()
            group.start_soon(self._bring, change, item, wanted[change.run_id, item.item_id])
        for change in news:
            if change.item is None and change.new.is_final:
                self._items.pop(change.run_id, None)

    def _wanted(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[DownloadRequest]]:
        """Return the files of items, which are given by the ids of run and item."""
        wanted: dict[tuple[str, str], list[DownloadRequest]] = {key: [] for key in keys}
        for run_id in {run_id for run_id, _ in keys}:
            root = self._folder / run_id
            for item, artifact, path in artifact_paths(self._items[run_id].values(), root):
                if (run_id, item.item_id) in wanted:
                    wanted[run_id, item.item_id].append(DownloadRequest(item, artifact, path, root))
        return wanted

    async def _bring(self, change: Change, item: ItemResult, wanted: Sequence[DownloadRequest]) -> None:
        try:
            files = [await self._bring_one(change.run_id, each) for each in wanted]
            await self._put.send(CompletedItem(change, item, tuple(files)))
        finally:
            self._places.release()

    async def _bring_one(self, run_id: str, wanted: DownloadRequest) -> FileOutcome:
        return await download_artifact(
            self._run(run_id),
            wanted,
            engine=self._engine,
            checksums=self._checksums,
            progress=self._progress,
        )
