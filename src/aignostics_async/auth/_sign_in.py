"""What both ways of signing in share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, TypeVar

import anyio

from .._core._arguments import awaited, check_kind
from .._core._logging import get_logger
from ..errors import LoginTimeout, TokenEndpointUnavailable
from ._store import TokenStore, lock_of, locked

if TYPE_CHECKING:
    from .._core._token import TokenSet
    from ._provider import IdentityProvider, TokenKey

T = TypeVar("T")

_log = get_logger("aignostics_async.auth")


async def within(limit: float, sign_in: Callable[[], Awaitable[T]]) -> T:
    """Return what `sign_in` returns; raises LoginTimeout after `limit` seconds."""
    with anyio.move_on_after(limit):
        return await sign_in()
    raise LoginTimeout(
        f"nobody signed in within {limit:.0f} s; start the login again, and if a page showed an error, "
        "check the client id"
    )


async def check_store(store: TokenStore, key: TokenKey) -> None:
    """Raise an error for a store that can't keep the tokens of a login, before a person signs in."""
    check_kind(store, TokenStore, "store")
    await awaited(store.check(), "`check` of a token store")
    lock_of(store, key)


async def keep(tokens: TokenSet, provider: IdentityProvider, store: TokenStore) -> None:
    """Save the tokens of a login; raises TokenStoreError."""
    if tokens.refresh is None:
        _log.warning("the login gave no refresh token, so it ends with its access token; is the scope right?")
    async with AsyncExitStack() as stack:
        # A login is newer than any refresh in flight, so it is saved even if the lock is not free in time.
        with suppress(TokenEndpointUnavailable):
            await stack.enter_async_context(locked(store, provider.key))
        await awaited(store.save(provider.key, tokens), "`save` of a token store")
