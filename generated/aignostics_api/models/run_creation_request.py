from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.item_creation_request import ItemCreationRequest


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
        from ..models.item_creation_request import ItemCreationRequest

        d = dict(src_dict)
        application_version_id = d.pop("application_version_id")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = ItemCreationRequest.from_dict(items_item_data)

            items.append(items_item)

        run_creation_request = cls(
            application_version_id=application_version_id,
            items=items,
        )

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
