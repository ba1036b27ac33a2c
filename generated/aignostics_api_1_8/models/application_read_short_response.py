from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ApplicationReadShortResponse")


@_attrs_define
class ApplicationReadShortResponse:
    """Response schema for `List available applications` and `Read Application by Id` endpoints"""

    application_id: str
    """ Application ID """
    description: str
    """ Describing what the application can do  """
    name: str
    """ Application display name """
    regulatory_classes: list[str]
    """ Regulatory classes, to which the applications comply with. Possible values include: RUO, IVDR, FDA. """
    latest_version: ApplicationVersion | None | Unset = UNSET
    """ The version with highest version number available to the user """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        description = self.description

        name = self.name

        regulatory_classes = self.regulatory_classes

        latest_version: dict[str, Any] | None | Unset
        if isinstance(self.latest_version, Unset):
            latest_version = UNSET
        elif isinstance(self.latest_version, ApplicationVersion):
            latest_version = self.latest_version.to_dict()
        else:
            latest_version = self.latest_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_id": application_id,
                "description": description,
                "name": name,
                "regulatory_classes": regulatory_classes,
            }
        )
        if latest_version is not UNSET:
            field_dict["latest_version"] = latest_version

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_id = src_dict["application_id"]

        description = src_dict["description"]

        name = src_dict["name"]

        _regulatory_classes = src_dict["regulatory_classes"]
        if not isinstance(_regulatory_classes, list):
            raise TypeError("regulatory_classes is no list")
        regulatory_classes = _regulatory_classes

        def _parse_latest_version(data: object) -> ApplicationVersion | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                latest_version_type_0 = ApplicationVersion.from_dict(data)

                return latest_version_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ApplicationVersion | None | Unset, data)

        latest_version = _parse_latest_version(src_dict.get("latest_version", UNSET))

        application_read_short_response = cls.__new__(cls)
        application_read_short_response.application_id = application_id
        application_read_short_response.description = description
        application_read_short_response.name = name
        application_read_short_response.regulatory_classes = regulatory_classes
        application_read_short_response.latest_version = latest_version
        application_read_short_response.additional_properties = {}
        if len(src_dict) != 5 or latest_version is UNSET:
            d = dict(src_dict)
            for known in (
                "application_id",
                "description",
                "name",
                "regulatory_classes",
                "latest_version",
            ):
                d.pop(known, None)

            application_read_short_response.additional_properties = d
        return application_read_short_response

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


from ..models.application_version import ApplicationVersion
