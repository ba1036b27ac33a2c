"""Access tokens, what a login gives with them, and the protocol of whatever gives them."""

from __future__ import annotations

import time
from datetime import timedelta
from math import inf
from typing import Protocol, runtime_checkable

from attrs import Attribute, field, frozen

from ..errors import ConfigurationError
from ._arguments import seconds
from ._secret import Secret

_LONGEST = 366 * 24 * 3600.0  # seconds; what claims to live longer is asked for again once a year


def as_secret(text: str | Secret) -> Secret:
    """Return a text as a secret; a secret as it is. Raises ConfigurationError for what can't be sent."""
    secret = text if isinstance(text, Secret) else Secret(text)
    if not is_text(secret.reveal()):
        raise ConfigurationError(
            "a token or client secret is no text; is it in another encoding, or a variable cut?"
        )
    return secret


def is_text(text: object) -> bool:
    """Whether this is a text that can be sent; bytes of another encoding come as half characters."""
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_sendable(secret: Secret) -> bool:
    """Whether a text can stand in an HTTP header as a token."""
    text = secret.reveal()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _sendable(_instance: object, _attribute: Attribute[Secret], secret: Secret) -> None:
    # Said here, because the transport would say it with the token in its error.
    if not is_sendable(secret):
        raise ConfigurationError(
            "an access token is one word of ASCII characters; is a line break or a quote left in it?"
        )


def _lifetime(value: float | timedelta | None) -> float | None:
    return None if value is None else min(max(seconds(value), 0.0), _LONGEST)


@frozen(eq=False)
class Token:
    """An access token, and for how long it is good from when it was issued.

        Token("text", lifetime=3600)

    Its text never shows and is never pickled. Compare tokens by identity, or with `is_same`.
    """

    _text: Secret = field(converter=as_secret, validator=_sendable)
    lifetime: float | None = field(default=None, converter=_lifetime, kw_only=True)
    """In seconds, or as a timedelta; None if unknown."""
    issued_at: float = field(kw_only=True)
    """In seconds of the wall clock; now, where it is not given."""
    _made_at: float = field(init=False)
    _age: float = field(init=False)  # when it was made, in seconds

    @issued_at.default
    def _now(self) -> float:
        return time.time()

    @_made_at.default
    def _monotonic_now(self) -> float:
        return time.monotonic()

    @_age.default
    def _age_when_made(self) -> float:
        # A wall clock that was set back since makes no token younger than new.
        return max(0.0, time.time() - self.issued_at)

    @property
    def text(self) -> str:
        """The token itself."""
        return self._text.reveal()

    @property
    def seconds_left(self) -> float:
        """How long it is good for, by the clock that gives it less; infinite if unknown.

        The monotonic clock can't be set, and may stand still while the machine sleeps; the wall clock runs on
        then, and can be set.
        """
        if self.lifetime is None:
            return inf
        age = max(self._age + time.monotonic() - self._made_at, time.time() - self.issued_at)
        return self.lifetime - age

    def is_same(self, other: Token | None) -> bool:
        """Whether both have the same text."""
        return other is not None and self._text == other._text  # noqa: SLF001 - one of its own kind


@frozen(eq=False, kw_only=True)
class TokenSet:
    """What a login gave, as a store keeps it. Shows no token."""

    access: Token
    refresh: Secret | None = field(default=None)
    """Trades for the next access token; None where the provider gave none."""
    signed_in_at: float = field(factory=time.time)
    """When the login was made that this comes from, in seconds of the wall clock."""


@runtime_checkable
class TokenSource(Protocol):
    """Anything that gives access tokens. One with an `aclose()` is told when a client that used it closes."""

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token.

        `rejected` is the token that the API has just answered with 401: a source that can get another one
        does so, one that can't returns the same again. Raises AuthenticationError.
        """
        ...
