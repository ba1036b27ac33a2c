"""Access tokens from a refresh token, renewed once for all who wait."""

from __future__ import annotations

import asyncio
import time
from copy import copy

from .._config import Settings
from .._errors import AuthenticationError, ConfigurationError, LoginRequired, TokenEndpointUnavailable
from .._redact import excerpt
from ._sources import Token

_DEFAULT_LIFETIME = 300.0  # seconds, where the endpoint does not say
_COOL_DOWN = 5.0  # seconds after a failed refresh in which nobody asks again


class RefreshToken:
    """Trade a refresh token for access tokens, shortly before each one expires.

    One refresh runs at a time, in a task that no caller owns: cancelling a caller never loses a rotated
    refresh token. Its result, or its failure, is shared by all who wait. A refused refresh token is not
    sent again. One source serves one event loop.
    """

    def __init__(
        self,
        refresh_token: str,
        *,
        token_url: str,
        client_id: str,
        client_secret: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        if not (refresh_token and token_url and client_id):
            raise ConfigurationError("a refresh token needs a token URL and a client id beside it")
        self._refresh_token = refresh_token
        self._token_url = token_url
        self._client = {"client_id": client_id}
        if client_secret:
            self._client["client_secret"] = client_secret
        self._settings = settings or Settings()
        self._token: Token | None = None
        self._margin = 0.0
        self._flight: asyncio.Task[Token] | None = None
        self._failure: AuthenticationError | None = None
        self._failed_at = 0.0

    def __repr__(self) -> str:
        return f"RefreshToken(token_url={self._token_url!r})"

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        """Return a fresh token, after a refresh where one is due.

        Costs nothing while the token is fresh. Raises LoginRequired when the refresh token is refused, and
        TokenEndpointUnavailable when the endpoint fails; either is shared for some seconds.
        """
        token = self._token
        if token is not None and token is not rejected and token.is_fresh(self._margin):
            return token
        if self._flight is None or self._flight.done():
            self._raise_recent_failure()
            self._flight = asyncio.create_task(self._refresh(), name="aignostics token refresh")
            # Where every caller was cancelled nobody looks at a failure; asyncio would complain about that.
            self._flight.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._flight)

    async def aclose(self) -> None:
        """Wait for a refresh that is under way, so that its result is not lost."""
        if self._flight is not None and not self._flight.done():
            await asyncio.wait([self._flight])

    def _raise_recent_failure(self) -> None:
        if self._failure is None:
            return
        if isinstance(self._failure, LoginRequired) or time.monotonic() < self._failed_at + _COOL_DOWN:
            # A copy: one error that is raised again and again keeps every frame that it went through.
            raise copy(self._failure)

    async def _refresh(self) -> Token:
        try:
            return await self._ask()
        except AuthenticationError as error:
            self._failure, self._failed_at = copy(error), time.monotonic()
            raise

    async def _ask(self) -> Token:
        # Here, because most clients live on one token and authlib costs import time.
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        from .._http import post_form

        body = prepare_token_request("refresh_token", refresh_token=self._refresh_token, **self._client)
        asked_at = time.monotonic()
        status, answer, retry_after = await post_form(self._token_url, body, self._settings)
        text = answer.get("access_token")
        if status == 200 and isinstance(text, str) and text:
            return self._accept(text, answer, asked_at)
        # The JSON tells, not the status: providers answer a refused token with 400, 401 or 403.
        if answer.get("error") in ("invalid_grant", "invalid_client", "unauthorized_client"):
            words = excerpt(str(answer.get("error_description") or answer["error"]))
            raise LoginRequired(f"the refresh token was refused ({words}); sign in again")
        raise TokenEndpointUnavailable(
            f"the token endpoint answered {status}; try again later", retry_after=retry_after
        )

    def _accept(self, text: str, answer: dict[str, object], asked_at: float) -> Token:
        rotated = answer.get("refresh_token")
        if isinstance(rotated, str) and rotated:
            self._refresh_token = rotated
        lifetime = _DEFAULT_LIFETIME
        if isinstance(given := answer.get("expires_in"), int | float) and given > 0:
            lifetime = float(given)
        # A fixed margin would exceed a short lifetime and refresh for ever.
        self._margin = min(60.0, lifetime / 10)
        self._failure = None
        self._token = Token(text, expires_at=asked_at + lifetime)
        return self._token
