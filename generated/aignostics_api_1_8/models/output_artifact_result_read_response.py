from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.artifact_output import ArtifactOutput
from ..models.artifact_state import ArtifactState
from ..types import UNSET, Unset

T = TypeVar("T", bound="OutputArtifactResultReadResponse")


@_attrs_define
class OutputArtifactResultReadResponse:
    name: str
    """
    Name of the output from the output schema from the `/v1/versions/{version_id}` endpoint.
         """
    output: ArtifactOutput
    output_artifact_id: str
    """ The Id of the artifact. Used internally """
    state: ArtifactState
    download_url: None | str | Unset = UNSET
    """
    The download URL to the output file. The URL is valid for 1 hour after the endpoint is called.
    A new URL is generated every time the endpoint is called.
         """
    error_code: None | str | Unset = UNSET
    error_message: None | str | Unset = UNSET
    metadata: Any | Unset = UNSET
    """ The metadata of the output artifact, provided by the application. Can only be None if the artifact itself
    was deleted. """
    termination_reason: Any | Unset = UNSET
    """ The reason for termination when state is TERMINATED """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        output = self.output.value

        output_artifact_id = self.output_artifact_id

        state = self.state.value

        download_url: None | str | Unset
        if isinstance(self.download_url, Unset):
            download_url = UNSET
        else:
            download_url = self.download_url

        error_code: None | str | Unset
        if isinstance(self.error_code, Unset):
            error_code = UNSET
        else:
            error_code = self.error_code

        error_message: None | str | Unset
        if isinstance(self.error_message, Unset):
            error_message = UNSET
        else:
            error_message = self.error_message

        metadata = self.metadata

        termination_reason = self.termination_reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "output": output,
                "output_artifact_id": output_artifact_id,
                "state": state,
            }
        )
        if download_url is not UNSET:
            field_dict["download_url"] = download_url
        if error_code is not UNSET:
            field_dict["error_code"] = error_code
        if error_message is not UNSET:
            field_dict["error_message"] = error_message
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if termination_reason is not UNSET:
            field_dict["termination_reason"] = termination_reason

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        name = src_dict["name"]

        _output = src_dict["output"]
        output = ArtifactOutput._value2member_map_.get(_output) or ArtifactOutput(
            _output
        )

        output_artifact_id = src_dict["output_artifact_id"]

        _state = src_dict["state"]
        state = ArtifactState._value2member_map_.get(_state) or ArtifactState(_state)

        download_url = src_dict.get("download_url", UNSET)

        error_code = src_dict.get("error_code", UNSET)

        error_message = src_dict.get("error_message", UNSET)

        metadata = src_dict.get("metadata", UNSET)

        termination_reason = src_dict.get("termination_reason", UNSET)

        output_artifact_result_read_response = cls.__new__(cls)
        output_artifact_result_read_response.name = name
        output_artifact_result_read_response.output = output
        output_artifact_result_read_response.output_artifact_id = output_artifact_id
        output_artifact_result_read_response.state = state
        output_artifact_result_read_response.download_url = download_url
        output_artifact_result_read_response.error_code = error_code
        output_artifact_result_read_response.error_message = error_message
        output_artifact_result_read_response.metadata = metadata
        output_artifact_result_read_response.termination_reason = termination_reason
        output_artifact_result_read_response.additional_properties = {}
        if (
            len(src_dict) != 9
            or download_url is UNSET
            or error_code is UNSET
            or error_message is UNSET
            or metadata is UNSET
            or termination_reason is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "name",
                "output",
                "output_artifact_id",
                "state",
                "download_url",
                "error_code",
                "error_message",
                "metadata",
                "termination_reason",
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
