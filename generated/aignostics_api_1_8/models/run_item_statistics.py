from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RunItemStatistics")


@_attrs_define
class RunItemStatistics:
    item_count: int
    """ Total number of the items in the run """
    item_pending_count: int
    """ The number of items in `PENDING` state """
    item_processing_count: int
    """ The number of items in `PROCESSING` state """
    item_skipped_count: int
    """ The number of items in `TERMINATED` state, and the item termination reason is `SKIPPED` """
    item_succeeded_count: int
    """ The number of items in `TERMINATED` state, and the item termination reason is `SUCCEEDED` """
    item_system_error_count: int
    """ The number of items in `TERMINATED` state, and the item termination reason is `SYSTEM_ERROR` """
    item_user_error_count: int
    """ The number of items in `TERMINATED` state, and the item termination reason is `USER_ERROR` """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        item_count = self.item_count

        item_pending_count = self.item_pending_count

        item_processing_count = self.item_processing_count

        item_skipped_count = self.item_skipped_count

        item_succeeded_count = self.item_succeeded_count

        item_system_error_count = self.item_system_error_count

        item_user_error_count = self.item_user_error_count

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "item_count": item_count,
                "item_pending_count": item_pending_count,
                "item_processing_count": item_processing_count,
                "item_skipped_count": item_skipped_count,
                "item_succeeded_count": item_succeeded_count,
                "item_system_error_count": item_system_error_count,
                "item_user_error_count": item_user_error_count,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        item_count = src_dict["item_count"]

        item_pending_count = src_dict["item_pending_count"]

        item_processing_count = src_dict["item_processing_count"]

        item_skipped_count = src_dict["item_skipped_count"]

        item_succeeded_count = src_dict["item_succeeded_count"]

        item_system_error_count = src_dict["item_system_error_count"]

        item_user_error_count = src_dict["item_user_error_count"]

        run_item_statistics = cls.__new__(cls)
        run_item_statistics.item_count = item_count
        run_item_statistics.item_pending_count = item_pending_count
        run_item_statistics.item_processing_count = item_processing_count
        run_item_statistics.item_skipped_count = item_skipped_count
        run_item_statistics.item_succeeded_count = item_succeeded_count
        run_item_statistics.item_system_error_count = item_system_error_count
        run_item_statistics.item_user_error_count = item_user_error_count
        run_item_statistics.additional_properties = {}
        if len(src_dict) != 7:
            d = dict(src_dict)
            for known in (
                "item_count",
                "item_pending_count",
                "item_processing_count",
                "item_skipped_count",
                "item_succeeded_count",
                "item_system_error_count",
                "item_user_error_count",
            ):
                d.pop(known, None)

            run_item_statistics.additional_properties = d
        return run_item_statistics

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
