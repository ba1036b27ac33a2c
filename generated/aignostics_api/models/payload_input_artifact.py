from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="PayloadInputArtifact")


@_attrs_define
class PayloadInputArtifact:
    download_url: str
    metadata: Any
    input_artifact_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        download_url = self.download_url

        metadata = self.metadata

        input_artifact_id = self.input_artifact_id

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
        download_url = src_dict["download_url"]

        metadata = src_dict.get("metadata")

        input_artifact_id = src_dict.get("input_artifact_id", UNSET)

        payload_input_artifact = cls.__new__(cls)
        payload_input_artifact.download_url = download_url
        payload_input_artifact.metadata = metadata
        payload_input_artifact.input_artifact_id = input_artifact_id
        payload_input_artifact.additional_properties = {}
        if (
            len(src_dict) != 3
            or (metadata is None and "metadata" not in src_dict)
            or input_artifact_id is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "download_url",
                "metadata",
                "input_artifact_id",
            ):
                d.pop(known, None)

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
