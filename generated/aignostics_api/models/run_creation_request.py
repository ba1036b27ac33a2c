from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RunCreationRequest")


@_attrs_define
class RunCreationRequest:
    application_version_id: str
    """ Application version ID """
    items: list[ItemCreationRequest]
    """ List of the items to process by the application """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_version_id = self.application_version_id

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_version_id": application_version_id,
                "items": items,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_version_id = src_dict["application_version_id"]

        _items = src_dict["items"]
        if not isinstance(_items, list):
            raise TypeError("items is no list")
        items = [ItemCreationRequest.from_dict(each) for each in _items]

        run_creation_request = cls.__new__(cls)
        run_creation_request.application_version_id = application_version_id
        run_creation_request.items = items
        run_creation_request.additional_properties = {}
        if len(src_dict) != 2:
            d = dict(src_dict)
            for known in (
                "application_version_id",
                "items",
            ):
                d.pop(known, None)

            run_creation_request.additional_properties = d
        return run_creation_request

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


from ..models.item_creation_request import ItemCreationRequest
