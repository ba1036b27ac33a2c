"""What an open client holds: the bridge to the API and the engine for files, in one event loop."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

import anyio

from ._lifetime import Lifetime

if TYPE_CHECKING:
    from types import TracebackType

    from ._bridge import Bridge
    from ._config import Settings
    from .auth import TokenSource
    from .transfer._engine import Engine
    from .transfer._verified import Verified


class Session:
    """The inside of a client. Every access to what it holds checks that it is open, in this loop."""

    def __init__(self, api_root: str, source: TokenSource, settings: Settings) -> None:
        self.settings = settings
        self.api_root = api_root
        self._source = source
        self._lifetime = Lifetime()
        self._stack = AsyncExitStack()

    @property
    def bridge(self) -> Bridge:
        """The operations of the contract."""
        self._lifetime.check()
        return self._bridge

    @property
    def engine(self) -> Engine:
        """What moves files to and from storages."""
        self._lifetime.check()
        return self._engine

    @property
    def verified(self) -> Verified:
        """What is known of files that were brought home."""
        self._lifetime.check()
        return self._verified

    async def __aenter__(self) -> Self:
        self._lifetime.begin()
        # Here, because httpx and the generated client are most of the import time, and a program that
        # only looks at models or builds its settings needs neither.
        from ._bridge import Bridge
        from ._http import ApiPool, ssl_context
        from .transfer._engine import Engine
        from .transfer._verified import Verified

        context = ssl_context(self.settings)
        async with AsyncExitStack() as stack:
            api = ApiPool(self.api_root, self._source, self.settings, self._lifetime)
            self._bridge = Bridge(api.open(stack, context))
            self._engine = Engine(self.settings, self._lifetime).open(stack, context)
            self._verified = Verified()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lifetime.end()
        await self._stack.aclose()
        close = getattr(self._source, "aclose", None)
        if close is not None:
            with anyio.CancelScope(shield=True):
                await close()
