"""The identity provider's endpoints for programs: tokens, device codes, revocation, metadata.

Routes and status codes are those of an Auth0 tenant, which the platform uses. Other providers answer the same
OAuth errors with other statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from attrs import asdict
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..platform._platform import Platform
    from ..platform._token_registry import IssuedTokens

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
CLIENT_ID = "emulator"
"""The public client: users sign in with it, by browser or device code."""
SERVICE_CLIENT_ID = "emulator-service"
"""The confidential client, for the client credentials grant."""
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
FormFields = dict[str, str]


class OAuth:
    """The endpoints of one emulator."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._tokens = platform.tokens
        self._logins = platform.logins

    def routes(self) -> list[Route]:
        """Return the routes for programs."""
        return [
            Route(TOKEN_PATH, self._token, methods=["POST"]),
            Route("/oauth/device/code", self._device_code, methods=["POST"]),
            Route("/oauth/revoke", self._revoke, methods=["POST"]),
            Route("/.well-known/openid-configuration", self._metadata, methods=["GET"]),
        ]

    async def _token(self, request: Request) -> Response:
        form = await read_form(request)
        grants = {
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
            "client_credentials": self._client_credentials,
            _DEVICE_GRANT: self._device_grant,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return _error(400, "unsupported_grant_type", f"there are {', '.join(grants)}")
        if not self._is_client(form):
            clients = f"{CLIENT_ID!r}, or {SERVICE_CLIENT_ID!r} with its secret"
            return _error(401, "invalid_client", f"the clients here are {clients}")
        outcome = grant(form)
        return outcome if isinstance(outcome, Response) else _answer(outcome)

    def _is_client(self, form: FormFields) -> bool:
        if form.get("client_id") == SERVICE_CLIENT_ID:
            return form.get("client_secret") == self._platform.client_secret
        return form.get("client_id") == CLIENT_ID

    def _authorization_code(self, form: FormFields) -> IssuedTokens | Response:
        text = form.get("code", "")
        code = self._logins.redeem_code(
            text, form["client_id"], form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
        if code is None:
            # A code that is used twice may be stolen, so revoke its tokens (RFC 6749, 4.1.2).
            family = self._logins.family_of(text)
            if family is not None:
                self._tokens.end_family(family)
            return _error(403, "invalid_grant", "Invalid authorization code")
        issued = self._tokens.issue(code.client_id, with_refresh=code.with_refresh)
        if issued.refresh_token is not None:
            self._logins.remember_family(text, self._tokens.family_of(issued.refresh_token) or "")
        return issued

    def _refresh_token(self, form: FormFields) -> IssuedTokens | Response:
        issued = self._tokens.rotate(form.get("refresh_token", ""), form["client_id"])
        return issued or _error(403, "invalid_grant", "Unknown or invalid refresh token.")

    def _client_credentials(self, form: FormFields) -> IssuedTokens | Response:
        if form["client_id"] != SERVICE_CLIENT_ID:
            return _error(403, "unauthorized_client", "this client has no secret")
        return self._tokens.issue(form["client_id"], with_refresh=False)

    def _device_grant(self, form: FormFields) -> IssuedTokens | Response:
        device_code = form.get("device_code", "")
        device = self._logins.device(device_code)
        if device is None or device.client_id != form["client_id"]:
            return _error(403, "invalid_grant", "Invalid or expired device code.")
        if device.polls_too_fast():
            return _error(429, "slow_down", "You are polling faster than the specified interval.")
        if device.state == "pending" and self._logins.now() <= device.expires_at:
            return _error(403, "authorization_pending", "User has yet to authorize device code.")
        self._logins.forget_device(device_code)
        if device.state == "approved":
            return self._tokens.issue(device.client_id, with_refresh=device.with_refresh)
        if device.state == "denied":
            return _error(403, "access_denied", "User did not authorize the request")
        return _error(403, "expired_token", "Invalid or expired device code.")

    async def _device_code(self, request: Request) -> Response:
        form = await read_form(request)
        if form.get("client_id") != CLIENT_ID:
            return _error(401, "invalid_client", f"the client for devices is {CLIENT_ID!r}")
        device_code, device = self._logins.add_device(
            form["client_id"], with_refresh="offline_access" in form.get("scope", "").split()
        )
        page = f"{self._platform.origin}/activate"
        return _private(
            {
                "device_code": device_code,
                "user_code": device.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={device.user_code}",
                "expires_in": int(device.expires_at - self._logins.now()),
                "interval": device.interval,
            }
        )

    async def _revoke(self, request: Request) -> Response:
        form = await read_form(request)
        family = self._tokens.family_of(form.get("token", ""))
        if family is not None:
            self._tokens.end_family(family)
        return Response(status_code=200)  # also for an unknown token (RFC 7009, 2.2)

    async def _metadata(self, _request: Request) -> Response:
        origin = self._platform.origin
        return JSONResponse(
            {
                "issuer": f"{origin}/",
                "authorization_endpoint": f"{origin}/authorize",
                "token_endpoint": origin + TOKEN_PATH,
                "device_authorization_endpoint": f"{origin}/oauth/device/code",
                "revocation_endpoint": f"{origin}/oauth/revoke",
                "code_challenge_methods_supported": ["S256"],
                "response_types_supported": ["code"],
                "authorization_response_iss_parameter_supported": True,
            }
        )


async def read_form(request: Request) -> FormFields:
    """Return the fields of a form; the first value of a repeated field counts."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def _answer(issued: IssuedTokens) -> Response:
    given = {name: value for name, value in asdict(issued).items() if value is not None}
    return _private({**given, "token_type": "Bearer"})


def _private(content: dict[str, object], status: int = 200) -> Response:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})


def _error(status: int, code: str, description: str) -> Response:
    return _private({"error": code, "error_description": description}, status)
