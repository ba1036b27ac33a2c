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
        d = dict(src_dict)
        metadata_schema = d.pop("metadata_schema")

        mime_type = d.pop("mime_type")

        name = d.pop("name")

        scope = OutputArtifactScope(d.pop("scope"))

        output_artifact_read_response = cls(
            metadata_schema=metadata_schema,
            mime_type=mime_type,
            name=name,
            scope=scope,
        )

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
