from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.output_artifact_scope import OutputArtifactScope

T = TypeVar("T", bound="OutputArtifactReadResponse")


@_attrs_define
class OutputArtifactReadResponse:
    metadata_schema: Any
    mime_type: str
    name: str
    scope: OutputArtifactScope
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        metadata_schema = self.metadata_schema

        mime_type = self.mime_type

        name = self.name

        scope = self.scope.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "metadata_schema": metadata_schema,
                "mime_type": mime_type,
                "name": name,
                "scope": scope,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        metadata_schema = src_dict.get("metadata_schema")

        mime_type = src_dict["mime_type"]

        name = src_dict["name"]

        _scope = src_dict["scope"]
        scope = OutputArtifactScope._value2member_map_.get(
            _scope
        ) or OutputArtifactScope(_scope)

        output_artifact_read_response = cls.__new__(cls)
        output_artifact_read_response.metadata_schema = metadata_schema
        output_artifact_read_response.mime_type = mime_type
        output_artifact_read_response.name = name
        output_artifact_read_response.scope = scope
        output_artifact_read_response.additional_properties = {}
        if len(src_dict) != 4 or (
            metadata_schema is None and "metadata_schema" not in src_dict
        ):
            d = dict(src_dict)
            for known in (
                "metadata_schema",
                "mime_type",
                "name",
                "scope",
            ):
                d.pop(known, None)

            output_artifact_read_response.additional_properties = d
        return output_artifact_read_response

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
