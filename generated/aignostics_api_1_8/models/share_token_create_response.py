from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ShareTokenCreateResponse")


@_attrs_define
class ShareTokenCreateResponse:
    """Returned only on POST — includes the one-time share_token."""

    created_at: datetime.datetime
    expires_at: datetime.datetime | None
    revoked: bool
    share_token: str
    share_token_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        revoked = self.revoked

        share_token = self.share_token

        share_token_id = self.share_token_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "expires_at": expires_at,
                "revoked": revoked,
                "share_token": share_token,
                "share_token_id": share_token_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        created_at = datetime.datetime.fromisoformat(src_dict["created_at"])

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(src_dict.get("expires_at"))

        revoked = src_dict["revoked"]

        share_token = src_dict["share_token"]

        share_token_id = src_dict["share_token_id"]

        share_token_create_response = cls.__new__(cls)
        share_token_create_response.created_at = created_at
        share_token_create_response.expires_at = expires_at
        share_token_create_response.revoked = revoked
        share_token_create_response.share_token = share_token
        share_token_create_response.share_token_id = share_token_id
        share_token_create_response.additional_properties = {}
        if len(src_dict) != 5 or (expires_at is None and "expires_at" not in src_dict):
            d = dict(src_dict)
            for known in (
                "created_at",
                "expires_at",
                "revoked",
                "share_token",
                "share_token_id",
            ):
                d.pop(known, None)

            share_token_create_response.additional_properties = d
        return share_token_create_response

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
