"""Tokens: a token endpoint with the refresh_token grant, and the check of bearer tokens."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ._undocumented import refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from ._database import Database

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
CLIENT_ID = "emulator"


class Tokens:
    """The tokens that the emulator issued, kept as digests."""

    def __init__(self, database: Database, lifetime_s: float) -> None:
        self._database = database
        self._lifetime_s = lifetime_s
        # A static token is good for one start: the next one may be given another.
        database.forget_tokens("static")

    def issue_access(self, text: str | None = None) -> str:
        """Return an access token: a given one, which never expires, or a new one that does."""
        if text is not None:
            self._database.add_token(_digest(text), "static", None)
            return text
        text = secrets.token_urlsafe(32)
        self._database.add_token(_digest(text), "access", time.time() + self._lifetime_s)
        return text

    def issue_refresh(self) -> str:
        """Return a new refresh token, good for ever."""
        text = secrets.token_urlsafe(48)
        self._database.add_token(_digest(text), "refresh", None)
        return text

    def require_bearer(self, request: Request) -> None:
        """Refuse a request without a token that was issued here."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        known = self._database.knows_token(_digest(text), ("access", "static"), time.time())
        if scheme.lower() != "bearer" or not known:
            raise refusal(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})

    def routes(self) -> list[Route]:
        """Return the routes of the token endpoint."""
        return [Route(TOKEN_PATH, self._token, methods=["POST"])]

    async def _token(self, request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        form = {name: values[0] for name, values in fields.items()}
        if form.get("grant_type") != "refresh_token":
            return _error(400, "unsupported_grant_type", "only refresh_token is")
        if form.get("client_id") != CLIENT_ID:
            return _error(401, "invalid_client", f"the client id here is {CLIENT_ID!r}")
        text = form.get("refresh_token", "")
        if not self._database.knows_token(_digest(text), ("refresh", "refresh"), time.time()):
            return _error(403, "invalid_grant", "Unknown or invalid refresh token.")
        answer = {
            "access_token": self.issue_access(),
            "token_type": "Bearer",
            "expires_in": int(self._lifetime_s),
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _error(status: int, code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status_code=status)
