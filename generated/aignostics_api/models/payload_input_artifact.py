from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="PayloadInputArtifact")


@_attrs_define
class PayloadInputArtifact:
    download_url: str
    metadata: Any
    input_artifact_id: UUID | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        download_url = self.download_url

        metadata = self.metadata

        input_artifact_id: str | Unset = UNSET
        if not isinstance(self.input_artifact_id, Unset):
            input_artifact_id = str(self.input_artifact_id)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "download_url": download_url,
                "metadata": metadata,
            }
        )
        if input_artifact_id is not UNSET:
            field_dict["input_artifact_id"] = input_artifact_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        download_url = d.pop("download_url")

        metadata = d.pop("metadata")

        _input_artifact_id = d.pop("input_artifact_id", UNSET)
        input_artifact_id: UUID | Unset
        if isinstance(_input_artifact_id, Unset):
            input_artifact_id = UNSET
        else:
            input_artifact_id = UUID(_input_artifact_id)

        payload_input_artifact = cls(
            download_url=download_url,
            metadata=metadata,
            input_artifact_id=input_artifact_id,
        )

        payload_input_artifact.additional_properties = d
        return payload_input_artifact

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
