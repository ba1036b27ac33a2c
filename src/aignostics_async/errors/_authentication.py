"""Errors of tokens and logins."""

from __future__ import annotations

from ._base import AignosticsError


class AuthenticationError(AignosticsError):
    """There is no usable access token; the base class of all errors of logins and tokens."""


class LoginRequired(AuthenticationError):
    """There is no credential from which to get a token: there is no login, or it has ended.

    Sign in with `aignostics-async login`, `login_browser` or `login_device`.
    """


class LoginDenied(AuthenticationError):
    """The identity provider refused the person, the client or the audience.

    The message has the provider's reason.
    """


class LoginTimeout(AuthenticationError):
    """The person did not sign in in time: within `timeout`, or before the device code expired.

    Start the login again.
    """


class TokenStoreError(AuthenticationError):
    """The token store can't be read or written; the message says why, and what to do."""


class TokenEndpointUnavailable(AuthenticationError):
    """The identity provider can't be reached or is failing, or a token callable failed.

    `retry_after` is the wait in seconds that the provider asked for, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Always True: the same request may succeed later."""
        return True
