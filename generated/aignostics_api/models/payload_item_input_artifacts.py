from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PayloadItemInputArtifacts")


@_attrs_define
class PayloadItemInputArtifacts:
    additional_properties: dict[str, PayloadInputArtifact] = _attrs_field(
        init=False, factory=dict
    )

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        payload_item_input_artifacts = cls.__new__(cls)
        payload_item_input_artifacts.additional_properties = {}
        if len(src_dict) != 0:
            d = dict(src_dict)

            additional_properties = {}
            for prop_name, prop_dict in d.items():
                additional_property = PayloadInputArtifact.from_dict(prop_dict)

                additional_properties[prop_name] = additional_property

            payload_item_input_artifacts.additional_properties = additional_properties
        return payload_item_input_artifacts

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> PayloadInputArtifact:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: PayloadInputArtifact) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


from ..models.payload_input_artifact import PayloadInputArtifact
