"""What an open client holds: connections, in one event loop, and the settings that a view uses them under."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
from attrs import evolve, frozen

from ._core._json import NoJson, decode_json, encode_json
from ._core._lifetime import Lifetime
from ._core._secret import Secret
from ._core._token import read_token
from .auth._endpoint import read_claims
from .errors import InvalidResponse

if TYPE_CHECKING:
    from ._account_models import OrganizationBucket
    from ._config import Settings
    from ._core._token import TokenSource
    from .auth._endpoint import Claims
    from .contracts._protocol import Bridge
    from .downloads._checksum_cache import ChecksumCache
    from .transfer._engine import Engine
    from .watch._shared_poller import Poller


@frozen
class _Opened:
    """What is made when a client is entered."""

    bridge: Bridge
    engine: Engine
    checksums: ChecksumCache
    poller: Poller


class Connections:
    """What a client opens when it is entered, in the event loop that runs then, and closes at its end."""

    def __init__(self, api_root: str, source: TokenSource, settings: Settings, contract: str) -> None:
        self.api_root = api_root
        self.contract = contract
        self.source = source
        self.settings = settings
        self._lifetime = Lifetime()
        self._stack = AsyncExitStack()

    @property
    def opened(self) -> _Opened:
        """What is open; raises UsageError outside the client's block or its event loop."""
        self._lifetime.check()
        return self._opened

    async def open(self) -> None:
        """Open everything; raises UsageError the second time, and ConfigurationError for TLS and proxy."""
        self._lifetime.begin()
        # Here, because httpx and the generated client are most of the import time, and a program that
        # only looks at models or builds its settings needs neither.
        from ._http._api_pool import ApiConnections, ApiPool
        from ._http._client import ssl_context
        from .contracts._lines import open_bridge
        from .downloads._checksum_cache import ChecksumCache
        from .transfer._engine import Engine
        from .watch._shared_poller import Poller

        settings, lifetime = self.settings, self._lifetime
        context = ssl_context(settings)
        async with AsyncExitStack() as stack:
            connections = ApiConnections(self.api_root, settings, context, lifetime)
            stack.push_async_callback(connections.aclose)
            api = ApiPool(self.api_root, self.source, settings, connections, lifetime)
            bridge = open_bridge(self.contract, api)
            engine = Engine(settings, lifetime).open(stack, context)
            poller = Poller(bridge.under(_for_watching(settings)), settings, lifetime)
            stack.push_async_callback(poller.aclose)
            self._opened = _Opened(bridge, engine, ChecksumCache(), poller)
            self._stack = stack.pop_all()

    async def aclose(self) -> None:
        """Close everything; what still uses it gets a UsageError."""
        self._lifetime.end()
        try:
            await self._stack.aclose()
        finally:
            close = getattr(self.source, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()


class Session:
    """A view of a client's connections under settings of its own."""

    def __init__(self, connections: Connections, settings: Settings) -> None:
        self.connections = connections
        self.settings = settings
        self.api_root = connections.api_root

    @property
    def bridge(self) -> Bridge:
        """The operations of the contract."""
        bridge = self.connections.opened.bridge
        return bridge if self.settings is self.connections.settings else bridge.under(self.settings)

    @property
    def poller(self) -> Poller:
        """The one poller, shared by all watchers, under the settings of the client that was entered."""
        return self.connections.opened.poller

    @property
    def engine(self) -> Engine:
        """What moves files, under the settings of the client that was entered."""
        return self.connections.opened.engine

    @property
    def checksums(self) -> ChecksumCache:
        """The checksums of downloaded files that were verified."""
        return self.connections.opened.checksums

    async def organization_bucket(self) -> OrganizationBucket:
        """Return the organization's bucket and its key, which is a secret; for stores."""
        return await self.bridge.get_bucket()

    async def post_json(self, operation: str, url: str, value: object) -> Any:
        """Send JSON to a URL of the API's own origin and return the JSON answer; for stores."""
        response = await self.bridge.api.send(operation, method="POST", url=url, body=encode_json(value))
        try:
            return decode_json(response.content)
        except NoJson as error:
            reason = str(error)
        raise InvalidResponse(reason, operation=operation, status=response.status_code, excerpt="")

    async def claims(self) -> Claims:
        """Return what the current access token says of itself: nothing, unless it is a JWT."""
        _ = self.connections.opened
        return read_claims(Secret((await read_token(self.connections.source)).text))


def _for_watching(settings: Settings) -> Settings:
    """Return the settings for requests of watching, which decides itself when to try again."""
    retries = settings.retries
    once_more = evolve(retries, attempts=min(2, retries.attempts), max_retry_after=retries.initial_wait)
    return evolve(settings, retries=once_more)
