from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CustomMetadataUpdateResponse")


@_attrs_define
class CustomMetadataUpdateResponse:
    custom_metadata_checksum: None | str
    """ The checksum of the updated custom metadata. If the `custom_metadata` is None,
    the checksum also None. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        custom_metadata_checksum: None | str
        custom_metadata_checksum = self.custom_metadata_checksum

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "custom_metadata_checksum": custom_metadata_checksum,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        custom_metadata_checksum = src_dict.get("custom_metadata_checksum")

        custom_metadata_update_response = cls.__new__(cls)
        custom_metadata_update_response.custom_metadata_checksum = (
            custom_metadata_checksum
        )
        custom_metadata_update_response.additional_properties = {}
        if len(src_dict) != 1 or (
            custom_metadata_checksum is None
            and "custom_metadata_checksum" not in src_dict
        ):
            d = dict(src_dict)
            for known in ("custom_metadata_checksum",):
                d.pop(known, None)

            custom_metadata_update_response.additional_properties = d
        return custom_metadata_update_response

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
