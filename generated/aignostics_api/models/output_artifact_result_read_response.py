from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="OutputArtifactResultReadResponse")


@_attrs_define
class OutputArtifactResultReadResponse:
    download_url: None | str
    """ The download URL to the output file. The URL is valid for 1 hour after the endpoint is called.
    A new URL is generated every time the endpoint is called. """
    metadata: Any
    """ The metadata of the output artifact, provided by the application """
    name: str
    """ Name of the output from the output schema from the `/v1/versions/{version_id}` endpoint. """
    output_artifact_id: str
    """ The Id of the artifact. Used internally """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        download_url: None | str
        download_url = self.download_url

        metadata = self.metadata

        name = self.name

        output_artifact_id = self.output_artifact_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "download_url": download_url,
                "metadata": metadata,
                "name": name,
                "output_artifact_id": output_artifact_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        download_url = src_dict.get("download_url")

        metadata = src_dict.get("metadata")

        name = src_dict["name"]

        output_artifact_id = src_dict["output_artifact_id"]

        output_artifact_result_read_response = cls.__new__(cls)
        output_artifact_result_read_response.download_url = download_url
        output_artifact_result_read_response.metadata = metadata
        output_artifact_result_read_response.name = name
        output_artifact_result_read_response.output_artifact_id = output_artifact_id
        output_artifact_result_read_response.additional_properties = {}
        if (
            len(src_dict) != 4
            or (download_url is None and "download_url" not in src_dict)
            or (metadata is None and "metadata" not in src_dict)
        ):
            d = dict(src_dict)
            for known in (
                "download_url",
                "metadata",
                "name",
                "output_artifact_id",
            ):
                d.pop(known, None)

            output_artifact_result_read_response.additional_properties = d
        return output_artifact_result_read_response

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
