from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="UserPayload")


@_attrs_define
class UserPayload:
    application_id: str
    application_run_id: str
    global_output_artifacts: None | UserPayloadGlobalOutputArtifactsType0
    items: list[PayloadItem]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_id = self.application_id

        application_run_id = self.application_run_id

        global_output_artifacts: dict[str, Any] | None
        if isinstance(
            self.global_output_artifacts, UserPayloadGlobalOutputArtifactsType0
        ):
            global_output_artifacts = self.global_output_artifacts.to_dict()
        else:
            global_output_artifacts = self.global_output_artifacts

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "application_id": application_id,
                "application_run_id": application_run_id,
                "global_output_artifacts": global_output_artifacts,
                "items": items,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_id = src_dict["application_id"]

        application_run_id = src_dict["application_run_id"]

        def _parse_global_output_artifacts(
            data: object,
        ) -> None | UserPayloadGlobalOutputArtifactsType0:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                global_output_artifacts_type_0 = (
                    UserPayloadGlobalOutputArtifactsType0.from_dict(data)
                )

                return global_output_artifacts_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UserPayloadGlobalOutputArtifactsType0, data)

        global_output_artifacts = _parse_global_output_artifacts(
            src_dict.get("global_output_artifacts")
        )

        _items = src_dict["items"]
        if not isinstance(_items, list):
            raise TypeError("items is no list")
        items = [PayloadItem.from_dict(each) for each in _items]

        user_payload = cls.__new__(cls)
        user_payload.application_id = application_id
        user_payload.application_run_id = application_run_id
        user_payload.global_output_artifacts = global_output_artifacts
        user_payload.items = items
        user_payload.additional_properties = {}
        if len(src_dict) != 4 or (
            global_output_artifacts is None
            and "global_output_artifacts" not in src_dict
        ):
            d = dict(src_dict)
            for known in (
                "application_id",
                "application_run_id",
                "global_output_artifacts",
                "items",
            ):
                d.pop(known, None)

            user_payload.additional_properties = d
        return user_payload

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


from ..models.payload_item import PayloadItem
from ..models.user_payload_global_output_artifacts_type_0 import (
    UserPayloadGlobalOutputArtifactsType0,
)
