from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ApplicationVersion")


@_attrs_define
class ApplicationVersion:
    number: str
    """ The number of the latest version """
    released_at: datetime.datetime
    """ The timestamp for when the application version was made available in the Platform """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        number = self.number

        released_at = self.released_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "number": number,
                "released_at": released_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        number = src_dict["number"]

        released_at = datetime.datetime.fromisoformat(src_dict["released_at"])

        application_version = cls.__new__(cls)
        application_version.number = number
        application_version.released_at = released_at
        application_version.additional_properties = {}
        if len(src_dict) != 2:
            d = dict(src_dict)
            for known in (
                "number",
                "released_at",
            ):
                d.pop(known, None)

            application_version.additional_properties = d
        return application_version

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
