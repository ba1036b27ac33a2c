from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="RunCreationRequest")


@_attrs_define
class RunCreationRequest:
    """Request schema for `Initiate Run` endpoint.
    It describes which application version is chosen, and which user data should be processed.

    """

    application_id: str
    """ Unique ID for the application to use for processing """
    items: list[ItemCreationRequest]
    """ List of items (slides) to process. Each item represents a whole slide image (WSI) with its associated
    metadata and artifacts """
    callback_context: Any | Unset = UNSET
    """ Opaque JSON object for caller-supplied correlation data. Stored verbatim and echoed in state-change events.
    Max 1024 bytes after JSON serialization. """
    custom_metadata: Any | Unset = UNSET
    """ Optional JSON metadata to store additional information alongside the run """
    scheduling: None | SchedulingRequest | Unset = UNSET
    """ Optional scheduling constraints for this run. """
    version_number: None | str | Unset = UNSET
    """ Semantic version of the application to use for processing. If not provided, the latest available version
    will be used """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        callback_context = self.callback_context

        custom_metadata = self.custom_metadata

        scheduling: dict[str, Any] | None | Unset
        if isinstance(self.scheduling, Unset):
            scheduling = UNSET
        elif isinstance(self.scheduling, SchedulingRequest):
            scheduling = self.scheduling.to_dict()
        else:
            scheduling = self.scheduling

        version_number: None | str | Unset
        if isinstance(self.version_number, Unset):
            version_number = UNSET
        else:
            version_number = self.version_number

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_id": application_id,
                "items": items,
            }
        )
        if callback_context is not UNSET:
            field_dict["callback_context"] = callback_context
        if custom_metadata is not UNSET:
            field_dict["custom_metadata"] = custom_metadata
        if scheduling is not UNSET:
            field_dict["scheduling"] = scheduling
        if version_number is not UNSET:
            field_dict["version_number"] = version_number

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_id = src_dict["application_id"]

        _items = src_dict["items"]
        if not isinstance(_items, list):
            raise TypeError("items is no list")
        items = [ItemCreationRequest.from_dict(each) for each in _items]

        callback_context = src_dict.get("callback_context", UNSET)

        custom_metadata = src_dict.get("custom_metadata", UNSET)

        def _parse_scheduling(data: object) -> None | SchedulingRequest | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                scheduling_type_0 = SchedulingRequest.from_dict(data)

                return scheduling_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SchedulingRequest | Unset, data)

        scheduling = _parse_scheduling(src_dict.get("scheduling", UNSET))

        version_number = src_dict.get("version_number", UNSET)

        run_creation_request = cls.__new__(cls)
        run_creation_request.application_id = application_id
        run_creation_request.items = items
        run_creation_request.callback_context = callback_context
        run_creation_request.custom_metadata = custom_metadata
        run_creation_request.scheduling = scheduling
        run_creation_request.version_number = version_number
        run_creation_request.additional_properties = {}
        if (
            len(src_dict) != 6
            or callback_context is UNSET
            or custom_metadata is UNSET
            or scheduling is UNSET
            or version_number is UNSET
        ):
            d = dict(src_dict)
            for known in (
                "application_id",
                "items",
                "callback_context",
                "custom_metadata",
                "scheduling",
                "version_number",
            ):
                d.pop(known, None)

            run_creation_request.additional_properties = d
        return run_creation_request

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


from ..models.item_creation_request import ItemCreationRequest
from ..models.scheduling_request import SchedulingRequest
