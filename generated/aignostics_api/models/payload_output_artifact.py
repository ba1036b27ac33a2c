from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PayloadOutputArtifact")


@_attrs_define
class PayloadOutputArtifact:
    data: TransferUrls
    metadata: TransferUrls
    output_artifact_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data = self.data.to_dict()

        metadata = self.metadata.to_dict()

        output_artifact_id = self.output_artifact_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data": data,
                "metadata": metadata,
                "output_artifact_id": output_artifact_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        data = TransferUrls.from_dict(src_dict["data"])

        metadata = TransferUrls.from_dict(src_dict["metadata"])

        output_artifact_id = src_dict["output_artifact_id"]

        payload_output_artifact = cls.__new__(cls)
        payload_output_artifact.data = data
        payload_output_artifact.metadata = metadata
        payload_output_artifact.output_artifact_id = output_artifact_id
        payload_output_artifact.additional_properties = {}
        if len(src_dict) != 3:
            d = dict(src_dict)
            for known in (
                "data",
                "metadata",
                "output_artifact_id",
            ):
                d.pop(known, None)

            payload_output_artifact.additional_properties = d
        return payload_output_artifact

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


from ..models.transfer_urls import TransferUrls
