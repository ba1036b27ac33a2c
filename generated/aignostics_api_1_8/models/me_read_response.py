from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="MeReadResponse")


@_attrs_define
class MeReadResponse:
    """Response schema for `Get current user` endpoint"""

    organization: OrganizationReadResponse
    """ Part of response schema for Organization object in `Get current user` endpoint.
    This model corresponds to the response schema returned from
    Auth0 GET /v2/organizations/{id} endpoint, flattens out the metadata out
    and doesn't return branding or token_quota objects.
    For details, see:
    https://auth0.com/docs/api/management/v2/organizations/get-organizations-by-id

    #### Configuration for integrating with Aignostics Platform services.

    The Aignostics Platform API requires signed URLs for input artifacts (slide images). To simplify this process,
    Aignostics provides a dedicated storage bucket. The HMAC credentials below grant read and write
    access to this bucket, allowing you to upload files and generate the signed URLs needed for API calls.

    Additionally, logging and error reporting tokens enable Aignostics to provide better support and monitor
    system performance for your integration. """
    user: UserReadResponse
    """ Part of response schema for User object in `Get current user` endpoint.
    This model corresponds to the response schema returned from
    Auth0 GET /v2/users/{id} endpoint.
    For details, see:
    https://auth0.com/docs/api/management/v2/users/get-users-by-id """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        organization = self.organization.to_dict()

        user = self.user.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "organization": organization,
                "user": user,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        organization = OrganizationReadResponse.from_dict(src_dict["organization"])

        user = UserReadResponse.from_dict(src_dict["user"])

        me_read_response = cls.__new__(cls)
        me_read_response.organization = organization
        me_read_response.user = user
        me_read_response.additional_properties = {}
        if len(src_dict) != 2:
            d = dict(src_dict)
            for known in (
                "organization",
                "user",
            ):
                d.pop(known, None)

            me_read_response.additional_properties = d
        return me_read_response

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


from ..models.organization_read_response import OrganizationReadResponse
from ..models.user_read_response import UserReadResponse
