from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="InputArtifactResultReadResponse")


@_attrs_define
class InputArtifactResultReadResponse:
    input_artifact_id: str
    """ The Id of the artifact. Used internally """
    name: str
    """ Name of the input from the schema from the `/v1/versions/{version_id}` endpoint. """
    download_url: None | str | Unset = UNSET
    """ The download URL to for the input artifact provided by the user. """
    metadata: Any | Unset = UNSET
    """ The metadata of the input artifact, provided by the user. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        input_artifact_id = self.input_artifact_id

        name = self.name

        download_url: None | str | Unset
        if isinstance(self.download_url, Unset):
            download_url = UNSET
        else:
            download_url = self.download_url

        metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "input_artifact_id": input_artifact_id,
                "name": name,
            }
        )
        if download_url is not UNSET:
            field_dict["download_url"] = download_url
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        input_artifact_id = src_dict["input_artifact_id"]

        name = src_dict["name"]

        download_url = src_dict.get("download_url", UNSET)

        metadata = src_dict.get("metadata", UNSET)

        input_artifact_result_read_response = cls.__new__(cls)
        input_artifact_result_read_response.input_artifact_id = input_artifact_id
        input_artifact_result_read_response.name = name
        input_artifact_result_read_response.download_url = download_url
        input_artifact_result_read_response.metadata = metadata
        input_artifact_result_read_response.additional_properties = {}
        if len(src_dict) != 4 or download_url is UNSET or metadata is UNSET:
            d = dict(src_dict)
            for known in (
                "input_artifact_id",
                "name",
                "download_url",
                "metadata",
            ):
                d.pop(known, None)

            input_artifact_result_read_response.additional_properties = d
        return input_artifact_result_read_response

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
