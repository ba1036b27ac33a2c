"""What an open client holds: the bridge to the API and the engine for files, in one event loop."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

import anyio
from attrs import evolve

from ._core._lifetime import Lifetime
from ._core._secret import Secret
from .auth._endpoint import read_claims
from .errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from ._config import Settings
    from .auth import TokenSource
    from .auth._endpoint import Claims
    from .contracts._requests import Bridge
    from .downloads._checksum_cache import ChecksumCache
    from .transfer._engine import Engine
    from .watch._poller import Poller


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
    def poller(self) -> Poller:
        """The one that asks for all watchers."""
        self._lifetime.check()
        return self._poller

    @property
    def engine(self) -> Engine:
        """What moves files to and from storages."""
        self._lifetime.check()
        return self._engine

    @property
    def checksums(self) -> ChecksumCache:
        """What is known of files that were brought home."""
        self._lifetime.check()
        return self._checksums

    async def claims(self) -> Claims:
        """Return what the current access token says of itself: nothing, unless it is a JWT."""
        self._lifetime.check()
        return read_claims(Secret((await self._source.get_token()).text))

    async def __aenter__(self) -> Self:
        self._lifetime.begin()
        # Here, because httpx and the generated client are most of the import time, and a program that
        # only looks at models or builds its settings needs neither.
        from ._http._pool import ApiPool, ssl_context
        from .contracts._requests import Bridge
        from .downloads._checksum_cache import ChecksumCache
        from .transfer._engine import Engine
        from .watch._poller import Poller

        context = ssl_context(self.settings)
        async with AsyncExitStack() as stack:
            api = ApiPool(self.api_root, self._source, self.settings, self._lifetime)
            self._bridge = Bridge(api.open(stack, context))
            self._engine = Engine(self.settings, self._lifetime).open(stack, context)
            self._checksums = ChecksumCache()
            self._poller = Poller(
                self._bridge.under(_impatient(self.settings)), self.settings, self._lifetime
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lifetime.end()
        self._poller.close()
        try:
            await self._stack.aclose()
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()


class SharedSession(Session):
    """The inside of another client, under other settings: what that one holds, as long as it is open."""

    def __init__(self, shared: Session, settings: Settings) -> None:
        self.settings = settings
        self.api_root = shared.api_root
        self._shared = shared

    @property
    def bridge(self) -> Bridge:
        """The operations of the contract."""
        return self._shared.bridge.under(self.settings)

    @property
    def poller(self) -> Poller:
        """The one that asks for all watchers, of all that share it."""
        return self._shared.poller

    @property
    def engine(self) -> Engine:
        """What moves files to and from storages, under the settings of the client that owns it."""
        return self._shared.engine

    @property
    def checksums(self) -> ChecksumCache:
        """What is known of files that were brought home."""
        return self._shared.checksums

    async def claims(self) -> Claims:
        """Return what the current access token says of itself: nothing, unless it is a JWT."""
        return await self._shared.claims()

    async def __aenter__(self) -> Self:
        raise UsageError("this client shares the connections of the one it was made from; enter that one")


def _impatient(settings: Settings) -> Settings:
    """Return the settings for requests of watching, which knows better than a request when to try again."""
    retries = settings.retries
    once_more = evolve(retries, attempts=min(2, retries.attempts), max_retry_after=retries.initial_wait)
    return evolve(settings, retries=once_more)
