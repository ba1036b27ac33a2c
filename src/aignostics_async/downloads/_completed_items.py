"""The items of many runs, each as soon as it has succeeded and its files are there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import anyio
from attrs import evolve, frozen

from .._core._lifetime import running_loop
from .._core._misuse import explains_misuse
from .._core._tasks import plain_task_group
from ..errors import UsageError
from ..models import ItemResult, ItemStatus
from ..transfer.progress._events import CallbackRaised, ProgressGuard
from ._artifact import DownloadRequest, download_artifact
from ._outcomes import FileOutcome
from ._run_download import artifact_paths

if TYPE_CHECKING:
    from types import TracebackType

    from .._core._tasks import PlainTaskGroup
    from ..transfer._engine import Engine
    from ..transfer.progress._events import Progress
    from ..watch import Change, Watcher
    from ._checksum_cache import ChecksumCache
    from ._listing import RunReader

_OUTSIDE = (
    "use it inside of its block: `async with client.download_as_completed(...) as items:`, and in it "
    "`async for done in items:`"
)


@frozen
class CompletedItem:
    """An item that has succeeded, with the outcome of each of its files.

        watcher = client.watch_all(cursor=path.read_text() if path.exists() else None)
        async with client.download_as_completed(watcher, "results/") as items:
            async for done in items:
                print(done.item.reference, [file.status for file in done.files])
                path.write_text(done.change.cursor)

    `change` is the `Change` that reported the item, `item` its `ItemResult`, and `files` a tuple with a
    `FileOutcome` for each output artifact, in their order; empty if it has none.

    After a restart, a watcher that starts from the last stored cursor leads to the items that were not
    yielded yet, and to some others again. Their files that have the promised bytes are not downloaded again.
    """

    change: Change
    """The change that reported the item; its cursor is a position before every item not yielded yet."""
    item: ItemResult
    """The item with its output artifacts, as the change has it."""
    files: tuple[FileOutcome, ...]
    """The outcome of each file, failed ones included, in the order of the item's output artifacts."""


@explains_misuse(_OUTSIDE)
class CompletedItems(AsyncIterator[CompletedItem]):
    """An async iterator over completed items, created by `Client.download_as_completed`.

        async with client.download_as_completed(runs, "results/") as items:
            async for done in items:
                print(done.item.reference, [file.path for file in done.files])

    Each is a `CompletedItem`, in the order in which the downloads end. At most `Limits.transfers` (16) items
    are downloaded ahead of those that are consumed. A cancelled or timed-out wait for the next item loses
    nothing. Leaving the block stops the downloads; a later call starts them again, and resumes large files
    where it can. The items of runs that have not ended are kept in memory.

    Iterating raises, at the end, what `Client.watch` or the watcher that was passed raises. An exception of
    the progress callback stops the downloads and is raised by the next step of the iteration, or at the end
    of the block. Iterating outside the block, or entering it twice, raises UsageError.
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
        self._progress = ProgressGuard(progress)
        self._items: dict[str, dict[str, ItemResult]] = {}  # of runs that are not over
        self._under_way: dict[str, Change] = {}  # by id, the oldest first
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._changed = asyncio.Event()
        # Each with the event that its download waits for. No stream: whoever is cancelled just as an item is
        # handed to him would lose it.
        self._ready: deque[tuple[CompletedItem, asyncio.Event]] = deque()
        self._failure: BaseException | None = None
        self._must_raise = False
        self._places = anyio.Semaphore(engine.settings.limits.transfers)
        self._is_complete = False

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise UsageError("this was entered before; call download_as_completed again")
        # A task of its own: a task group would have to be left by the task that entered it, which an async
        # generator, a fixture or a timeout around `anext` does not promise.
        self._task = running_loop().create_task(self._follow())
        self._task.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])
        finally:
            self._is_closed = True
            self._changed.set()
        if self._must_raise and exc is None and self._failure is not None:
            raise self._failure

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CompletedItem:
        while not self._ready:
            if self._task is None or self._is_closed:
                raise UsageError(_OUTSIDE)
            if self._task.done():
                return self._end()
            self._changed.clear()
            await self._changed.wait()
        item, taken = self._ready.popleft()
        taken.set()
        return item

    def _end(self) -> NoReturn:
        """Raise what ends the iteration."""
        if self._failure is not None:
            self._must_raise = False
            raise self._failure
        if not self._is_complete:
            raise UsageError(_OUTSIDE)
        raise StopAsyncIteration

    async def _follow(self) -> None:
        try:
            await self._download_all()
            self._is_complete = True
        except CallbackRaised as carried:
            self._failure = carried.error if carried.guard is self._progress else carried
            self._must_raise = True
        except Exception as error:  # noqa: BLE001 - raised where the items are taken
            self._failure, self._must_raise = error, True

    async def _download_all(self) -> None:
        """Start items as they succeed, and end when all of them are there."""
        changes: list[Change] = []
        async with plain_task_group() as group:
            try:
                async for change in self._watcher:
                    changes.append(change)
                    # Changes of one poll are handled together, so that all items of a run are known before
                    # one of them gets a folder.
                    if not self._watcher.is_ready:
                        await self._start(changes, group)
                        changes = []
            except Exception as error:  # noqa: BLE001 - raised where the items are taken
                self._failure = error
            await self._start(changes, group)

    async def _start(self, changes: Sequence[Change], group: PlainTaskGroup) -> None:
        """Start what has succeeded, as there is a place for it, and forget the runs that are over."""
        done: list[tuple[Change, ItemResult]] = []
        for change in changes:
            if change.item is not None:
                self._items.setdefault(change.run_id, {})[change.item.item_id] = change.item
                if change.new == ItemStatus.SUCCEEDED:
                    done.append((change, change.item))
        requests = self._requests({(change.run_id, item.item_id) for change, item in done})
        self._under_way.update((change.id, change) for change, _ in done)
        for change, item in done:
            await self._places.acquire()
            group.start_soon(self._download, change, item, requests[change.run_id, item.item_id])
        for change in changes:
            if change.item is None and change.new.is_final:
                self._items.pop(change.run_id, None)

    def _requests(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[DownloadRequest]]:
        """Return a request for each file of the items with these run and item ids."""
        requests: dict[tuple[str, str], list[DownloadRequest]] = {key: [] for key in keys}
        for run_id in {run_id for run_id, _ in keys}:
            root = self._folder / run_id
            for item, artifact, path in artifact_paths(self._items[run_id].values(), root):
                if (run_id, item.item_id) in requests:
                    requests[run_id, item.item_id].append(DownloadRequest(item, artifact, path, root))
        return requests

    async def _download(self, change: Change, item: ItemResult, requests: Sequence[DownloadRequest]) -> None:
        try:
            files = [
                await download_artifact(
                    self._run(change.run_id),
                    request,
                    engine=self._engine,
                    checksums=self._checksums,
                    progress=self._progress,
                )
                for request in requests
            ]
            # Files of an earlier item may still be under way: whoever continues from here needs it, too.
            oldest = next(iter(self._under_way.values()))
            since = evolve(change, cursor=lambda: oldest.cursor)
            await self._hand_over(CompletedItem(since, item, tuple(files)))
        finally:
            self._under_way.pop(change.id, None)
            self._places.release()

    async def _hand_over(self, item: CompletedItem) -> None:
        """Wait until an item is taken."""
        entry = (item, asyncio.Event())
        self._ready.append(entry)
        self._changed.set()
        try:
            await entry[1].wait()
        finally:
            if not entry[1].is_set():
                self._ready.remove(entry)
