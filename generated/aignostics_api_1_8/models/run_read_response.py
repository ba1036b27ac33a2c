from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.run_output import RunOutput
from ..models.run_state import RunState
from ..models.run_termination_reason import RunTerminationReason
from ..types import UNSET, Unset

T = TypeVar("T", bound="RunReadResponse")


@_attrs_define
class RunReadResponse:
    """Response schema for `Get run details` endpoint"""

    application_id: str
    """ Application id """
    error_code: None | str
    """ When the termination_reason is set to CANCELED_BY_SYSTEM, the error_code is set to define the
            structured description of the error. """
    error_message: None | str
    """ When the termination_reason is set to CANCELED_BY_SYSTEM, the error_message is set to provide
            more insights to the error cause. """
    output: RunOutput
    run_id: str
    """ UUID of the application """
    state: RunState
    statistics: RunItemStatistics
    submitted_at: datetime.datetime
    """ Timestamp showing when the run was triggered """
    submitted_by: str
    """ Id of the user who triggered the run """
    termination_reason: None | RunTerminationReason
    """ The termination reason of the run. When the run is not in `TERMINATED` state, the
            termination_reason is `null`. If all items of of the run are processed (successfully or with an error),
    then
            termination_reason is set to `ALL_ITEMS_PROCESSED`. If the run is cancelled by the user, the value is
    set to
            `CANCELED_BY_USER`. If the run reaches the threshold of number of failed items, the Platform cancels the
    run
            and sets the termination_reason to `CANCELED_BY_SYSTEM`.
             """
    version_number: str
    """ Application version number """
    custom_metadata: Any | Unset = UNSET
    """ Optional JSON metadata that was stored in alongside the run by the user """
    custom_metadata_checksum: None | str | Unset = UNSET
    """ The checksum of the `custom_metadata` field. Can be used in the `PUT /runs/{run-id}/custom_metadata`
    request to avoid unwanted override of the values in concurrent requests. """
    num_preceding_items_org: int | None | Unset = UNSET
    """ How many Items from other Runs in the same Organization are due to begin processing before this Run's next
    Item does. """
    num_preceding_items_platform: int | None | Unset = UNSET
    """ How many Items from other Runs are due to begin processing before this Run's next Item does. """
    organization_id: None | str | Unset = UNSET
    """ Uniquely identifies the organization the Run was created for """
    scheduling: None | SchedulingResponse | Unset = UNSET
    """ Scheduling constraints set for this run. """
    terminated_at: datetime.datetime | None | Unset = UNSET
    """ Timestamp showing when the run reached a terminal state. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        error_code: None | str
        error_code = self.error_code

        error_message: None | str
        error_message = self.error_message

        output = self.output.value

        run_id = self.run_id

        state = self.state.value

        statistics = self.statistics.to_dict()

        submitted_at = self.submitted_at.isoformat()

        submitted_by = self.submitted_by

        termination_reason: None | str
        if isinstance(self.termination_reason, RunTerminationReason):
            termination_reason = self.termination_reason.value
        else:
            termination_reason = self.termination_reason

        version_number = self.version_number

        custom_metadata = self.custom_metadata

        custom_metadata_checksum: None | str | Unset
        if isinstance(self.custom_metadata_checksum, Unset):
            custom_metadata_checksum = UNSET
        else:
            custom_metadata_checksum = self.custom_metadata_checksum

        num_preceding_items_org: int | None | Unset
        if isinstance(self.num_preceding_items_org, Unset):
            num_preceding_items_org = UNSET
        else:
            num_preceding_items_org = self.num_preceding_items_org

        num_preceding_items_platform: int | None | Unset
        if isinstance(self.num_preceding_items_platform, Unset):
            num_preceding_items_platform = UNSET
        else:
            num_preceding_items_platform = self.num_preceding_items_platform

        organization_id: None | str | Unset
        if isinstance(self.organization_id, Unset):
            organization_id = UNSET
        else:
            organization_id = self.organization_id

        scheduling: dict[str, Any] | None | Unset
        if isinstance(self.scheduling, Unset):
            scheduling = UNSET
        elif isinstance(self.scheduling, SchedulingResponse):
            scheduling = self.scheduling.to_dict()
        else:
            scheduling = self.scheduling

        terminated_at: None | str | Unset
        if isinstance(self.terminated_at, Unset):
            terminated_at = UNSET
        elif isinstance(self.terminated_at, datetime.datetime):
            terminated_at = self.terminated_at.isoformat()
        else:
            terminated_at = self.terminated_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_id": application_id,
                "error_code": error_code,
                "error_message": error_message,
                "output": output,
                "run_id": run_id,
                "state": state,
                "statistics": statistics,
                "submitted_at": submitted_at,
                "submitted_by": submitted_by,
                "termination_reason": termination_reason,
                "version_number": version_number,
            }
        )
        if custom_metadata is not UNSET:
            field_dict["custom_metadata"] = custom_metadata
        if custom_metadata_checksum is not UNSET:
            field_dict["custom_metadata_checksum"] = custom_metadata_checksum
        if num_preceding_items_org is not UNSET:
            field_dict["num_preceding_items_org"] = num_preceding_items_org
        if num_preceding_items_platform is not UNSET:
            field_dict["num_preceding_items_platform"] = num_preceding_items_platform
        if organization_id is not UNSET:
            field_dict["organization_id"] = organization_id
        if scheduling is not UNSET:
            field_dict["scheduling"] = scheduling
        if terminated_at is not UNSET:
            field_dict["terminated_at"] = terminated_at

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_id = src_dict["application_id"]

        error_code = src_dict.get("error_code")

        error_message = src_dict.get("error_message")

        _output = src_dict["output"]
        output = RunOutput._value2member_map_.get(_output) or RunOutput(_output)

        run_id = src_dict["run_id"]

        _state = src_dict["state"]
        state = RunState._value2member_map_.get(_state) or RunState(_state)

        statistics = RunItemStatistics.from_dict(src_dict["statistics"])

        submitted_at = datetime.datetime.fromisoformat(src_dict["submitted_at"])

        submitted_by = src_dict["submitted_by"]

        def _parse_termination_reason(data: object) -> None | RunTerminationReason:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                termination_reason_type_0 = RunTerminationReason(data)

                return termination_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RunTerminationReason, data)

        termination_reason = _parse_termination_reason(
            src_dict.get("termination_reason")
        )

        version_number = src_dict["version_number"]

        custom_metadata = src_dict.get("custom_metadata", UNSET)

        custom_metadata_checksum = src_dict.get("custom_metadata_checksum", UNSET)

        num_preceding_items_org = src_dict.get("num_preceding_items_org", UNSET)

        num_preceding_items_platform = src_dict.get(
            "num_preceding_items_platform", UNSET
        )

        organization_id = src_dict.get("organization_id", UNSET)

        def _parse_scheduling(data: object) -> None | SchedulingResponse | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                scheduling_type_0 = SchedulingResponse.from_dict(data)

                return scheduling_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SchedulingResponse | Unset, data)

        scheduling = _parse_scheduling(src_dict.get("scheduling", UNSET))

        def _parse_terminated_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                terminated_at_type_0 = datetime.datetime.fromisoformat(data)

                return terminated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        terminated_at = _parse_terminated_at(src_dict.get("terminated_at", UNSET))

        run_read_response = cls.__new__(cls)
        run_read_response.application_id = application_id
        run_read_response.error_code = error_code
        run_read_response.error_message = error_message
        run_read_response.output = output
        run_read_response.run_id = run_id
        run_read_response.state = state
        run_read_response.statistics = statistics
        run_read_response.submitted_at = submitted_at
        run_read_response.submitted_by = submitted_by
        run_read_response.termination_reason = termination_reason
        run_read_response.version_number = version_number
        run_read_response.custom_metadata = custom_metadata
        run_read_response.custom_metadata_checksum = custom_metadata_checksum
        run_read_response.num_preceding_items_org = num_preceding_items_org
        run_read_response.num_preceding_items_platform = num_preceding_items_platform
        run_read_response.organization_id = organization_id
        run_read_response.scheduling = scheduling
        run_read_response.terminated_at = terminated_at
        run_read_response.additional_properties = {}
        if (
            len(src_dict) != 18
            or (error_code is None and "error_code" not in src_dict)
            or (error_message is None and "error_message" not in src_dict)
            or (termination_reason is None and "termination_reason" not in src_dict)
            or custom_metadata is UNSET
            or custom_metadata_checksum is UNSET
            or num_preceding_items_org is UNSET
            or num_preceding_items_platform is UNSET
            or organization_id is UNSET
            or scheduling is UNSET
            or terminated_at is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "application_id",
                "error_code",
                "error_message",
                "output",
                "run_id",
                "state",
                "statistics",
                "submitted_at",
                "submitted_by",
                "termination_reason",
                "version_number",
                "custom_metadata",
                "custom_metadata_checksum",
                "num_preceding_items_org",
                "num_preceding_items_platform",
                "organization_id",
                "scheduling",
                "terminated_at",
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


from ..models.run_item_statistics import RunItemStatistics
from ..models.scheduling_response import SchedulingResponse
