"""Token sources that a store keeps between processes: of a login, or from a refresh token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

from attrs import evolve

from .._config import Settings
from .._core._arguments import awaited, check_kind
from .._core._logging import get_logger
from .._core._secret import Secret, conceals_arguments
from .._core._tasks import to_its_end
from .._core._token import Token, TokenSet, check_credential, stripped
from .._core._uncancellable import start_uncancellable
from ..errors import ConfigurationError, LoginRequired, TokenStoreError, UsageError
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._memory_sources import RefreshedToken
from ._provider import IdentityProvider, TokenKey, check_provider, fingerprint
from ._refresher import TokenRefresher, margin
from ._store import MemoryStore, TokenStore, load_tokens, locked

_log = get_logger("aignostics_async.auth")


class StoredTokens:
    """The tokens of one key, from the store or from a refresh, which is saved before it is used."""

    def __init__(
        self,
        endpoint: TokenEndpoint,
        key: TokenKey,
        store: TokenStore,
        *,
        given: Secret | None = None,
        remedy: str,
    ) -> None:
        self.key = key
        self._endpoint = endpoint
        self._store = store
        self._given = given
        self._remedy = remedy
        # Tokens that could not be saved. They are newer than those of the same login in the store.
        self._unsaved: TokenSet | None = None
        self._was_stored = False
        # Fingerprints of refresh tokens that were refused, and are not sent again.
        self._refused: set[str] = set()
        self._refusal = ""

    async def obtain(self, held: Token | None) -> Token:
        """Return another token than `held`; raises LoginRequired if no refresh token is left."""
        async with locked(self._store, self.key):
            known = -1
            while len(self._refused) > known:
                # Again after a refusal: where processes share no lock, another one may have used the refresh
                # token first, and saved its successor.
                known = len(self._refused)
                stored = await load_tokens(self._store, self.key)
                token = await self._token_of(stored, held)
                if token is not None:
                    return token
        raise LoginRequired(f"{self._refusal or self._nothing(stored)}; {self._remedy}")

    async def _token_of(self, stored: TokenSet | None, held: Token | None) -> Token | None:
        """Return the token of the store if it is another than `held`, else a new one; None if all refuse."""
        self._was_stored |= stored is not None
        unsaved = self._unsaved
        if unsaved is not None and stored is not None and stored.signed_in_at > unsaved.signed_in_at:
            self._unsaved = None  # somebody has signed in since
        if stored is not None and self._unsaved is None and _is_news(stored.access, held):
            return stored.access
        for refresh, of in self._candidates(stored):
            tokens = await self._refresh(refresh)
            if tokens is not None:
                tokens = tokens if of is None else evolve(tokens, signed_in_at=of.signed_in_at)
                await self._keep(tokens, stored)
                return tokens.access
        return None

    def _nothing(self, stored: TokenSet | None) -> str:
        whose = self._endpoint.provider.display_name
        if stored is None:
            return f"no login is kept for {whose}"
        return f"the login of {whose} has ended, and it gave no refresh token"

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
            self._refusal = str(refusal)
        return None

    async def _keep(self, tokens: TokenSet, before: TokenSet | None) -> None:
        """Save tokens, or keep them in memory if that fails: the current request must succeed.

        `before` are those that the store had.
        """
        is_news, self._unsaved = self._unsaved is None, tokens
        if self._was_stored and before is None:
            return  # somebody has signed out here: the store stays empty
        try:
            await to_its_end(self._save, tokens, before)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a store of the user's own raises
            if is_news:
                # Of an error that is not ours the text may have what was to be saved.
                told = error if isinstance(error, TokenStoreError) else type(error).__name__
                _log.warning("the login is kept in this process only: %s", told)
        else:
            self._unsaved, self._was_stored = None, True

    async def _save(self, tokens: TokenSet, before: TokenSet | None) -> None:
        """Save tokens, unless somebody has signed in meanwhile: that may have gone without the lock."""
        stored = await load_tokens(self._store, self.key)
        known = max(each.signed_in_at for each in (tokens, before) if each is not None)
        if stored is None or stored.signed_in_at <= known:
            await awaited(self._store.save(self.key, tokens), "`save` of a token store")


def _is_news(stored: Token, held: Token | None) -> bool:
    return not stored.is_same(held) and stored.seconds_left > margin(stored)


class RefreshToken(RefreshedToken):
    """Access tokens from a refresh token that you already have.

        source = RefreshToken("...", provider=IdentityProvider.preset("production", client_id="..."))

    The refresh token is a str or a `Secret`; surrounding whitespace is removed. `store` keeps the tokens;
    None, the default, is a `MemoryStore`. If the provider rotates refresh tokens, yours can be used only
    once: pass a `store` that outlives the process, so that the next process finds the latest successor.
    `settings` supply TLS and proxy for requests to the provider, by default those of `Settings()`. A refresh
    runs in a thread and costs one request, sent once more if its response is lost.

    Creating the source raises ConfigurationError for a `provider` that is no IdentityProvider, `settings` of
    another type, or a token that is empty, can't be encoded, or has a line break or control character inside;
    and UsageError for a `store` of another kind. Requests raise LoginRequired once the provider refuses the
    refresh token; LoginDenied if it refuses the client or the audience; TokenEndpointUnavailable if it can't
    be reached, fails, throttles or gives no usable token, if another process holds the lock of the login for
    30 s, or for an exception of a store of your own, its `__cause__`; TokenStoreError if the store can't be
    read; and ConfigurationError for a proxy or certificates that can't be used, or if the system gives no
    thread. If the store can't be written, the new tokens are kept in memory, with a warning in the log.
    """

    @conceals_arguments
    def __init__(
        self,
        refresh_token: str | Secret,
        *,
        provider: IdentityProvider,
        store: TokenStore | None = None,
        settings: Settings | None = None,
    ) -> None:
        check_provider(provider)
        given = stripped(refresh_token)
        if not given:
            raise ConfigurationError("the refresh token is empty; give one, or sign in")
        check_credential(given)
        kept = MemoryStore() if store is None else store
        check_kind(kept, TokenStore, "store")
        self._provider = provider
        self._tokens = StoredTokens(
            TokenEndpoint(provider, settings),
            evolve(provider.key, family=fingerprint(given)),
            kept,
            given=given,
            remedy="give a new refresh token in its place, or none and sign in with `aignostics-async login`",
        )
        super().__init__(TokenRefresher(self._tokens.obtain, start_uncancellable))

    def __repr__(self) -> str:
        return f"RefreshToken(for {self._provider.display_name})"


class StoredLogin(RefreshedToken):
    """Access tokens of a login that `login_browser`, `login_device` or the command line made.

        source = StoredLogin(IdentityProvider.preset("production", client_id="..."))

    With several providers, such as one per client id, the latest login that is still valid is used. `store`
    is a FileStore by default; `settings` supply TLS and proxy for requests to the provider, by default those
    of `Settings()`. A refresh costs one request, sent once more if its response is lost. If the store can't
    be written, the new tokens are kept in memory, with a warning in the log.

    Creating the source raises ConfigurationError without an IdentityProvider, for `settings` of another type,
    and without `store` if the user has no home folder; and UsageError for a `store` of another kind. Requests
    raise LoginRequired if there is no valid login, and else what those of `RefreshToken` raise.
    """

    def __init__(
        self, *providers: IdentityProvider, store: TokenStore | None = None, settings: Settings | None = None
    ) -> None:
        if not providers:
            raise ConfigurationError("give the identity provider whose login is kept")
        for provider in providers:
            check_provider(provider)
        self._providers = providers
        self._store = FileStore() if store is None else store
        check_kind(self._store, TokenStore, "store")
        self._tokens = {
            each.key: StoredTokens(
                TokenEndpoint(each, settings),
                each.key,
                self._store,
                remedy="sign in with `aignostics-async login`, or with login_browser or login_device",
            )
            for each in providers
        }
        super().__init__(TokenRefresher(self._obtain, start_uncancellable))

    def __repr__(self) -> str:
        return f"StoredLogin(for {self._providers[0].display_name}, in {self._store!r})"

    async def latest(self) -> tuple[IdentityProvider, TokenSet | None]:
        """Return the provider and the tokens of the latest login in the store.

            provider, tokens = await source.latest()

        Without any login, returns the first provider and None. Loads the tokens of each provider once and
        sends no request, so they may have expired. Raises what `load` of the store raises, such as
        TokenStoreError.
        """
        provider, tokens = (await logins(self._providers, self._store))[0]
        return provider, tokens

    async def _obtain(self, held: Token | None) -> Token:
        failure: LoginRequired | None = None
        for provider, _ in await logins(self._providers, self._store):
            try:
                return await self._tokens[provider.key].obtain(held)
            except LoginRequired as error:
                failure = failure or copy(error)
        raise failure or LoginRequired("no login is kept")


async def logins(
    providers: Sequence[IdentityProvider], store: TokenStore
) -> list[tuple[IdentityProvider, TokenSet | None]]:
    """Return the providers with their stored tokens, latest login first, those without tokens last."""
    kept = [(provider, await load_tokens(store, provider.key)) for provider in providers]
    return sorted(kept, key=lambda each: each[1].signed_in_at if each[1] else 0.0, reverse=True)
