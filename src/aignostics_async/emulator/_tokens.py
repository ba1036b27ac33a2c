"""The tokens that the emulator issued, kept as digests, and the check of bearer tokens.

Each begins with what it is, so that a leaked one is found wherever it went.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from attrs import frozen

from ._undocumented import refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from ._database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS access_tokens (
    digest TEXT PRIMARY KEY, family TEXT NOT NULL, expires_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS refresh_tokens (
    digest TEXT PRIMARY KEY, family TEXT NOT NULL, client_id TEXT NOT NULL, used_at REAL, successor TEXT
) STRICT;
"""
_STATIC = "static"
KNOWN = "has_known_token"
"""The attribute of the state of a request that was let in before it is done."""
ACCESS, REFRESH, CODE, DEVICE = "emulator-access-", "emulator-refresh-", "emulator-code-", "emulator-device-"


def fresh(prefix: str) -> str:
    """Return a new secret of a kind."""
    return prefix + secrets.token_urlsafe(32)


@frozen
class Issued:
    """What a token endpoint gives."""

    access_token: str
    refresh_token: str | None
    expires_in: int


class Tokens:
    """Access tokens, and refresh tokens that are good for one use each.

    What one login gave is a family. A refresh token that is used again ends its family, unless its successor
    is unused and so little time has passed that the answer with it may have been lost.
    """

    def __init__(
        self, database: Database, lifetime_s: float, overlap_s: float, now: Callable[[], float]
    ) -> None:
        self._connection: sqlite3.Connection = database.connection
        self._connection.executescript(_SCHEMA)
        self._lifetime_s = lifetime_s
        self._overlap_s = overlap_s
        self._now = now
        # A static token is good for one start: the next one may be given another.
        self._connection.execute("DELETE FROM access_tokens WHERE family = ?", (_STATIC,))

    def issue_static(self, text: str | None = None) -> str:
        """Return an access token that does not expire before the next start: a given one, or a new one."""
        text = text or fresh(ACCESS)
        self._add_access(text, _STATIC, None)
        return text

    def issue(self, client_id: str, *, with_refresh: bool, family: str | None = None) -> Issued:
        """Return new tokens, of a new login where no family is given."""
        family = family or secrets.token_hex(16)
        access = fresh(ACCESS)
        self._add_access(access, family, self._now() + self._lifetime_s)
        refresh = fresh(REFRESH) if with_refresh else None
        if refresh is not None:
            values = (_digest(refresh), family, client_id)
            self._connection.execute(
                "INSERT INTO refresh_tokens (digest, family, client_id) VALUES (?, ?, ?)", values
            )
        return Issued(access, refresh, int(self._lifetime_s))

    def rotate(self, refresh: str, client_id: str) -> Issued | None:
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
        """Make every token of a login unknown."""
        self._connection.execute("DELETE FROM refresh_tokens WHERE family = ?", (family,))
        self._connection.execute("DELETE FROM access_tokens WHERE family = ?", (family,))

    def require_bearer(self, request: Request) -> None:
        """Refuse a request without a token that was issued here."""
        if not getattr(request.state, KNOWN, False) and not self.knows(request):
            raise refusal(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})

    def knows(self, request: Request) -> bool:
        """Whether a request has a token that was issued here and has not expired."""
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
