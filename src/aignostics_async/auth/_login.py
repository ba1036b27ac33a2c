"""What every way of signing in shares, and signing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from .._config import Settings
from .._core._logging import get_logger
from .._core._uncancellable import run_uncancellable
from ..errors import AuthenticationError, LoginTimeout, TokenEndpointUnavailable
from ._endpoint import TokenEndpoint
from ._file_store import FileStore

if TYPE_CHECKING:
    from .._core._token import TokenSet
    from ._provider import IdentityProvider
    from ._store import TokenStore

T = TypeVar("T")

_log = get_logger("aignostics_async.auth")


async def within(limit: float, sign_in: Callable[[], Awaitable[T]]) -> T:
    """Return what a login gives; raises LoginTimeout after so many seconds."""
    with anyio.move_on_after(limit):
        return await sign_in()
    raise LoginTimeout(
        f"nobody signed in within {limit:.0f} s; start the login again, and if a page showed an error, look "
        "whether the client id is right"
    )


async def keep(tokens: TokenSet, provider: IdentityProvider, store: TokenStore) -> None:
    """Keep what a login gave; raises TokenStoreError."""
    if tokens.refresh is None:
        _log.warning("the login gave no refresh token, so it ends with its access token; is the scope right?")
    async with AsyncExitStack() as stack:
        # A login is newer than whatever is renewed meanwhile: it does not have to wait for ever.
        with suppress(TokenEndpointUnavailable):
            await stack.enter_async_context(store.lock(provider.key))
        await store.save(provider.key, tokens)


async def logout(
    *providers: IdentityProvider, store: TokenStore | None = None, settings: Settings | None = None
) -> int:
    """Forget the logins of these providers, giving each refresh token back, and return how many there were.

    They are forgotten here even where a provider can't be reached; then its AuthenticationError is raised at
    the end. What is kept there and can't be used is left. Access tokens that were given out stay good until
    they end.
    """
    kept = store or FileStore()
    forgotten = 0
    failure: AuthenticationError | None = None
    for provider in providers:
        tokens = await run_uncancellable(partial(_forget, provider, kept))
        forgotten += tokens is not None
        try:
            if tokens is not None and tokens.refresh is not None:
                await TokenEndpoint(provider, settings or Settings()).revoke(tokens.refresh)
        except AuthenticationError as error:
            failure = error
    if failure is not None:
        raise failure
    return forgotten


async def _forget(provider: IdentityProvider, store: TokenStore) -> TokenSet | None:
    async with store.lock(provider.key):
        tokens = await store.load(provider.key)
        if tokens is not None:
            await store.delete(provider.key)
    return tokens
