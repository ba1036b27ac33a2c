from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="InputArtifactReadResponse")


@_attrs_define
class InputArtifactReadResponse:
    metadata_schema: Any
    mime_type: str
    name: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        metadata_schema = self.metadata_schema

        mime_type = self.mime_type

        name = self.name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "metadata_schema": metadata_schema,
                "mime_type": mime_type,
                "name": name,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        metadata_schema = src_dict.get("metadata_schema")

        mime_type = src_dict["mime_type"]

        name = src_dict["name"]

        input_artifact_read_response = cls.__new__(cls)
        input_artifact_read_response.metadata_schema = metadata_schema
        input_artifact_read_response.mime_type = mime_type
        input_artifact_read_response.name = name
        input_artifact_read_response.additional_properties = {}
        if len(src_dict) != 3 or (
            metadata_schema is None and "metadata_schema" not in src_dict
        ):
            d = dict(src_dict)
            for known in (
                "metadata_schema",
                "mime_type",
                "name",
            ):
                d.pop(known, None)

            input_artifact_read_response.additional_properties = d
        return input_artifact_read_response

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
