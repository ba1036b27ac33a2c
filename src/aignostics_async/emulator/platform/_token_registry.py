"""The tokens that the emulator issued, stored as digests, and the check of bearer tokens.

Each kind of token has a prefix, so that a leaked token is recognized anywhere.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from attrs import frozen
from starlette.exceptions import HTTPException

from .._request_state import KNOWN

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from ._state_database import StateDatabase

_STATIC = "static"
ACCESS, REFRESH, CODE, DEVICE = "emulator-access-", "emulator-refresh-", "emulator-code-", "emulator-device-"


def fresh(prefix: str) -> str:
    """Return a new secret with a prefix."""
    return prefix + secrets.token_urlsafe(32)


@frozen
class IssuedTokens:
    """The answer of a token endpoint."""

    access_token: str
    refresh_token: str | None
    expires_in: int


class TokenRegistry:
    """Access tokens, and refresh tokens that work once.

    All tokens of one login are a family. Reusing a refresh token revokes its family, unless the overlap
    period has not passed and the successor is unused: the answer that carried it may be lost.
    """

    def __init__(
        self, database: StateDatabase, lifetime_s: float, overlap_s: float, now: Callable[[], float]
    ) -> None:
        self._connection: sqlite3.Connection = database.connection
        self._lifetime_s = lifetime_s
        self._overlap_s = overlap_s
        self._now = now
        # A static token is valid for one start: the next start may have another.
        self._connection.execute("DELETE FROM access_tokens WHERE family = ?", (_STATIC,))

    def issue_static(self, text: str | None = None) -> str:
        """Return an access token that is valid until the next start: the given text, or a new token."""
        text = text or fresh(ACCESS)
        self._add_access(text, _STATIC, None)
        return text

    def issue(self, client_id: str, *, with_refresh: bool, family: str | None = None) -> IssuedTokens:
        """Return new tokens; without a family they belong to a new login."""
        family = family or secrets.token_hex(16)
        access = fresh(ACCESS)
        self._add_access(access, family, self._now() + self._lifetime_s)
        refresh = fresh(REFRESH) if with_refresh else None
        if refresh is not None:
            values = (_digest(refresh), family, client_id)
            self._connection.execute(
                "INSERT INTO refresh_tokens (digest, family, client_id) VALUES (?, ?, ?)", values
            )
        return IssuedTokens(access, refresh, int(self._lifetime_s))

    def rotate(self, refresh: str, client_id: str) -> IssuedTokens | None:
        """Return new tokens for a refresh token; None for one that is not good, whose family ends then."""
        row = self._connection.execute(
            "SELECT family, client_id, used_at, successor FROM refresh_tokens WHERE digest = ?",
            (_digest(refresh),),
        ).fetchone()
        if row is None or row[1] != client_id:
            return None
        family, _, used_at, successor = row
        if used_at is not None and not self._may_repeat(used_at, successor):
            self.end_family(family)
            return None
        issued = self.issue(client_id, with_refresh=True, family=family)
        self._connection.execute(
            "UPDATE refresh_tokens SET used_at = ?, successor = ? WHERE digest = ?",
            (used_at or self._now(), _digest(issued.refresh_token or ""), _digest(refresh)),
        )
        return issued

    def family_of(self, refresh: str) -> str | None:
        """Return the family of a refresh token, or None."""
        query = "SELECT family FROM refresh_tokens WHERE digest = ?"
        row = self._connection.execute(query, (_digest(refresh),)).fetchone()
        return None if row is None else str(row[0])

    def end_family(self, family: str) -> None:
        """Revoke every token of a login."""
        self._connection.execute("DELETE FROM refresh_tokens WHERE family = ?", (family,))
        self._connection.execute("DELETE FROM access_tokens WHERE family = ?", (family,))

    def require_bearer(self, request: Request) -> None:
        """Raise a 401 unless the request has a valid token of this emulator."""
        if not self.is_authorized(request):
            raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})

    def is_authorized(self, request: Request) -> bool:
        """Return whether a request has a valid token of this emulator, or had one when it was sent."""
        return getattr(request.state, KNOWN, False) or self.knows(request)

    def has_expired(self, request: Request) -> bool:
        """Return whether a request has a token of this emulator whose time is over."""
        _, _, text = request.headers.get("authorization", "").partition(" ")
        query = "SELECT 1 FROM access_tokens WHERE digest = ?"
        return self._connection.execute(query, (_digest(text),)).fetchone() is not None

    def knows(self, request: Request) -> bool:
        """Return whether a request has a valid token of this emulator."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._knows(text)

    def _knows(self, access: str) -> bool:
        query = "SELECT 1 FROM access_tokens WHERE digest = ? AND coalesce(expires_at, ?) >= ?"
        now = self._now()
        return self._connection.execute(query, (_digest(access), now, now)).fetchone() is not None

    def _add_access(self, text: str, family: str, expires_at: float | None) -> None:
        values = (_digest(text), family, expires_at)
        self._connection.execute("INSERT OR REPLACE INTO access_tokens VALUES (?, ?, ?)", values)

    def _may_repeat(self, used_at: float, successor: str | None) -> bool:
        query = "SELECT 1 FROM refresh_tokens WHERE digest = ? AND used_at IS NULL"
        is_unused = self._connection.execute(query, (successor,)).fetchone() is not None
        return is_unused and self._now() < used_at + self._overlap_s


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
