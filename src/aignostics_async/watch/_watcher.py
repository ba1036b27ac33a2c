"""The async iterator of changes that users hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

from .._core._misuse import explains_misuse
from ..errors import UsageError
from ._transitions import Change

if TYPE_CHECKING:
    from ._shared_poller import Poller
    from ._watcher_state import Subscription


@explains_misuse("a watcher is iterated with `async for change in watcher:`, or `await anext(watcher)`")
class Watcher(AsyncIterator[Change]):
    """An async iterator over the changes of runs, created by `Run.watch`, `Client.watch` and
    `Client.watch_all`.

        watcher = run.watch()
        async for change in watcher:
            print(change.reference, change.new)

    Requests are started only while a task waits for a `Change`. All watchers of the client share them,
    outside the context of any caller: context variables are unset in hooks and log records.

    A cancelled or timed-out wait loses no change and no progress. At most one request per client may stay in
    flight after it, until it ends by itself, the last watcher of the client is closed, or the client is. The
    next wait continues with it. Closing a watcher is therefore optional.

    Iterating raises the errors that the method which created it names. Only one task at a time can wait for
    the next change; for a second one UsageError is raised. Create a watcher for each task.
    """

    def __init__(self, poller: Poller, subscription: Subscription) -> None:
        self._shared_poller = poller
        self._subscription = subscription

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while (change := self._subscription.pull()) is None:
            await self._wait()
        if change.item is None and change.new.is_final:
            self._shared_poller.remove_run(self._subscription, change.run_id)
        return change

    @property
    def is_ready(self) -> bool:
        """Whether the next change, an error, or the end of the iteration is available without waiting.

        Sends no request.
        """
        return self._subscription.is_ready

    async def aclose(self) -> None:
        """Stop watching; the iteration ends, also in a task that waits for a change.

            await watcher.aclose()

        Changes that were not yielded yet are dropped. Cancels the request in flight if this is the last open
        watcher of the client. Closing twice does nothing.
        """
        self._subscription.close()
        await self._shared_poller.remove(self._subscription)

    async def _wait(self) -> None:
        if self._subscription.is_waiting:
            raise UsageError(
                "another task waits for this watcher's next change; make a watcher for each task"
            )
        self._subscription.is_waiting = True
        try:
            await self._shared_poller.wait_until_ready(self._subscription)
        finally:
            self._subscription.is_waiting = False
