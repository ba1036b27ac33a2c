from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="OrganizationReadResponse")


@_attrs_define
class OrganizationReadResponse:
    """Part of response schema for Organization object in `Get current user` endpoint.
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
    system performance for your integration.

    """

    aignostics_bucket_hmac_access_key_id: str
    """ HMAC access key ID for the Aignostics-provided storage bucket. Used to authenticate requests for uploading
    files and generating signed URLs """
    aignostics_bucket_hmac_secret_access_key: str
    """ HMAC secret access key paired with the access key ID. Keep this credential secure. """
    aignostics_bucket_name: str
    """ Name of the bucket provided by Aignostics for storing input artifacts (slide images) """
    aignostics_bucket_protocol: str
    """ Protocol to use for bucket access. Defines the URL scheme for connecting to the storage service """
    aignostics_logfire_token: str
    """ Authentication token for Logfire observability service. Enables sending application logs and performance
    metrics to Aignostics for monitoring and support """
    aignostics_sentry_dsn: str
    """ Data Source Name (DSN) for Sentry error tracking service. Allows automatic reporting of errors and
    exceptions to Aignostics support team """
    id: str
    """ Unique organization identifier """
    display_name: None | str | Unset = UNSET
    """ Public organization name (E.g. “Aignostics GmbH”) """
    name: None | str | Unset = UNSET
    """ Organization name (E.g. “aignx”) """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        aignostics_bucket_hmac_access_key_id = self.aignostics_bucket_hmac_access_key_id

        aignostics_bucket_hmac_secret_access_key = (
            self.aignostics_bucket_hmac_secret_access_key
        )

        aignostics_bucket_name = self.aignostics_bucket_name

        aignostics_bucket_protocol = self.aignostics_bucket_protocol

        aignostics_logfire_token = self.aignostics_logfire_token

        aignostics_sentry_dsn = self.aignostics_sentry_dsn

        id = self.id

        display_name: None | str | Unset
        if isinstance(self.display_name, Unset):
            display_name = UNSET
        else:
            display_name = self.display_name

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "aignostics_bucket_hmac_access_key_id": aignostics_bucket_hmac_access_key_id,
                "aignostics_bucket_hmac_secret_access_key": aignostics_bucket_hmac_secret_access_key,
                "aignostics_bucket_name": aignostics_bucket_name,
                "aignostics_bucket_protocol": aignostics_bucket_protocol,
                "aignostics_logfire_token": aignostics_logfire_token,
                "aignostics_sentry_dsn": aignostics_sentry_dsn,
                "id": id,
            }
        )
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        aignostics_bucket_hmac_access_key_id = src_dict[
            "aignostics_bucket_hmac_access_key_id"
        ]

        aignostics_bucket_hmac_secret_access_key = src_dict[
            "aignostics_bucket_hmac_secret_access_key"
        ]

        aignostics_bucket_name = src_dict["aignostics_bucket_name"]

        aignostics_bucket_protocol = src_dict["aignostics_bucket_protocol"]

        aignostics_logfire_token = src_dict["aignostics_logfire_token"]

        aignostics_sentry_dsn = src_dict["aignostics_sentry_dsn"]

        id = src_dict["id"]

        display_name = src_dict.get("display_name", UNSET)

        name = src_dict.get("name", UNSET)

        organization_read_response = cls.__new__(cls)
        organization_read_response.aignostics_bucket_hmac_access_key_id = (
            aignostics_bucket_hmac_access_key_id
        )
        organization_read_response.aignostics_bucket_hmac_secret_access_key = (
            aignostics_bucket_hmac_secret_access_key
        )
        organization_read_response.aignostics_bucket_name = aignostics_bucket_name
        organization_read_response.aignostics_bucket_protocol = (
            aignostics_bucket_protocol
        )
        organization_read_response.aignostics_logfire_token = aignostics_logfire_token
        organization_read_response.aignostics_sentry_dsn = aignostics_sentry_dsn
        organization_read_response.id = id
        organization_read_response.display_name = display_name
        organization_read_response.name = name
        organization_read_response.additional_properties = {}
        if len(src_dict) != 9 or display_name is UNSET or name is UNSET:
            d = dict(src_dict)
            for known in (
                "aignostics_bucket_hmac_access_key_id",
                "aignostics_bucket_hmac_secret_access_key",
                "aignostics_bucket_name",
                "aignostics_bucket_protocol",
                "aignostics_logfire_token",
                "aignostics_sentry_dsn",
                "id",
                "display_name",
                "name",
            ):
                d.pop(known, None)

            organization_read_response.additional_properties = d
        return organization_read_response

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
