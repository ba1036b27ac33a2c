from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ApplicationReadResponse")


@_attrs_define
class ApplicationReadResponse:
    """Response schema for `List available applications` and `Read Application by Id` endpoints"""

    application_id: str
    """ Application ID """
    description: str
    """ Describing what the application can do  """
    name: str
    """ Application display name """
    regulatory_classes: list[str]
    """ Regulatory classes, to which the applications comply with. Possible values include: RUO, IVDR, FDA. """
    versions: list[ApplicationVersion]
    """ All version numbers available to the user """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        description = self.description

        name = self.name

        regulatory_classes = self.regulatory_classes

        versions = []
        for versions_item_data in self.versions:
            versions_item = versions_item_data.to_dict()
            versions.append(versions_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_id": application_id,
                "description": description,
                "name": name,
                "regulatory_classes": regulatory_classes,
                "versions": versions,
            }
        )

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

        _versions = src_dict["versions"]
        if not isinstance(_versions, list):
            raise TypeError("versions is no list")
        versions = [ApplicationVersion.from_dict(each) for each in _versions]

        application_read_response = cls.__new__(cls)
        application_read_response.application_id = application_id
        application_read_response.description = description
        application_read_response.name = name
        application_read_response.regulatory_classes = regulatory_classes
        application_read_response.versions = versions
        application_read_response.additional_properties = {}
        if len(src_dict) != 5:
            d = dict(src_dict)
            for known in (
                "application_id",
                "description",
                "name",
                "regulatory_classes",
                "versions",
            ):
                d.pop(known, None)

            application_read_response.additional_properties = d
        return application_read_response

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
