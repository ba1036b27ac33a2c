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

from .._config import Settings, as_settings
from .._core._secret import Secret
from .._core._token import Token, TokenSet, is_sendable
from ..errors import (
    AuthenticationError,
    LoginDenied,
    LoginRequired,
    LoginTimeout,
    TokenEndpointUnavailable,
    is_transient_status,
)

if TYPE_CHECKING:
    import ssl

    from .._http._token_request import FormResponse
    from ._provider import IdentityProvider

PENDING = ("authorization_pending", "slow_down")
"""While a person has not signed in on the other device; the second one also asks for patience."""
DEFAULT_LIFETIME = 300.0  # seconds, if neither the response nor the token says
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Beside that of OAuth, those of OpenID Connect Core, 3.1.2.6, and Auth0 for what only a person can do.
_PERSON_NEEDED = frozenset(
    {"invalid_grant", "consent_required", "interaction_required", "login_required", "mfa_required"}
)
_ENDED_ALREADY = frozenset({"invalid_grant", "invalid_token"})
_THROTTLED = ("rate_limit", "throttl", "too_many")  # in OAuth errors, which no standard names
_TRANSIENT_ERRORS = frozenset({"server_error", "temporarily_unavailable", *PENDING})


class TokenEndpoint:
    """The endpoints of an identity provider. Each call is one request and takes 20 s at most."""

    def __init__(self, provider: IdentityProvider, settings: Settings | None) -> None:
        self.provider = provider
        self._settings = as_settings(settings)
        self._context: ssl.SSLContext | None = None  # made once: reading the CAs takes some 20 ms

    async def refresh(self, refresh: Secret) -> TokenSet:
        """Exchange a refresh token; the result holds the next one if the provider rotates them.

        Raises LoginRequired if the token is refused, LoginDenied if the client is, and
        TokenEndpointUnavailable otherwise, for every 429 and 5xx too. A request whose response was lost is
        sent once more, at once: providers accept the last refresh token again for a moment, for this reason.
        """
        asked_at = time.time()
        fields = {"refresh_token": refresh, **self._client}
        response = await self._post(self.provider.token_url, "refresh_token", fields, repeat=True)
        return self._tokens(response, asked_at, refresh)

    async def client_credentials(self) -> Token:
        """Return a token for the client itself; raises LoginDenied and TokenEndpointUnavailable."""
        asked_at = time.time()
        provider = self.provider
        fields = {"audience": provider.audience, "organization": provider.organization, **self._client}
        response = await self._post(provider.token_url, "client_credentials", fields, repeat=True)
        return self._tokens(response, asked_at).access

    async def exchange_code(self, code: Secret, verifier: Secret, redirect_url: str) -> TokenSet:
        """Exchange an authorization code; raises LoginDenied and TokenEndpointUnavailable."""
        asked_at = time.time()
        fields = {"redirect_uri": redirect_url, "code": code, "code_verifier": verifier, **self._client}
        response = await self._post(self.provider.token_url, "authorization_code", fields)
        return self._tokens(response, asked_at)

    async def begin_device(self, device_url: str) -> FormResponse:
        """Ask for a device code; raises LoginDenied and TokenEndpointUnavailable."""
        provider = self.provider
        fields = {
            "scope": provider.scope,
            "audience": provider.audience,
            "organization": provider.organization,
            **self._client,
        }
        response = await self._post(device_url, None, fields)
        if response.error or response.status != 200:
            raise self._refusal(response)
        return response

    async def poll_device(self, device_code: Secret) -> TokenSet | str:
        """Return the tokens of a device code, or one of PENDING while there are none.

        Raises LoginDenied, LoginTimeout for a code that has expired, and TokenEndpointUnavailable.
        """
        asked_at = time.time()
        fields = {"device_code": device_code, **self._client}
        response = await self._post(self.provider.token_url, _DEVICE_GRANT, fields)
        return response.error if response.error in PENDING else self._tokens(response, asked_at)

    async def revoke(self, refresh: Secret) -> None:
        """Revoke a refresh token at the revoke URL; raises TokenEndpointUnavailable if that failed."""
        url = self.provider.revoke_url or ""
        response = await self._post(url, None, {"token": refresh, **self._client})
        if response.status >= 300 and (_is_for_now(response) or response.error not in _ENDED_ALREADY):
            told = " ".join(filter(None, (str(response.status), response.error, response.description)))
            raise TokenEndpointUnavailable(f"{url} answered {told}")

    @property
    def _client(self) -> dict[str, str | Secret | None]:
        # In the body: providers differ in how they decode the Authorization header.
        return {"client_id": self.provider.client_id, "client_secret": self.provider.client_secret}

    async def _post(
        self, url: str, grant: str | None, fields: dict[str, str | Secret | None], *, repeat: bool = False
    ) -> FormResponse:
        from .._http._client import ssl_context
        from .._http._token_request import post_form

        if self._context is None:
            self._context = ssl_context(self._settings)
        return await post_form(url, form(grant, fields), self._settings, self._context, repeat=repeat)

    def _tokens(self, response: FormResponse, asked_at: float, sent: Secret | None = None) -> TokenSet:
        access = response.secret("access_token")
        # Any success: after one, the refresh token that was sent may be spent.
        if not 200 <= response.status < 300 or access is None or not is_sendable(access):
            raise self._refusal(response)
        kind = response.fields.get("token_type", "Bearer")
        if not (isinstance(kind, str) and kind.lower() == "bearer"):
            raise TokenEndpointUnavailable(f"{response.url} gave no bearer token; is it the right URL?")
        return TokenSet(
            access=Token(access, lifetime=lifetime_of(response, access), issued_at=asked_at),
            refresh=response.secret("refresh_token") or sent,
            signed_in_at=asked_at,
        )

    def _refusal(self, response: FormResponse) -> AuthenticationError:
        """Return the error for a response without tokens."""
        told = f"{response.error}: {response.description}" if response.description else response.error
        if _is_for_now(response):
            return self._unavailable(response)
        if response.error in _PERSON_NEEDED:
            return LoginRequired(f"the login of {self.provider.display_name} is no longer valid ({told})")
        if response.error == "expired_token":
            return LoginTimeout(
                "the code has expired before anybody signed in with it; start the login again"
            )
        if response.error == "access_denied":
            return LoginDenied(f"the login was refused ({told}); sign in again, perhaps as somebody else")
        if response.error and response.error not in _TRANSIENT_ERRORS and response.status < 500:
            return LoginDenied(
                f"{self.provider.issuer} refused ({told}); are client id, client secret, audience and "
                f"organization right? The client id is {self.provider.client_id!r}"
            )
        return self._unavailable(response)

    def _unavailable(self, response: FormResponse) -> TokenEndpointUnavailable:
        advice = "is it the right URL?" if response.status in (404, 405) else "try again later"
        return TokenEndpointUnavailable(
            f"{response.url} answered {response.status} without a token; {advice}",
            retry_after=response.retry_after,
        )


def _is_for_now(response: FormResponse) -> bool:
    """Whether a refusal tells nothing of the credential: throttling proxies repeat any error beside a 429."""
    is_throttled = response.retry_after is not None or any(word in response.error for word in _THROTTLED)
    return is_throttled or is_transient_status(response.status)


def form(grant: str | None, fields: dict[str, str | Secret | None]) -> Secret:
    """Return the body of a token request, without empty fields."""
    # Imported here: most clients use a single token, and authlib is slow to import.
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
    """The claims of an access token, not verified: only the API verifies them.

        claims = token_claims(token)
        print(claims.subject, claims.organization)

    `subject` is the claim `sub`, the user or client, and `organization` the claim `org_id`. `lifetime` is in
    seconds: `exp` less `iat`, or less the present time if there is no `iat`; so it may be negative.
    `issued_at` is the claim `iat`, in seconds since the epoch. A missing claim is None, the default.
    """

    subject: str | None = None
    """The claim `sub`: the user or client."""
    organization: str | None = None
    """The claim `org_id`: the organization."""
    lifetime: float | None = None
    """The lifetime in seconds: `exp` less `iat`, or less the time of this machine without `iat`."""
    issued_at: float | None = None
    """The claim `iat`, in seconds since the epoch."""


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
        # Two times of one clock; without the first, this machine's clock has to do.
        lifetime = told.exp - (told.iat if told.iat is not None else time.time())
    return Claims(told.sub, told.org_id, lifetime, told.iat)


def token_claims(token: Token) -> Claims:
    """Return the claims of an access token that is a JWT.

        token_claims(await source.get_token()).organization

    All of them are None for any other token, or if one has an unexpected type. The signature is not verified,
    so do not base decisions about access on the claims. Sends no request and raises nothing.
    """
    return read_claims(Secret(token.text))


def lifetime_of(response: FormResponse, access: Secret) -> float:
    """Return for how many seconds a token is good: by the response, else by itself, else five minutes."""
    given = response.fields.get("expires_in")
    try:
        told = float(given) if isinstance(given, int | float | str) else 0.0
    except (ValueError, OverflowError):
        told = 0.0
    for value in (told, read_claims(access).lifetime or 0.0):
        if value > 0 and isfinite(value):
            return value
    return DEFAULT_LIFETIME
