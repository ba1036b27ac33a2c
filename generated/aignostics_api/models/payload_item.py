from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PayloadItem")


@_attrs_define
class PayloadItem:
    input_artifacts: PayloadItemInputArtifacts
    item_id: str
    output_artifacts: PayloadItemOutputArtifacts
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        input_artifacts = self.input_artifacts.to_dict()

        item_id = self.item_id

        output_artifacts = self.output_artifacts.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "input_artifacts": input_artifacts,
                "item_id": item_id,
                "output_artifacts": output_artifacts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        input_artifacts = PayloadItemInputArtifacts.from_dict(
            src_dict["input_artifacts"]
        )

        item_id = src_dict["item_id"]

        output_artifacts = PayloadItemOutputArtifacts.from_dict(
            src_dict["output_artifacts"]
        )

        payload_item = cls.__new__(cls)
        payload_item.input_artifacts = input_artifacts
        payload_item.item_id = item_id
        payload_item.output_artifacts = output_artifacts
        payload_item.additional_properties = {}
        if len(src_dict) != 3:
            d = dict(src_dict)
            for known in (
                "input_artifacts",
                "item_id",
                "output_artifacts",
            ):
                d.pop(known, None)

            payload_item.additional_properties = d
        return payload_item

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


from ..models.payload_item_input_artifacts import PayloadItemInputArtifacts
from ..models.payload_item_output_artifacts import PayloadItemOutputArtifacts
