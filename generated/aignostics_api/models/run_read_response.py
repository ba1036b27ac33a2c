from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.application_run_status import ApplicationRunStatus
from ..types import UNSET, Unset

T = TypeVar("T", bound="RunReadResponse")


@_attrs_define
class RunReadResponse:
    application_run_id: str
    """ UUID of the application """
    application_version_id: str
    """ ID of the application version """
    organization_id: str
    """ Organization of the owner of the application run """
    status: ApplicationRunStatus
    triggered_at: datetime.datetime
    """ Timestamp showing when the application run was triggered """
    triggered_by: str
    """ Id of the user who triggered the application run """
    user_payload: Any | Unset = UNSET
    """ Field used internally by the Platform """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_run_id = self.application_run_id

        application_version_id = self.application_version_id

        organization_id = self.organization_id

        status = self.status.value

        triggered_at = self.triggered_at.isoformat()

        triggered_by = self.triggered_by

        user_payload = self.user_payload

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_run_id": application_run_id,
                "application_version_id": application_version_id,
                "organization_id": organization_id,
                "status": status,
                "triggered_at": triggered_at,
                "triggered_by": triggered_by,
            }
        )
        if user_payload is not UNSET:
            field_dict["user_payload"] = user_payload

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_run_id = src_dict["application_run_id"]

        application_version_id = src_dict["application_version_id"]

        organization_id = src_dict["organization_id"]

        _status = src_dict["status"]
        status = ApplicationRunStatus._value2member_map_.get(
            _status
        ) or ApplicationRunStatus(_status)

        triggered_at = datetime.datetime.fromisoformat(src_dict["triggered_at"])

        triggered_by = src_dict["triggered_by"]

        user_payload = src_dict.get("user_payload", UNSET)

        run_read_response = cls.__new__(cls)
        run_read_response.application_run_id = application_run_id
        run_read_response.application_version_id = application_version_id
        run_read_response.organization_id = organization_id
        run_read_response.status = status
        run_read_response.triggered_at = triggered_at
        run_read_response.triggered_by = triggered_by
        run_read_response.user_payload = user_payload
        run_read_response.additional_properties = {}
        if len(src_dict) != 7 or user_payload is UNSET:
            d = dict(src_dict)
            for known in (
                "application_run_id",
                "application_version_id",
                "organization_id",
                "status",
                "triggered_at",
                "triggered_by",
                "user_payload",
            ):
                d.pop(known, None)

            run_read_response.additional_properties = d
        return run_read_response

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
