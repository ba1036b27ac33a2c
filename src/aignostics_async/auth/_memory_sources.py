"""Token sources that keep nothing on disk."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import anyio

from .._config import Settings
from .._core._secret import Secret, conceals_arguments
from .._core._token import Token, stripped
from .._core._uncancellable import start_in_loop, start_uncancellable
from ..errors import ConfigurationError, LoginRequired, TokenEndpointUnavailable
from ._endpoint import DEFAULT_LIFETIME, TokenEndpoint, read_claims
from ._provider import IdentityProvider, check_provider
from ._refresher import TokenRefresher

_MAX_CALL_SECONDS = 60.0


class StaticToken:
    """A token source of a single token that is never refreshed.

        client = Client("https://platform.aignostics.com", StaticToken(os.environ["TOKEN"]))

    Passing the text to `Client` does the same. The argument is a str or a `Secret`; surrounding whitespace is
    removed. Once the API refuses the token, requests raise Unauthorized. Creating the source raises
    ConfigurationError for what can't be sent in a header: empty, not printable ASCII, or with a space or
    quote inside.
    """

    @conceals_arguments
    def __init__(self, text: str | Secret) -> None:
        self._token = Token(stripped(text))

    def __repr__(self) -> str:
        return "StaticToken(...)"

    async def get_token(self, *, rejected: Token | None = None) -> Token:  # noqa: ARG002
        """Return the token at once; `rejected`, None by default, is ignored."""
        return self._token


class RefreshedToken:
    """A token source that refreshes its token before the token expires.

    The base class of `CallableToken`, `ClientCredentials`, `RefreshToken` and `StoredLogin`; create one of
    these. Clients in several threads and event loops can share a source.
    """

    def __init__(self, refresher: TokenRefresher) -> None:
        self._refresher = refresher

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token, without suspending while there is one.

            token = await source.get_token()

        `rejected` is a token that the API has answered with 401; None by default. It is replaced by a new
        one, unless it replaced a rejected one itself within the last 60 s: then it is returned again.

        All callers share one refresh. It starts in the background, with the first call in about the last 300
        s, or the last fifth of a lifetime below 25 minutes. If it fails, callers still get the old token, and
        the error is logged but not raised, until 30 s, or a twentieth of a lifetime below 10 minutes, are
        left. From then on, without a token, and for a rejected one, callers wait for a refresh and get its
        error: an AuthenticationError or ConfigurationError, as the class of the source documents, or another
        AignosticsError of a function or store of your own. A caller that is cancelled does not end the
        refresh. Raises UsageError if a refresh is needed and no asyncio event loop is running.

        After a failure no refresh is attempted for about 1 s, doubling with each failure to 30 s, or for as
        long as the provider's `Retry-After` asks, up to 120 s; after a LoginRequired for 1 s. During that
        time callers without a usable token get the same error at once.
        """
        return await self._refresher.get_token(rejected)

    async def aclose(self) -> None:
        """Wait for the refresh in flight, if there is one; a client does so when it closes.

        If this wait is cancelled, the refresh continues, and the interpreter waits for it before it exits. A
        failed refresh is not raised here. The source can be used again afterwards.
        """
        await self._refresher.wait()


class CallableToken(RefreshedToken):
    """Tokens from your own async function, for a vault, another service, or your provider's library.

        async def provide() -> str:
            return await vault.read("aignostics-token")

        client = Client(api_root, CallableToken(provide))

    The function returns a str or a `Token(text, lifetime=seconds)`. The lifetime of a str is that of its
    claims if it is a JWT with `exp`, and 300 s otherwise. The function is called when there is no token,
    shortly before one expires, and after the API rejected one; one call at a time serves all callers and
    clients that share this source, in the event loop of the first of them, for 60 s at most.

    Creating the source raises ConfigurationError if `provide` is not callable. A request without a usable
    token raises an AignosticsError of the function as it is; TokenEndpointUnavailable if the function takes
    longer, is cancelled, or raises another exception, which is then the `__cause__`; LoginRequired for an
    empty result; and ConfigurationError if the function is not async, or its result has another type or can't
    be sent in a header. `get_token` says when the function is called again after a failure, and which
    failures are only logged.
    """

    def __init__(self, provide: Callable[[], Awaitable[str | Token]]) -> None:
        if not callable(provide):
            raise ConfigurationError(
                f"a token callable is an async function without arguments, not {provide!r}"
            )
        super().__init__(TokenRefresher(self._obtain, start_in_loop))
        self._provide = provide

    async def aclose(self) -> None:
        """Cancel the call in flight, unless a request waits for it; a client does so when it closes.

        Does not wait for the function to end. The source can be used again afterwards.
        """
        self._refresher.cancel()

    async def _obtain(self, _held: Token | None) -> Token:
        calling = self._provide()
        if not isawaitable(calling):
            raise ConfigurationError("the token callable is not async; make it `async def`")
        with anyio.move_on_after(_MAX_CALL_SECONDS):
            return _as_token(await calling)
        raise TokenEndpointUnavailable(f"the token callable gave nothing within {_MAX_CALL_SECONDS:.0f} s")


def _as_token(given: object) -> Token:
    if isinstance(given, Token):
        return given
    if not given:
        raise LoginRequired("the token callable returned nothing; make it return an access token")
    if not isinstance(given, str):
        raise ConfigurationError(
            f"the token callable returned a {type(given).__name__}; make it a str or a Token"
        )
    claims = read_claims(Secret(given))
    if claims.lifetime is None:
        return Token(given, lifetime=DEFAULT_LIFETIME)
    # It may come from a cache, so its age counts, unless the issuer's clock is ahead of this one.
    now = time.time()
    return Token(given, lifetime=claims.lifetime, issued_at=min(now, claims.issued_at or now))


class ClientCredentials(RefreshedToken):
    """Tokens for a service that acts for itself, by the client credentials grant (RFC 6749, section 4.4).

        secret = os.environ["CLIENT_SECRET"]
        provider = IdentityProvider.preset("production", client_id="...", client_secret=secret)
        client = Client("https://platform.aignostics.com", ClientCredentials(provider))

    `settings` supply TLS and proxy for requests to the provider; None, the default, for those of
    `Settings()`. Tokens are kept in memory only; each costs one request to the provider, sent once more if
    its response is lost.

    Creating the source raises ConfigurationError for what is no IdentityProvider, one without
    `client_secret`, or `settings` of another type. Requests raise LoginDenied if the provider refuses the
    client or the audience, LoginRequired if it refuses the grant, TokenEndpointUnavailable if it can't be
    reached, fails, throttles or gives no usable token, and ConfigurationError for a proxy or certificates
    that can't be used, or if the system gives no thread.
    """

    def __init__(self, provider: IdentityProvider, *, settings: Settings | None = None) -> None:
        check_provider(provider)
        if provider.client_secret is None:
            raise ConfigurationError("client credentials are an id and a secret; give client_secret too")
        endpoint = TokenEndpoint(provider, settings)
        super().__init__(TokenRefresher(lambda _held: endpoint.client_credentials(), start_uncancellable))
        self._provider = provider

    def __repr__(self) -> str:
        return f"ClientCredentials(for {self._provider.display_name})"
