"""Errors of tokens and logins."""

from __future__ import annotations

from ._base import AignosticsError


class AuthenticationError(AignosticsError):
    """There is no usable access token; the base class of all errors of logins and tokens.

    The message says what to do next. `Unauthorized`, a 401 of the API, is an `APIStatusError` instead.
    """


class LoginRequired(AuthenticationError):
    """There is no credential from which to get a token: there is no login, or it has ended.

    Sign in with `aignostics-async login`, `login_browser` or `login_device`.
    """


class LoginDenied(AuthenticationError):
    """The identity provider refused the person, the client or the audience.

    The message has the provider's reason. Check client id, client secret, audience and organization, or sign
    in as another person.
    """


class LoginTimeout(AuthenticationError):
    """The person did not sign in in time: within `timeout`, or before the device code expired.

    Start the login again.
    """


class TokenStoreError(AuthenticationError):
    """The token store can't be read or written; the message says why, and what to do.

    A refresh whose tokens can't be saved does not raise it: they are kept in memory, with a warning in the
    log.
    """


class TokenEndpointUnavailable(AuthenticationError):
    """There is no access token at the moment, but a later attempt may get one.

    The identity provider can't be reached or is failing, a token callable failed, or another process holds
    the lock of the login for 30 s. `logout` raises it, too, for refresh tokens that were not revoked.

    `retry_after` is in seconds: the wait that the provider asked for, or the rest of the pause that follows a
    failure, in which no refresh is attempted (see `RefreshToken.get_token`); None if neither is known.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Always True: the same request may succeed later."""
        return True
