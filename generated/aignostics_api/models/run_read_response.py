from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.application_run_status import ApplicationRunStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.user_payload import UserPayload


T = TypeVar("T", bound="RunReadResponse")


@_attrs_define
class RunReadResponse:
    application_run_id: UUID
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
    user_payload: None | Unset | UserPayload = UNSET
    """ Field used internally by the Platform """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.user_payload import UserPayload

        application_run_id = str(self.application_run_id)

        application_version_id = self.application_version_id

        organization_id = self.organization_id

        status = self.status.value

        triggered_at = self.triggered_at.isoformat()

        triggered_by = self.triggered_by

        user_payload: dict[str, Any] | None | Unset
        if isinstance(self.user_payload, Unset):
            user_payload = UNSET
        elif isinstance(self.user_payload, UserPayload):
            user_payload = self.user_payload.to_dict()
        else:
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
        from ..models.user_payload import UserPayload

        d = dict(src_dict)
        application_run_id = UUID(d.pop("application_run_id"))

        application_version_id = d.pop("application_version_id")

        organization_id = d.pop("organization_id")

        status = ApplicationRunStatus(d.pop("status"))

        triggered_at = datetime.datetime.fromisoformat(d.pop("triggered_at"))

        triggered_by = d.pop("triggered_by")

        def _parse_user_payload(data: object) -> None | Unset | UserPayload:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                user_payload_type_0 = UserPayload.from_dict(data)

                return user_payload_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UserPayload, data)

        user_payload = _parse_user_payload(d.pop("user_payload", UNSET))

        run_read_response = cls(
            application_run_id=application_run_id,
            application_version_id=application_version_id,
            organization_id=organization_id,
            status=status,
            triggered_at=triggered_at,
            triggered_by=triggered_by,
            user_payload=user_payload,
        )

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
