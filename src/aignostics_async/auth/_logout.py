"""Signing out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .._config import Settings
from .._core._arguments import awaited, check_kind
from .._core._logging import get_logger
from .._core._uncancellable import run_uncancellable
from ..errors import AignosticsError, TokenEndpointUnavailable
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._provider import check_provider
from ._store import TokenStore, load_tokens, locked

if TYPE_CHECKING:
    from .._core._token import TokenSet
    from ._provider import IdentityProvider

T = TypeVar("T")

_NOT_REVOKED = (
    "signed out on this machine, but a refresh token was not revoked; until it expires or the provider ends "
    "it, whoever has a copy can use it:"
)

_log = get_logger("aignostics_async.auth")


async def logout(
    *providers: IdentityProvider, store: TokenStore | None = None, settings: Settings | None = None
) -> int:
    """Sign out: delete the logins of these providers, and revoke their refresh tokens.

        await logout(IdentityProvider.preset("production", client_id="..."))

    Returns the number of logins that were deleted; 0 if there were none. `store` is a FileStore by default;
    `settings` supply TLS and proxy, by default those of `Settings()`. Costs one request per login with a
    refresh token whose provider has a `revoke_url`; without one the refresh token stays valid, which is
    logged as a warning. Access tokens stay valid until they expire. Entries that can't be read as a login may
    be kept. A login that was deleted when the call was cancelled may not be revoked.

    If a provider does not confirm the revocation, the other logins are deleted nevertheless, and at the end
    TokenEndpointUnavailable says which refresh tokens stay valid. Raises TokenStoreError, or what a store of
    your own raises, if it can't be used, or TokenEndpointUnavailable if another process holds the lock of a
    login for 30 s; then that login and those after it are kept. Raises ConfigurationError, before anything is
    deleted, for what is no IdentityProvider or no Settings, or a user without home folder if no `store` is
    passed; and later for a proxy or certificates that can't be used, when one login is deleted and not
    revoked, or if the system gives no thread. Raises UsageError if no asyncio event loop is running, or for a
    `store` of another kind.
    """
    for provider in providers:
        check_provider(provider)
    endpoints = [TokenEndpoint(provider, settings) for provider in providers]
    kept = FileStore() if store is None else store
    check_kind(kept, TokenStore, "store")
    forgotten = 0
    unrevoked: list[str] = []
    try:
        for endpoint in endpoints:
            forgotten += await _sign_out(endpoint, kept, unrevoked)
    except AignosticsError:
        if unrevoked:  # those who catch the error of a later login have to know of them, too
            _log.warning("%s %s", _NOT_REVOKED, ", ".join(unrevoked))
        raise
    if unrevoked:
        raise TokenEndpointUnavailable(f"{_NOT_REVOKED} {', '.join(unrevoked)}")
    return forgotten


async def _sign_out(endpoint: TokenEndpoint, store: TokenStore, unrevoked: list[str]) -> bool:
    """Delete a login and revoke its refresh token, and return whether there was one.

    A token whose revocation is not confirmed is added to `unrevoked`.
    """
    provider = endpoint.provider
    tokens = await run_uncancellable(partial(_forget, provider, store))
    if tokens is None or tokens.refresh is None:
        return tokens is not None
    if provider.revoke_url is None:
        _log.warning("%s that of %s, for which no revoke URL is set", _NOT_REVOKED, provider.display_name)
        return True
    try:
        await endpoint.revoke(tokens.refresh)
    except TokenEndpointUnavailable as error:
        reason = str(error).removesuffix("; try again later")
        unrevoked.append(f"that of {provider.display_name} ({reason})")
    return True


async def _forget(provider: IdentityProvider, store: TokenStore) -> TokenSet | None:
    async with locked(store, provider.key):
        tokens = await load_tokens(store, provider.key)
        if tokens is not None:
            await awaited(store.delete(provider.key), "`delete` of a token store")
    return tokens
