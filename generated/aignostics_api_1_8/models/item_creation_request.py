from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ItemCreationRequest")


@_attrs_define
class ItemCreationRequest:
    """Individual item (slide) to be processed in a run."""

    external_id: str
    """ Unique identifier for this item within the run. Used for referencing items. Must be unique across all items
    in the same run """
    input_artifacts: list[InputArtifactCreationRequest]
    """ List of input artifacts for this item. For Atlas H&E-TME, typically contains one artifact (the slide image)
    """
    custom_metadata: Any | Unset = UNSET
    """ Optional JSON custom_metadata to store additional information alongside an item. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        external_id = self.external_id

        input_artifacts = []
        for input_artifacts_item_data in self.input_artifacts:
            input_artifacts_item = input_artifacts_item_data.to_dict()
            input_artifacts.append(input_artifacts_item)

        custom_metadata = self.custom_metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "external_id": external_id,
                "input_artifacts": input_artifacts,
            }
        )
        if custom_metadata is not UNSET:
            field_dict["custom_metadata"] = custom_metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        external_id = src_dict["external_id"]

        _input_artifacts = src_dict["input_artifacts"]
        if not isinstance(_input_artifacts, list):
            raise TypeError("input_artifacts is no list")
        input_artifacts = [
            InputArtifactCreationRequest.from_dict(each) for each in _input_artifacts
        ]

        custom_metadata = src_dict.get("custom_metadata", UNSET)

        item_creation_request = cls.__new__(cls)
        item_creation_request.external_id = external_id
        item_creation_request.input_artifacts = input_artifacts
        item_creation_request.custom_metadata = custom_metadata
        item_creation_request.additional_properties = {}
        if len(src_dict) != 3 or custom_metadata is UNSET:
            d = dict(src_dict)
            for known in (
                "external_id",
                "input_artifacts",
                "custom_metadata",
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
