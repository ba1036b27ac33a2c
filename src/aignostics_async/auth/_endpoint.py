"""What is asked of an identity provider, and what its answers mean.

RFC 6749 (tokens), RFC 7636 (PKCE), RFC 8628 (device). The OAuth error in the JSON decides, not the status:
providers answer the same error with 400, 401, 403 or 429. No error here says more than the provider's words,
and those without anything that was sent.
"""

from __future__ import annotations

import time
from math import isfinite
from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from .._core._secret import Secret
from .._core._token import Token, TokenSet, is_sendable
from ..errors import (
    AuthenticationError,
    LoginDenied,
    LoginRequired,
    LoginTimeout,
    TokenEndpointUnavailable,
)

if TYPE_CHECKING:
    import ssl

    from .._config import Settings
    from .._http._token_request import FormAnswer
    from ._provider import IdentityProvider

PENDING = ("authorization_pending", "slow_down")
"""While a person has not signed in on the other device; the second one also asks for patience."""
DEFAULT_LIFETIME = 300.0  # seconds, where neither the answer nor the token says
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_TRANSIENT = frozenset({"server_error", "temporarily_unavailable", "too_many_requests", *PENDING})


class TokenEndpoint:
    """The endpoints of a provider, asked as its client. Each call is one request, and 20 s at most."""

    def __init__(self, provider: IdentityProvider, settings: Settings) -> None:
        self.provider = provider
        self._settings = settings
        self._context: ssl.SSLContext | None = None  # made once: reading the CAs takes some 20 ms

    async def refresh(self, refresh: Secret) -> TokenSet:
        """Trade a refresh token; the answer holds the next one where the provider rotates them.

        Raises LoginRequired where it is refused, LoginDenied where the client is, else
        TokenEndpointUnavailable. A request whose answer was lost is sent once more, at once: providers let
        the last refresh token be used again for a moment, for just this.
        """
        asked_at = time.time()
        fields = {"refresh_token": refresh, **self._client}
        answer = await self._post(self.provider.token_url, "refresh_token", fields, repeat=True)
        return self._tokens(answer, asked_at, refresh)

    async def client_credentials(self) -> Token:
        """Return a token for the client itself; raises LoginDenied and TokenEndpointUnavailable."""
        asked_at = time.time()
        provider = self.provider
        fields = {"audience": provider.audience, "organization": provider.organization, **self._client}
        answer = await self._post(provider.token_url, "client_credentials", fields, repeat=True)
        return self._tokens(answer, asked_at).access

    async def exchange_code(self, code: Secret, verifier: Secret, redirect_url: str) -> TokenSet:
        """Trade the code that a browser brought; raises LoginDenied and TokenEndpointUnavailable."""
        asked_at = time.time()
        fields = {"redirect_uri": redirect_url, "code": code, "code_verifier": verifier, **self._client}
        answer = await self._post(self.provider.token_url, "authorization_code", fields)
        return self._tokens(answer, asked_at)

    async def begin_device(self, device_url: str) -> FormAnswer:
        """Ask for a device code; raises LoginDenied and TokenEndpointUnavailable."""
        provider = self.provider
        fields = {
            "scope": provider.scope,
            "audience": provider.audience,
            "organization": provider.organization,
            **self._client,
        }
        answer = await self._post(device_url, None, fields)
        if answer.error or answer.status != 200:
            raise self._refusal(answer)
        return answer

    async def poll_device(self, device_code: Secret) -> TokenSet | str:
        """Return the tokens of a device code, or one of PENDING while there are none.

        Raises LoginDenied, LoginTimeout for a code that has expired, and TokenEndpointUnavailable.
        """
        asked_at = time.time()
        fields = {"device_code": device_code, **self._client}
        answer = await self._post(self.provider.token_url, _DEVICE_GRANT, fields)
        return answer.error if answer.error in PENDING else self._tokens(answer, asked_at)

    async def revoke(self, refresh: Secret) -> None:
        """Give a refresh token back, where the provider takes it; raises AuthenticationError."""
        if self.provider.revoke_url is None:
            return
        answer = await self._post(self.provider.revoke_url, None, {"token": refresh, **self._client})
        if answer.status != 200:
            raise self._refusal(answer)

    @property
    def _client(self) -> dict[str, str | Secret | None]:
        # In the body: providers differ in how they read the Authorization header, and all read this.
        return {"client_id": self.provider.client_id, "client_secret": self.provider.client_secret}

    async def _post(
        self, url: str, grant: str | None, fields: dict[str, str | Secret | None], *, repeat: bool = False
    ) -> FormAnswer:
        from .._http._client import ssl_context
        from .._http._token_request import post_form

        if self._context is None:
            self._context = ssl_context(self._settings)
        return await post_form(url, form(grant, fields), self._settings, self._context, repeat=repeat)

    def _tokens(self, answer: FormAnswer, asked_at: float, sent: Secret | None = None) -> TokenSet:
        access = answer.secret("access_token")
        if answer.status != 200 or access is None or not is_sendable(access):
            raise self._refusal(answer)
        kind = answer.fields.get("token_type", "Bearer")
        if not (isinstance(kind, str) and kind.lower() == "bearer"):
            raise TokenEndpointUnavailable(f"{answer.url} gave no bearer token; is it the right URL?")
        return TokenSet(
            access=Token(access, lifetime=lifetime_of(answer, access), issued_at=asked_at),
            refresh=answer.secret("refresh_token") or sent,
            signed_in_at=asked_at,
        )

    def _refusal(self, answer: FormAnswer) -> AuthenticationError:
        """Return the error for an answer without tokens."""
        told = f"{answer.error}: {answer.description}" if answer.description else answer.error
        if answer.error == "invalid_grant":
            return LoginRequired(f"the login of {self.provider.described} is no longer valid ({told})")
        if answer.error == "expired_token":
            return LoginTimeout(
                "the code has expired before anybody signed in with it; start the login again"
            )
        if answer.error == "access_denied":
            return LoginDenied(f"the login was refused ({told}); sign in again, perhaps as somebody else")
        if answer.error and answer.error not in _TRANSIENT and answer.status < 500:
            return LoginDenied(
                f"{self.provider.issuer} refused ({told}); are client id, client secret, audience and "
                f"organization right? The client id is {self.provider.client_id!r}"
            )
        advice = "is it the right URL?" if answer.status in (404, 405) else "try again later"
        return TokenEndpointUnavailable(
            f"{answer.url} answered {answer.status} without a token; {advice}", retry_after=answer.retry_after
        )


def form(grant: str | None, fields: dict[str, str | Secret | None]) -> Secret:
    """Return the body of a request; it holds secrets, so it is one."""
    # Here, because most clients live on one token and authlib costs import time.
    from authlib.common.urls import url_encode
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    plain = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in fields.items()
        if value
    }
    return Secret(prepare_token_request(grant, **plain) if grant else url_encode(list(plain.items())))


@frozen
class Claims:
    """What an access token says of itself, unchecked: its API checks it, this side only reads."""

    subject: str | None = None
    organization: str | None = None
    lifetime: float | None = None
    issued_at: float | None = None


class _Claims(msgspec.Struct):
    sub: str | None = None
    org_id: str | None = None
    iat: float | None = None
    exp: float | None = None


def read_claims(access: Secret) -> Claims:
    """Return the claims of a token that is a JWT; empty ones for any other."""
    import base64

    try:
        part = access.reveal().split(".")[1]
        told = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Claims)
    except (IndexError, ValueError, RecursionError):
        return Claims()
    lifetime = None
    if told.exp is not None:
        # The difference of two times of one clock; only without it this machine's clock has to do.
        lifetime = told.exp - (told.iat if told.iat is not None else time.time())
    return Claims(told.sub, told.org_id, lifetime, told.iat)


def token_claims(token: Token) -> Claims:
    """Return the claims of an access token that is a JWT; empty ones for any other. They are not verified."""
    return read_claims(Secret(token.text))


def lifetime_of(answer: FormAnswer, access: Secret) -> float:
    """Return for how many seconds a token is good: by the answer, else by itself, else five minutes."""
    given = answer.fields.get("expires_in")
    try:
        told = float(given) if isinstance(given, int | float | str) else 0.0
    except (ValueError, OverflowError):
        told = 0.0
    for value in (told, read_claims(access).lifetime or 0.0):
        if value > 0 and isfinite(value):
            return value
    return DEFAULT_LIFETIME
