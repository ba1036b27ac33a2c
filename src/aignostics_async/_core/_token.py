"""Access tokens, the token set of a login, and the protocol of token sources."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from inspect import isawaitable
from math import inf, isnan
from typing import Any, Protocol, runtime_checkable

from attrs import Attribute, field, frozen
from attrs.validators import optional

from ..errors import ConfigurationError
from ._clock import seconds
from ._secret import Secret, conceals_fields

_UNSENDABLE = frozenset(" \"'`")
_MAX_LIFETIME = 366 * 24 * 3600.0  # seconds; a token that claims a longer life is refreshed once a year


def as_secret(text: str | Secret) -> Secret:
    """Return a text as a Secret, and a Secret unchanged."""
    return text if isinstance(text, Secret) else Secret(text)


def stripped(text: str | Secret) -> Secret:
    """Return a text as a Secret without the whitespace around it, such as the line break of a file."""
    secret = as_secret(text)
    # What is no text stays as it is, for the check that says so.
    return Secret(secret.reveal().strip()) if isinstance(secret.reveal(), str) else secret


def check_secret(secret: Secret) -> Secret:
    """Return a secret; raises ConfigurationError for one that can't be encoded."""
    if not is_text(secret.reveal()):
        raise ConfigurationError(
            "a token or client secret is no text that can be encoded; was its variable cut?"
        )
    return secret


def check_credential(secret: Secret) -> Secret:
    """Return a refresh token or client secret; raises ConfigurationError unless it is a text on one line."""
    if not check_secret(secret).reveal().isprintable():
        raise ConfigurationError("a token or client secret has a line break or control character in it")
    return secret


def is_text(text: object) -> bool:
    """Whether this is a str that can be encoded; bytes of another encoding appear as lone surrogates."""
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_sendable(secret: Secret) -> bool:
    """Whether a text can be a bearer token in an HTTP header."""
    text = secret.reveal()
    return bool(text) and text.isascii() and text.isprintable() and not _UNSENDABLE & set(text)


def _sendable(_instance: object, _attribute: Attribute[Secret], secret: Secret) -> None:
    check_secret(secret)
    # Checked here, because the error of the transport would show the token.
    if not secret.reveal():
        raise ConfigurationError("the access token is empty; is the variable set that it comes from?")
    if not is_sendable(secret):
        raise ConfigurationError(
            "an access token is one word of ASCII characters, without `Bearer` before it; is a line break or "
            "a quote left in it?"
        )


def _lifetime(value: float | timedelta | None) -> float | None:
    return None if value is None else min(max(_number("lifetime", seconds(value)), 0.0), _MAX_LIFETIME)


def _issued_at(value: float) -> float:
    return _number("issued_at", value)


def _number(name: str, value: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or isnan(value := seconds(value)):
        raise ConfigurationError(f"{name} of a token is a number of seconds, not {value!r}")
    return value


@conceals_fields
@frozen(eq=False)
class Token:
    """An access token and its lifetime.

        token = Token("text", lifetime=3600)
        token.seconds_left  # 3600.0, or a little less

    The first argument is the text, as a str or a `Secret`. `lifetime` is in seconds or a timedelta, counted
    from `issued_at`; a negative one counts as 0, and one of more than 366 days as 366 days. With None, the
    default, it is unknown, and the token is used until the API rejects it. `issued_at` is in seconds since
    the epoch, now by default.

    The text appears in no repr and can't be pickled. Tokens compare by identity; `is_same` compares texts.
    Raises ConfigurationError for a text that can't be sent in a header (empty, not printable ASCII, or with a
    space or quote), a `lifetime` that is no duration, or an `issued_at` that is no number.
    """

    _text: Secret = field(converter=as_secret, validator=_sendable)
    lifetime: float | None = field(default=None, converter=_lifetime, kw_only=True)
    """The lifetime in seconds, counted from `issued_at`; None, the default, if unknown."""
    issued_at: float = field(
        factory=lambda: time.time(),  # noqa: PLW0108 - tests set the clock
        converter=_issued_at,
        kw_only=True,
    )
    """When the token was issued, in seconds since the epoch; now by default."""
    _made_at: float = field(init=False)
    _age: float = field(init=False)  # when it was made, in seconds

    @_made_at.default
    def _monotonic_now(self) -> float:
        return time.monotonic()

    @_age.default
    def _age_when_made(self) -> float:
        # The wall clock may have been set back: no age is negative.
        return max(0.0, time.time() - self.issued_at)

    @property
    def text(self) -> str:
        """The text of the token, a secret: keep it out of logs and errors."""
        return self._text.reveal()

    @property
    def seconds_left(self) -> float:
        """The rest of the lifetime in seconds: negative after its end, infinite if the lifetime is unknown.

        The monotonic clock and the wall clock both measure it, and the lower result counts.
        """
        if self.lifetime is None:
            return inf
        age = max(self._age + time.monotonic() - self._made_at, time.time() - self.issued_at)
        return self.lifetime - age

    def is_same(self, other: Token | None) -> bool:
        """Return whether another token has the same text; False for None.

        The texts are compared in constant time.
        """
        return other is not None and self._text == other._text  # noqa: SLF001 - one of its own kind


def _takes(kind: type) -> Callable[[object, Attribute[Any], object], None]:
    def check(_tokens: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kind):
            given = type(value).__name__  # the value may be a token
            raise ConfigurationError(f"{attribute.name} takes {kind.__name__}(...), not {given}")

    return check


@conceals_fields
@frozen(eq=False, kw_only=True)
class TokenSet:
    """The tokens of a login, as a token store keeps them.

        TokenSet(access=Token("text", lifetime=3600), refresh=Secret("text"))

    `access` is the access token. `refresh` is the refresh token; None, the default, if the provider issued
    none. `signed_in_at` is when the person signed in, in seconds since the epoch, now by default; a refresh
    of stored tokens keeps it. The repr shows no token. Token sets compare by identity. Raises
    ConfigurationError for an `access` that is no Token, and a `refresh` that is no Secret.
    """

    access: Token = field(validator=_takes(Token))
    """The access token."""
    refresh: Secret | None = field(default=None, validator=optional(_takes(Secret)))
    """The refresh token, to be exchanged for the next access token; None, the default, if there is none."""
    signed_in_at: float = field(factory=time.time)
    """When the person signed in, in seconds since the epoch; now by default. Refreshes keep it."""


@runtime_checkable
class TokenSource(Protocol):
    """An object that provides access tokens; pass it to `Client` in place of a token.

        class TokenFile:
            def __init__(self, path: Path) -> None:
                self._path = path

            async def get_token(self, *, rejected: Token | None = None) -> Token:
                return Token(self._path.read_text().strip())

        client = Client("https://platform.aignostics.com", TokenFile(Path("token.txt")))

    `get_token` is called in the client's event loop, by several requests at once. If the object has an async
    method `aclose`, without arguments, a client awaits it when it closes, and raises what it raises.
    """

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a usable token.

            token = await source.get_token()

        Called before a request is sent, each time, so an implementation that sends requests should keep its
        token between calls. `rejected` is None, or a token that the API has just answered with 401: then
        return another token if possible, and otherwise the same object. If another object is returned, the
        request is repeated once, with the token of a further call; a POST only if the API or its gateway
        wrote the 401, and the request for a run of a bulk job never.

        Should raise AuthenticationError if there is no token. What it raises ends the request. A source that
        returns something else, or is not async, ends it with ConfigurationError.
        """
        ...


async def read_token(source: TokenSource, rejected: Token | None = None) -> Token:
    """Return a token of a source, which may be a user's own; ConfigurationError if it gives none."""
    found: object = source.get_token(rejected=rejected)
    if isawaitable(found):
        found = await found
        if isinstance(found, Token):
            return found
        fault = f"returned {type(found).__name__}, not a Token; return Token(text, lifetime=seconds)"
    else:
        fault = "is not async; make it `async def`"
    del found  # it may be a secret, and tracebacks show the variables of this frame
    raise ConfigurationError(f"get_token of {type(source).__name__} {fault}")
