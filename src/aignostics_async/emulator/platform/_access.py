"""Grants and share tokens: who else may see a run, in the simplest true form.

A grant names a resource and a subject, and holds until it is revoked. A share token opens the runs that are
granted to it, until it expires or is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from ._state_database import StateDatabase
from ._stored import ALL, Selection

SHARE_TOKEN = "emulator-share-"  # noqa: S105 - the prefix of such tokens
_TABLES = {"run": "runs", "item": "items", "output_artifact": "artifacts", "share_token": "share_tokens"}
_GRANT = "id, resource_type, resource_id, subject_type, subject_id, relation, created_at, is_revoked"
_TOKEN = "id, created_at, expires_at, is_revoked"  # noqa: S105 - columns


@frozen
class StoredGrant:
    """Access of a subject to a resource."""

    id: str
    resource_type: str
    resource_id: str
    subject_type: str
    subject_id: str
    relation: str
    created_at: str
    is_revoked: bool = field(converter=bool)


@frozen
class StoredShareToken:
    """A share token, without its text."""

    id: str
    created_at: str
    expires_at: str | None
    is_revoked: bool = field(converter=bool)


class Access:
    """All grants and share tokens."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def has_resource(self, resource_type: str, resource_id: str) -> bool:
        """Return whether there is something to grant access to."""
        query = f"SELECT 1 FROM {_TABLES[resource_type]} WHERE id = ?"  # noqa: S608
        return bool(self._database.all(query, (resource_id,)))

    # Grants

    def add_grant(self, values: Mapping[str, str], at: str) -> StoredGrant:
        """Store a grant of the columns in `values`."""
        grant_id = str(uuid.uuid4())
        names = ("resource_type", "resource_id", "subject_type", "subject_id", "relation")
        self._database.change(
            f"INSERT INTO grants (id, {', '.join(names)}, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (grant_id, *(values[name] for name in names), at),
        )
        grant = self.grant(grant_id)
        assert grant is not None  # noqa: S101 - it was just stored
        return grant

    def grant(self, grant_id: str) -> StoredGrant | None:
        """Return a grant, or None."""
        rows = self._database.all(f"SELECT {_GRANT} FROM grants WHERE id = ?", (grant_id,))  # noqa: S608
        return StoredGrant(*rows[0]) if rows else None

    def grants(self, wanted: Mapping[str, list[Any]], page: Selection = ALL) -> list[StoredGrant]:
        """Return the grants whose columns have one of the wanted values."""
        query, values = _select(_GRANT, "grants", wanted)
        return [StoredGrant(*row) for row in self._database.all(query + page.clause("number"), values)]

    def revoke_grant(self, grant_id: str) -> None:
        """Revoke a grant."""
        self._database.change("UPDATE grants SET is_revoked = TRUE WHERE id = ?", (grant_id,))

    # Share tokens

    def add_token(self, at: str, expires_at: str | None) -> tuple[str, StoredShareToken]:
        """Store a new share token, and return its text with it; the text is shown only here."""
        text, token_id = SHARE_TOKEN + secrets.token_urlsafe(32), str(uuid.uuid4())
        self._database.change(
            "INSERT INTO share_tokens (id, digest, created_at, expires_at) VALUES (?, ?, ?, ?)",
            (token_id, _digest(text), at, expires_at),
        )
        token = self.token(token_id)
        assert token is not None  # noqa: S101 - it was just stored
        return text, token

    def token(self, token_id: str) -> StoredShareToken | None:
        """Return a share token, or None."""
        rows = self._database.all(f"SELECT {_TOKEN} FROM share_tokens WHERE id = ?", (token_id,))  # noqa: S608
        return StoredShareToken(*rows[0]) if rows else None

    def tokens(self, wanted: Mapping[str, list[Any]], page: Selection = ALL) -> list[StoredShareToken]:
        """Return the share tokens whose columns have one of the wanted values."""
        query, values = _select(_TOKEN, "share_tokens", wanted)
        return [StoredShareToken(*row) for row in self._database.all(query + page.clause("number"), values)]

    def revoke_token(self, token_id: str) -> None:
        """Revoke a share token."""
        self._database.change("UPDATE share_tokens SET is_revoked = TRUE WHERE id = ?", (token_id,))

    def opens(self, text: str, run_id: str, at: float) -> bool:
        """Return whether the text of a share token opens a run at a moment."""
        query = f"SELECT {_TOKEN} FROM share_tokens WHERE digest = ?"  # noqa: S608
        for row in self._database.all(query, (_digest(text),)):
            token = StoredShareToken(*row)
            if token.is_revoked or not _is_before(at, token.expires_at):
                return False
            return bool(
                self.grants(
                    {
                        "resource_type": ["run"],
                        "resource_id": [run_id],
                        "subject_type": ["share_token"],
                        "subject_id": [token.id],
                        "is_revoked": [0],
                    }
                )
            )
        return False


def _select(columns: str, table: str, wanted: Mapping[str, list[Any]]) -> tuple[str, list[Any]]:
    """Return a query for the rows whose columns have one of the wanted values; columns are trusted names."""
    among = [f"{name} IN ({', '.join('?' * len(values))})" for name, values in wanted.items()]
    query = f"SELECT {columns} FROM {table} WHERE {' AND '.join(['TRUE', *among])}"  # noqa: S608
    return query, [value for values in wanted.values() for value in values]


def _is_before(at: float, end: str | None) -> bool:
    return end is None or at < datetime.fromisoformat(end).timestamp()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
