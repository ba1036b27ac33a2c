"""Sources whose tokens outlive the process: what a login gave, or a refresh token that was given."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from attrs import evolve

from .._config import Settings
from .._errors import ConfigurationError, LoginRequired, TokenStoreError
from .._secret import Secret
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._provider import IdentityProvider, TokenKey, fingerprint
from ._renewal import margin
from ._sources import RenewedToken
from ._store import MemoryStore, TokenStore
from ._tokens import Token, TokenSet, as_secret

_log = logging.getLogger("aignostics_async.auth")


class StoredTokens:
    """The tokens of one key: what another process has renewed, else a refresh, saved before it is used."""

    def __init__(
        self, endpoint: TokenEndpoint, key: TokenKey, store: TokenStore, given: Secret | None = None
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._store = store
        self._given = given
        # What the store could not take. It is newer than what the store has, so it comes first.
        self._unsaved: TokenSet | None = None
        # Fingerprints of refresh tokens that are not sent again; all but one provider answer ends a family.
        self._refused: set[str] = set()
        self._refusal = LoginRequired(f"no login is kept for {endpoint.provider.described}; sign in first")

    async def obtain(self, held: Token | None) -> Token:
        """Return another token than `held`; raises LoginRequired where no refresh token is left for it."""
        async with self._store.lock(self._key):
            stored = await self._store.load(self._key)
            if stored is not None and self._unsaved is None and _is_news(stored.access, held):
                return stored.access
            for refresh, of in self._candidates(stored):
                tokens = await self._refresh(refresh)
                if tokens is not None:
                    await self._keep(tokens if of is None else evolve(tokens, signed_in_at=of.signed_in_at))
                    return tokens.access
        raise self._refusal

    def _candidates(self, stored: TokenSet | None) -> Iterator[tuple[Secret, TokenSet | None]]:
        for tokens in (self._unsaved, stored):
            if tokens is not None and tokens.refresh is not None:
                yield tokens.refresh, tokens
        if self._given is not None:
            yield self._given, None

    async def _refresh(self, refresh: Secret) -> TokenSet | None:
        if fingerprint(refresh) in self._refused:
            return None
        try:
            return await self._endpoint.refresh(refresh)
        except LoginRequired as refusal:
            self._refused.add(fingerprint(refresh))
            self._refusal = refusal.with_traceback(None)
        return None

    async def _keep(self, tokens: TokenSet) -> None:
        """Save tokens; where that fails they are kept in memory, for the request at hand must succeed."""
        try:
            await self._store.save(self._key, tokens)
        except TokenStoreError as error:
            if self._unsaved is None:
                _log.warning("the login goes on in this process only: %s", error)
            self._unsaved = tokens
        else:
            self._unsaved = None


def _is_news(stored: Token, held: Token | None) -> bool:
    return not stored.is_same(held) and stored.seconds_left > margin(stored)


class RefreshToken(RenewedToken):
    """Access tokens from a refresh token that was given, not from a login made here.

    Where the provider rotates refresh tokens, the given one is good for its first use only: give a `store`
    that outlives the process, and what has come in its place is found again by the given one's digest.
    Without, tokens are kept in memory.
    """

    def __init__(
        self,
        refresh_token: str,
        *,
        provider: IdentityProvider,
        store: TokenStore | None = None,
        settings: Settings | None = None,
    ) -> None:
        if not refresh_token:
            raise ConfigurationError("the refresh token is empty; give one, or sign in")
        given = as_secret(refresh_token)
        self._provider = provider
        self._key = evolve(provider.key, family=fingerprint(given))
        endpoint = TokenEndpoint(provider, settings or Settings())
        super().__init__(StoredTokens(endpoint, self._key, store or MemoryStore(), given).obtain)

    def __repr__(self) -> str:
        return f"RefreshToken(for {self._provider.described})"


class StoredLogin(RenewedToken):
    """Access tokens of the login that a store keeps, by `login_browser`, `login_device` or the command line.

    With several providers, such as one for each client id that a person may have used, the latest login of
    them counts. `store` is a FileStore where none is given. A login made meanwhile in another process is
    found.
    """

    def __init__(
        self, *providers: IdentityProvider, store: TokenStore | None = None, settings: Settings | None = None
    ) -> None:
        if not providers:
            raise ConfigurationError("give the identity provider whose login is kept")
        self._providers = providers
        self._store = store or FileStore()
        self._tokens = {
            each.key: StoredTokens(TokenEndpoint(each, settings or Settings()), each.key, self._store)
            for each in providers
        }
        super().__init__(self._obtain)

    def __repr__(self) -> str:
        return f"StoredLogin(for {self._providers[0].described}, in {self._store!r})"

    async def _obtain(self, held: Token | None) -> Token:
        provider, _ = await latest_login(self._providers, self._store)
        return await self._tokens[provider.key].obtain(held)


async def latest_login(
    providers: Sequence[IdentityProvider], store: TokenStore
) -> tuple[IdentityProvider, TokenSet | None]:
    """Return the provider whose login is the latest, and its tokens; the first one where none is kept."""
    kept = [(provider, await store.load(provider.key)) for provider in providers]
    return max(kept, key=lambda each: each[1].signed_in_at if each[1] else 0.0)
