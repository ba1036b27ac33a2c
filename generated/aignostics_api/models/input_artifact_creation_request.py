from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="InputArtifactCreationRequest")


@_attrs_define
class InputArtifactCreationRequest:
    download_url: str
    """ [Signed URL](https://cloud.google.com/cdn/docs/using-signed-urls) to the input artifact file. The URL should
    be valid for at least 6 days from the payload submission time. """
    metadata: Any
    """ The metadata of the artifact, required by the application version. The JSON schema of the metadata can be
    requested by `/v1/versions/{application_version_id}`. The schema is located in
    `input_artifacts.[].metadata_schema` """
    name: str
    """ The artifact name according to the application version. List of required artifacts is returned by
    `/v1/versions/{application_version_id}`. The artifact names are located in the `input_artifacts.[].name` value
    """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        download_url = self.download_url

        metadata = self.metadata

        name = self.name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "download_url": download_url,
                "metadata": metadata,
                "name": name,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        download_url = src_dict["download_url"]

        metadata = src_dict.get("metadata")

        name = src_dict["name"]

        input_artifact_creation_request = cls.__new__(cls)
        input_artifact_creation_request.download_url = download_url
        input_artifact_creation_request.metadata = metadata
        input_artifact_creation_request.name = name
        input_artifact_creation_request.additional_properties = {}
        if len(src_dict) != 3 or (metadata is None and "metadata" not in src_dict):
            d = dict(src_dict)
            for known in (
                "download_url",
                "metadata",
                "name",
            ):
                d.pop(known, None)

            input_artifact_creation_request.additional_properties = d
        return input_artifact_creation_request

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
