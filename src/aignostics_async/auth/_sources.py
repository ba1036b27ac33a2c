"""The protocol that every source of tokens reduces to, and the sources that keep nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import anyio

from .._config import Settings
from .._core._secret import Secret
from .._core._token import Token
from .._core._uncancellable import start_apart, start_here
from ..errors import ConfigurationError, LoginRequired, TokenEndpointUnavailable
from ._endpoint import DEFAULT_LIFETIME, TokenEndpoint, read_claims
from ._provider import IdentityProvider
from ._refresher import Renewal

_LONGEST_CALL = 60.0  # seconds


class StaticToken:
    """A token that somebody else renews, if at all."""

    def __init__(self, text: str) -> None:
        self._token = Token(text.strip())

    def __repr__(self) -> str:
        return "StaticToken(...)"

    async def get_token(self, *, rejected: Token | None = None) -> Token:  # noqa: ARG002
        """Return the token, always the same."""
        return self._token


class RenewedToken:
    """What the sources share whose tokens are renewed."""

    def __init__(self, renewal: Renewal) -> None:
        self._renewal = renewal

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token; costs no await while there is one. Raises AuthenticationError."""
        return await self._renewal.get_token(rejected)

    async def aclose(self) -> None:
        """Wait for a renewal that is under way; cut short, it goes on, and the interpreter waits for it."""
        await self._renewal.wait()


class CallableToken(RenewedToken):
    """Tokens from an async callable of yours: a vault, another service, a library of your identity provider.

    It gives a text, or `Token(text, lifetime=seconds)`. It is asked when there is no token, shortly before
    one ends, and when the API rejects one; a text lives as long as it says if it is a JWT, else five minutes.
    One call runs at a time, in the loop of whoever needs it first and 60 s at most, for all who wait. An
    error of its own becomes the cause of TokenEndpointUnavailable, and for a while it is not asked again.
    """

    def __init__(self, provide: Callable[[], Awaitable[str | Token]]) -> None:
        if not callable(provide):
            raise ConfigurationError(
                f"a token callable is an async function without arguments, not {provide!r}"
            )
        super().__init__(Renewal(self._obtain, start_here))
        self._provide = provide

    async def aclose(self) -> None:
        """Give up a call that is under way."""
        self._renewal.cancel()

    async def _obtain(self, _held: Token | None) -> Token:
        calling = self._provide()
        if not isawaitable(calling):
            raise ConfigurationError("the token callable is not async; make it `async def`")
        with anyio.move_on_after(_LONGEST_CALL):
            return _as_token(await calling)
        raise TokenEndpointUnavailable(f"the token callable gave nothing within {_LONGEST_CALL:.0f} s")


def _as_token(given: object) -> Token:
    if isinstance(given, Token):
        return given
    if not given:
        raise LoginRequired("the token callable returned nothing; make it return an access token")
    if not isinstance(given, str):
        raise ConfigurationError(
            f"the token callable gave a {type(given).__name__}; make it a text or a Token"
        )
    claims = read_claims(Secret(given))
    if claims.lifetime is None:
        return Token(given, lifetime=DEFAULT_LIFETIME)
    # It may be one from a cache: its age counts, unless its clock is ahead of ours.
    now = time.time()
    return Token(given, lifetime=claims.lifetime, issued_at=min(now, claims.issued_at or now))


class ClientCredentials(RenewedToken):
    """Tokens for a service itself, where the identity provider offers that grant to its client.

    They are kept in memory only. Raises ConfigurationError for a provider without a client secret.
    """

    def __init__(self, provider: IdentityProvider, *, settings: Settings | None = None) -> None:
        if provider.client_secret is None:
            raise ConfigurationError("client credentials are an id and a secret; give client_secret too")
        endpoint = TokenEndpoint(provider, settings or Settings())
        super().__init__(Renewal(lambda _held: endpoint.client_credentials(), start_apart))
        self._provider = provider

    def __repr__(self) -> str:
        return f"ClientCredentials(for {self._provider.described})"
