"""Errors of tokens and logins."""

from __future__ import annotations

from ._base import AignosticsError


class AuthenticationError(AignosticsError):
    """The base class of the errors of tokens and logins.

    Raised by logins, `logout`, token sources and token stores, and so by requests. `Unauthorized`, a 401
    response of the API, is an `APIStatusError` instead.
    """


class LoginRequired(AuthenticationError):
    """A missing or ended login: no credential is left from which to get a token.

    Raised by token sources when a token is needed, and by a login whose code the provider does not accept.
    The message says what to do; for a person's login, sign in with `aignostics-async login`, `login_browser`
    or `login_device`.
    """


class LoginDenied(AuthenticationError):
    """A refusal of the identity provider, because of the person, the client or the audience.

    Raised by the logins, and by token sources when they request a token; by `login_browser` also for a
    response of another identity provider. The message has the reason. Check client id, client secret,
    audience and organization, or sign in as another person.
    """


class LoginTimeout(AuthenticationError):
    """A login that the person did not complete in time.

    Raised by `login_browser` after its `timeout`, and by `login_device` when the device code has expired.
    Start the login again.
    """


class TokenStoreError(AuthenticationError):
    """A token store that can't be read or written; the message says why.

    Raised by token stores, and so by logins, `logout`, `StoredLogin.latest`, and requests for which a stored
    login is read. A refresh whose tokens can't be saved does not raise it: the tokens are kept in memory, and
    a warning is logged.
    """


class TokenEndpointUnavailable(AuthenticationError):
    """A failure to get an access token, mostly one that is likely to pass; try again later.

        try:
            me = await client.me()
        except TokenEndpointUnavailable as error:
            await asyncio.sleep(error.retry_after or 60)

    The identity provider can't be reached, fails, throttles or gives no usable token, for which its URL may
    be wrong; a token callable or a token store of your own failed; or the lock of the login was held
    elsewhere for 30 s. `logout` raises it, too, for refresh tokens that were not revoked.

    `retry_after` is the time in seconds to wait: what the provider asked for, or the rest of the pause after
    a failure (see `RefreshToken.get_token`); None, the default, if neither is known.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Always True: the same request may succeed later."""
        return True
