"""The protocol that every source of tokens reduces to, and the sources that keep nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from .._config import Settings
from .._errors import ConfigurationError, LoginRequired
from .._secret import Secret
from ._endpoint import DEFAULT_LIFETIME, TokenEndpoint, read_claims
from ._provider import IdentityProvider
from ._renewal import Renewal
from ._tokens import Token


@runtime_checkable
class TokenSource(Protocol):
    """Anything that gives access tokens. One with an `aclose()` is told when a client that used it closes."""

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token.

        `rejected` is the token that the API has just answered with 401: a source that can get another one
        does so, one that can't returns the same again. Raises AuthenticationError.
        """
        ...


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
    """What the sources share that get their tokens over the network: one renewal at a time, ahead of need."""

    def __init__(self, obtain: Callable[[Token | None], Awaitable[Token]]) -> None:
        self._renewal = Renewal(obtain)

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token; costs no await while there is one. Raises AuthenticationError."""
        return await self._renewal.get_token(rejected)

    async def aclose(self) -> None:
        """Wait for a renewal that is under way, so that its result is not lost."""
        await self._renewal.aclose()


class CallableToken(RenewedToken):
    """Tokens from an async callable of yours: a vault, another service, a library of your identity provider.

    It gives a text, or `Token(text, lifetime=seconds)`. It is asked when there is no token, shortly before
    one ends, and when the API rejects one; a text lives as long as it says if it is a JWT, else five minutes.
    One call runs at a time, for all who wait; what it raises is raised to all of them.
    """

    def __init__(self, provide: Callable[[], Awaitable[str | Token]]) -> None:
        super().__init__(self._obtain)
        self._provide = provide

    async def _obtain(self, _held: Token | None) -> Token:
        given = await self._provide()
        if not given:
            raise LoginRequired("the token callable returned nothing; make it return an access token")
        if isinstance(given, Token):
            return given
        return Token(given, lifetime=read_claims(Secret(given)).lifetime or DEFAULT_LIFETIME)


class ClientCredentials(RenewedToken):
    """Tokens for a service itself, where the identity provider offers that grant to its client.

    They are kept in memory only. Raises ConfigurationError for a provider without a client secret.
    """

    def __init__(self, provider: IdentityProvider, *, settings: Settings | None = None) -> None:
        if provider.client_secret is None:
            raise ConfigurationError("client credentials are an id and a secret; give client_secret too")
        endpoint = TokenEndpoint(provider, settings or Settings())
        super().__init__(lambda _held: endpoint.client_credentials())
        self._provider = provider

    def __repr__(self) -> str:
        return f"ClientCredentials(for {self._provider.described})"
