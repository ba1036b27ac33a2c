"""The protocol that every source of tokens reduces to, and the sources that need no network."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from attrs import Attribute, field, frozen

from .._errors import ConfigurationError, LoginRequired


def _sendable(_instance: Token, _attribute: Attribute[str], text: str) -> None:
    # Said here, because the transport would say it with the token in its error.
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(
            "an access token is one word of ASCII characters; is a line break or a quote left in it?"
        )


@frozen(eq=False)
class Token:
    """An access token. Its text never shows in a repr; compare tokens by identity."""

    text: str = field(repr=False, validator=_sendable)
    expires_at: float | None = None
    """In seconds of `time.monotonic()`, so that a stepping wall clock can't revive it; None if unknown."""

    def is_fresh(self, margin: float) -> bool:
        """Whether more than `margin` seconds are left."""
        return self.expires_at is None or time.monotonic() + margin < self.expires_at


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

    async def get_token(self, *, rejected: Token | None = None) -> Token:  # noqa: ARG002
        """Return the token, always the same."""
        return self._token


class CallableToken:
    """Tokens from an async callable of yours, asked again before each request.

    Caching is the callable's: it knows how long its tokens live.
    """

    def __init__(self, provide: Callable[[], Awaitable[str]]) -> None:
        self._provide = provide
        self._token: Token | None = None

    async def get_token(self, *, rejected: Token | None = None) -> Token:  # noqa: ARG002
        """Return what the callable gives; raises LoginRequired where it gives nothing."""
        text = await self._provide()
        if not text:
            raise LoginRequired("the token callable returned nothing; make it return an access token")
        if self._token is None or text != self._token.text:
            self._token = Token(text)
        return self._token
