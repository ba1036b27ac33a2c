"""Grants and share tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ...platform._access import StoredGrant, StoredShareToken
from ...platform._account import USER
from ...platform._history import timestamp
from .._request_validation import InvalidRequest, validation_error
from .._selection import selection

if TYPE_CHECKING:
    from ...platform._platform import Platform
    from .._endpoints import Handler

_GRANT_FIELDS = {
    "grant_id": "id",
    "resource_type": "resource_type",
    "resource_id": "resource_id",
    "subject_type": "subject_type",
    "subject_id": "subject_id",
    "relation": "relation",
    "created_at": "created_at",
    "revoked": "is_revoked",
}
_TOKEN_FIELDS = {
    "share_token_id": "id",
    "created_at": "created_at",
    "expires_at": "expires_at",
    "revoked": "is_revoked",
}


class AccessHandlers:
    """The operations on grants and share tokens."""

    def __init__(self, platform: Platform) -> None:
        self._access = platform.access

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "create_grant": self._create_grant,
            "list_grants": self._list_grants,
            "get_grant": lambda values: JSONResponse(_grant_json(self._grant(values))),
            "revoke_grant": self._revoke_grant,
            "create_share_token": self._create_token,
            "list_share_tokens": self._list_tokens,
            "get_share_token": lambda values: JSONResponse(_token_json(self._token(values))),
            "revoke_share_token": self._revoke_token,
        }

    # Grants

    def _create_grant(self, values: dict[str, Any]) -> Response:
        body = values["body"]
        subject = _subject(body)
        if body["relation"] != "viewer":
            raise _invalid("relation", "Only viewer grants can be created")
        resource_id = body["resource_id"].lower()
        if not self._access.has_resource(body["resource_type"], resource_id):
            raise HTTPException(404, "Resource not found")
        columns = {**body, "resource_id": resource_id, "subject_id": subject}
        return JSONResponse(_grant_json(self._access.add_grant(columns, timestamp(values["at"]))), 201)

    def _list_grants(self, values: dict[str, Any]) -> Response:
        wanted = _wanted(values, "resource_type", "resource_id", "subject_type", "subject_id")
        if values["relation"] is not None:
            wanted["relation"] = values["relation"]
        found = self._access.grants(wanted, selection(values, _GRANT_FIELDS))
        return JSONResponse([_grant_json(grant) for grant in found])

    def _revoke_grant(self, values: dict[str, Any]) -> Response:
        if self._grant(values).is_revoked:
            raise HTTPException(409, "The grant is revoked already")
        self._access.revoke_grant(values["grant_id"].lower())
        return JSONResponse(_grant_json(self._grant(values)))

    def _grant(self, values: dict[str, Any]) -> StoredGrant:
        grant = self._access.grant(values["grant_id"].lower())
        if grant is None:
            raise HTTPException(404, "Grant not found")
        return grant

    # Share tokens

    def _create_token(self, values: dict[str, Any]) -> Response:
        text, token = self._access.add_token(timestamp(values["at"]), values["body"].get("expires_at"))
        return JSONResponse({**_token_json(token), "share_token": text}, 201)

    def _list_tokens(self, values: dict[str, Any]) -> Response:
        wanted = _wanted(values)
        if values["run_id"] is not None:
            grants = {"resource_id": [values["run_id"].lower()], "subject_type": ["share_token"]}
            wanted["id"] = [grant.subject_id for grant in self._access.grants(grants)]
        page = selection(values, _TOKEN_FIELDS)
        found = self._access.tokens(wanted, page) if values["created_by"] in (None, USER) else []
        return JSONResponse([_token_json(token) for token in found])

    def _revoke_token(self, values: dict[str, Any]) -> Response:
        if self._token(values).is_revoked:
            raise HTTPException(409, "The share token is revoked already")
        self._access.revoke_token(values["share_token_id"].lower())
        return JSONResponse(_token_json(self._token(values)))

    def _token(self, values: dict[str, Any]) -> StoredShareToken:
        token = self._access.token(values["share_token_id"].lower())
        if token is None:
            raise HTTPException(404, "Share token not found")
        return token


def _wanted(values: dict[str, Any], *names: str) -> dict[str, list[Any]]:
    """Return the filters of a request by column."""
    wanted = {name: [values[name]] for name in names if values[name] is not None}
    if values["revoked"] is not None:
        wanted["is_revoked"] = [values["revoked"]]
    return wanted


def _subject(body: dict[str, Any]) -> str:
    """Return the id of a grant's subject; users may be named by their e-mail address."""
    if body.get("subject_id") is not None:
        return str(body["subject_id"])
    if body["subject_type"] == "user" and body.get("subject_email") is not None:
        return f"emulator|{body['subject_email']}"
    raise _invalid("subject_id", "Name the subject, a user also by subject_email")


def _invalid(field: str, told: str) -> InvalidRequest:
    return InvalidRequest([validation_error(["body", field], told)])


def _grant_json(grant: StoredGrant) -> dict[str, Any]:
    return {
        "grant_id": grant.id,
        "resource_type": grant.resource_type,
        "resource_id": grant.resource_id,
        "subject_type": grant.subject_type,
        "subject_id": grant.subject_id,
        "relation": grant.relation,
        "created_by": USER,
        "created_at": grant.created_at,
        "revoked": grant.is_revoked,
    }


def _token_json(token: StoredShareToken) -> dict[str, Any]:
    return {
        "share_token_id": token.id,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked": token.is_revoked,
    }
