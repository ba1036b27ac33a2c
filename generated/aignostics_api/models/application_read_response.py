from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ApplicationReadResponse")


@_attrs_define
class ApplicationReadResponse:
    application_id: str
    """ Application ID """
    description: str
    """ Application documentations """
    name: str
    """ Application display name """
    regulatory_classes: list[str]
    """ Regulatory class, to which the applications compliance """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        description = self.description

        name = self.name

        regulatory_classes = self.regulatory_classes

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

        application_read_response = cls.__new__(cls)
        application_read_response.application_id = application_id
        application_read_response.description = description
        application_read_response.name = name
        application_read_response.regulatory_classes = regulatory_classes
        application_read_response.additional_properties = {}
        if len(src_dict) != 4:
            d = dict(src_dict)
            for known in (
                "application_id",
                "description",
                "name",
                "regulatory_classes",
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
