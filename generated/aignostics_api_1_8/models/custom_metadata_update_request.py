from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CustomMetadataUpdateRequest")


@_attrs_define
class CustomMetadataUpdateRequest:
    custom_metadata: Any | Unset = UNSET
    """ JSON metadata that should be set for the run """
    custom_metadata_checksum: None | str | Unset = UNSET
    """ Optional field to verify that the latest custom metadata was known. If set to the checksum retrieved via the
    /runs endpoint, it must match the checksum of the current value in the database. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        custom_metadata = self.custom_metadata

        custom_metadata_checksum: None | str | Unset
        if isinstance(self.custom_metadata_checksum, Unset):
            custom_metadata_checksum = UNSET
        else:
            custom_metadata_checksum = self.custom_metadata_checksum

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if custom_metadata is not UNSET:
            field_dict["custom_metadata"] = custom_metadata
        if custom_metadata_checksum is not UNSET:
            field_dict["custom_metadata_checksum"] = custom_metadata_checksum

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        custom_metadata = src_dict.get("custom_metadata", UNSET)

        custom_metadata_checksum = src_dict.get("custom_metadata_checksum", UNSET)

        custom_metadata_update_request = cls.__new__(cls)
        custom_metadata_update_request.custom_metadata = custom_metadata
        custom_metadata_update_request.custom_metadata_checksum = (
            custom_metadata_checksum
        )
        custom_metadata_update_request.additional_properties = {}
        if (
            len(src_dict) != 2
            or custom_metadata is UNSET
            or custom_metadata_checksum is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "custom_metadata",
                "custom_metadata_checksum",
            ):
                d.pop(known, None)

            custom_metadata_update_request.additional_properties = d
        return custom_metadata_update_request

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
