"""What every way of signing in shares, and signing out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from .._config import Settings
from .._errors import AuthenticationError, LoginTimeout
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._stored import StoredLogin

if TYPE_CHECKING:
    from ._provider import IdentityProvider
    from ._store import TokenStore
    from ._tokens import TokenSet

_log = logging.getLogger("aignostics_async.auth")


async def within(limit: float, sign_in: Callable[[], Awaitable[TokenSet]]) -> TokenSet:
    """Return what a login gives; raises LoginTimeout after so many seconds."""
    try:
        with anyio.fail_after(limit):
            return await sign_in()
    except TimeoutError:
        pass
    raise LoginTimeout(f"nobody signed in within {limit:.0f} s; start the login again")


async def keep(
    tokens: TokenSet, provider: IdentityProvider, store: TokenStore, settings: Settings | None
) -> StoredLogin:
    """Keep what a login gave, and return the source of it; raises TokenStoreError."""
    if tokens.refresh is None:
        _log.warning("the login gave no refresh token, so it ends with its access token; is the scope right?")
    async with store.lock(provider.key):
        await store.save(provider.key, tokens)
    return StoredLogin(provider, store=store, settings=settings)


async def logout(
    *providers: IdentityProvider, store: TokenStore | None = None, settings: Settings | None = None
) -> int:
    """Forget the logins of these providers, giving each refresh token back, and return how many there were.

    They are forgotten here even where a provider can't be reached; then its AuthenticationError is raised at
    the end. Access tokens that were given out stay good until they end.
    """
    store = store or FileStore()
    forgotten = 0
    failure: AuthenticationError | None = None
    for provider in providers:
        async with store.lock(provider.key):
            tokens = await store.load(provider.key)
            await store.delete(provider.key)
        if tokens is None:
            continue
        forgotten += 1
        try:
            if tokens.refresh is not None:
                await TokenEndpoint(provider, settings or Settings()).revoke(tokens.refresh)
        except AuthenticationError as error:
            failure = error
    if failure is not None:
        raise failure
    return forgotten
