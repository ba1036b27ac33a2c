from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.version_document_visibility import VersionDocumentVisibility

T = TypeVar("T", bound="VersionDocumentResponse")


@_attrs_define
class VersionDocumentResponse:
    created_at: datetime.datetime
    id: str
    mime_type: str
    name: str
    updated_at: datetime.datetime
    visibility: VersionDocumentVisibility
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        id = self.id

        mime_type = self.mime_type

        name = self.name

        updated_at = self.updated_at.isoformat()

        visibility = self.visibility.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "id": id,
                "mime_type": mime_type,
                "name": name,
                "updated_at": updated_at,
                "visibility": visibility,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        created_at = datetime.datetime.fromisoformat(src_dict["created_at"])

        id = src_dict["id"]

        mime_type = src_dict["mime_type"]

        name = src_dict["name"]

        updated_at = datetime.datetime.fromisoformat(src_dict["updated_at"])

        _visibility = src_dict["visibility"]
        visibility = VersionDocumentVisibility._value2member_map_.get(
            _visibility
        ) or VersionDocumentVisibility(_visibility)

        version_document_response = cls.__new__(cls)
        version_document_response.created_at = created_at
        version_document_response.id = id
        version_document_response.mime_type = mime_type
        version_document_response.name = name
        version_document_response.updated_at = updated_at
        version_document_response.visibility = visibility
        version_document_response.additional_properties = {}
        if len(src_dict) != 6:
            d = dict(src_dict)
            for known in (
                "created_at",
                "id",
                "mime_type",
                "name",
                "updated_at",
                "visibility",
            ):
                d.pop(known, None)

            version_document_response.additional_properties = d
        return version_document_response

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
