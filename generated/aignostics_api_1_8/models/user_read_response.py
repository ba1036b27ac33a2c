from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="UserReadResponse")


@_attrs_define
class UserReadResponse:
    """Part of response schema for User object in `Get current user` endpoint.
    This model corresponds to the response schema returned from
    Auth0 GET /v2/users/{id} endpoint.
    For details, see:
    https://auth0.com/docs/api/management/v2/users/get-users-by-id

    """

    id: str
    """ Unique user identifier """
    email: None | str | Unset = UNSET
    """ User email """
    email_verified: bool | None | Unset = UNSET
    family_name: None | str | Unset = UNSET
    given_name: None | str | Unset = UNSET
    name: None | str | Unset = UNSET
    """ First and last name of the user """
    nickname: None | str | Unset = UNSET
    picture: None | str | Unset = UNSET
    updated_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        email: None | str | Unset
        if isinstance(self.email, Unset):
            email = UNSET
        else:
            email = self.email

        email_verified: bool | None | Unset
        if isinstance(self.email_verified, Unset):
            email_verified = UNSET
        else:
            email_verified = self.email_verified

        family_name: None | str | Unset
        if isinstance(self.family_name, Unset):
            family_name = UNSET
        else:
            family_name = self.family_name

        given_name: None | str | Unset
        if isinstance(self.given_name, Unset):
            given_name = UNSET
        else:
            given_name = self.given_name

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        nickname: None | str | Unset
        if isinstance(self.nickname, Unset):
            nickname = UNSET
        else:
            nickname = self.nickname

        picture: None | str | Unset
        if isinstance(self.picture, Unset):
            picture = UNSET
        else:
            picture = self.picture

        updated_at: None | str | Unset
        if isinstance(self.updated_at, Unset):
            updated_at = UNSET
        elif isinstance(self.updated_at, datetime.datetime):
            updated_at = self.updated_at.isoformat()
        else:
            updated_at = self.updated_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
            }
        )
        if email is not UNSET:
            field_dict["email"] = email
        if email_verified is not UNSET:
            field_dict["email_verified"] = email_verified
        if family_name is not UNSET:
            field_dict["family_name"] = family_name
        if given_name is not UNSET:
            field_dict["given_name"] = given_name
        if name is not UNSET:
            field_dict["name"] = name
        if nickname is not UNSET:
            field_dict["nickname"] = nickname
        if picture is not UNSET:
            field_dict["picture"] = picture
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        id = src_dict["id"]

        email = src_dict.get("email", UNSET)

        email_verified = src_dict.get("email_verified", UNSET)

        family_name = src_dict.get("family_name", UNSET)

        given_name = src_dict.get("given_name", UNSET)

        name = src_dict.get("name", UNSET)

        nickname = src_dict.get("nickname", UNSET)

        picture = src_dict.get("picture", UNSET)

        def _parse_updated_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_at_type_0 = datetime.datetime.fromisoformat(data)

                return updated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        updated_at = _parse_updated_at(src_dict.get("updated_at", UNSET))

        user_read_response = cls.__new__(cls)
        user_read_response.id = id
        user_read_response.email = email
        user_read_response.email_verified = email_verified
        user_read_response.family_name = family_name
        user_read_response.given_name = given_name
        user_read_response.name = name
        user_read_response.nickname = nickname
        user_read_response.picture = picture
        user_read_response.updated_at = updated_at
        user_read_response.additional_properties = {}
        if (
            len(src_dict) != 9
            or email is UNSET
            or email_verified is UNSET
            or family_name is UNSET
            or given_name is UNSET
            or name is UNSET
            or nickname is UNSET
            or picture is UNSET
            or updated_at is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "id",
                "email",
                "email_verified",
                "family_name",
                "given_name",
                "name",
                "nickname",
                "picture",
                "updated_at",
            ):
                d.pop(known, None)

            user_read_response.additional_properties = d
        return user_read_response

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
