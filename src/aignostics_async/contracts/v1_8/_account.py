"""From the answer of `GET /v1/me` to the models of `_account_models.py`."""

from __future__ import annotations

from typing import Any

from aignostics_api_1_8.models import MeReadResponse, OrganizationReadResponse
from aignostics_api_1_8.types import Unset
from attrs import fields

from ..._account_models import Me, Organization, OrganizationBucket, User
from ..._core._secret import Secret
from .._decoding import optional_text, text

_NOTHING = dict.fromkeys(each.name for each in fields(OrganizationReadResponse) if each.init)


def me(raw: dict[str, Any]) -> Me:
    """Decode the user and the organization."""
    wire = MeReadResponse.from_dict(_whole(raw))
    user, organization = wire.user, wire.organization
    return Me(
        User(text(user.id, "id"), _told(user.email, "email"), _told(user.name, "name")),
        Organization(
            text(organization.id, "id"),
            _told(organization.name, "name"),
            _told(organization.display_name, "display_name"),
            bucket(raw).address,
        ),
    )


def bucket(raw: dict[str, Any]) -> OrganizationBucket:
    """Decode the bucket of the organization and its key."""
    wire = MeReadResponse.from_dict(_whole(raw)).organization
    return OrganizationBucket(
        protocol=_or_empty(wire.aignostics_bucket_protocol),
        name=_or_empty(wire.aignostics_bucket_name),
        key_id=Secret(_or_empty(wire.aignostics_bucket_hmac_access_key_id)),
        key_secret=Secret(_or_empty(wire.aignostics_bucket_hmac_secret_access_key)),
    )


def _whole(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with null for each field that its organization lacks: the SDK reads few of them."""
    return {**raw, "organization": {**_NOTHING, **raw["organization"]}}


def _or_empty(given: object) -> str:
    """Return a text; an empty one for null, where an organization has no bucket."""
    return optional_text(given, "a field of the bucket") or ""


def _told(given: object, field: str) -> str | None:
    return None if isinstance(given, Unset) else optional_text(given, field) or None
