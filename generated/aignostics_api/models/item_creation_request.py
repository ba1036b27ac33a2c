from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ItemCreationRequest")


@_attrs_define
class ItemCreationRequest:
    input_artifacts: list[InputArtifactCreationRequest]
    """ All the input files of the item, required by the application version """
    reference: str
    """ The ID of the slide provided by the caller. The reference should be unique across all items of the
    application run """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        input_artifacts = []
        for input_artifacts_item_data in self.input_artifacts:
            input_artifacts_item = input_artifacts_item_data.to_dict()
            input_artifacts.append(input_artifacts_item)

        reference = self.reference

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "input_artifacts": input_artifacts,
                "reference": reference,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        _input_artifacts = src_dict["input_artifacts"]
        if not isinstance(_input_artifacts, list):
            raise TypeError("input_artifacts is no list")
        input_artifacts = [
            InputArtifactCreationRequest.from_dict(each) for each in _input_artifacts
        ]

        reference = src_dict["reference"]

        item_creation_request = cls.__new__(cls)
        item_creation_request.input_artifacts = input_artifacts
        item_creation_request.reference = reference
        item_creation_request.additional_properties = {}
        if len(src_dict) != 2:
            d = dict(src_dict)
            for known in (
                "input_artifacts",
                "reference",
            ):
                d.pop(known, None)

            item_creation_request.additional_properties = d
        return item_creation_request

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


from ..models.input_artifact_creation_request import InputArtifactCreationRequest
