from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="RunCreationResponse")


@_attrs_define
class RunCreationResponse:
    application_run_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        application_run_id = self.application_run_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if application_run_id is not UNSET:
            field_dict["application_run_id"] = application_run_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        application_run_id = src_dict.get("application_run_id", UNSET)

        run_creation_response = cls.__new__(cls)
        run_creation_response.application_run_id = application_run_id
        run_creation_response.additional_properties = {}
        if len(src_dict) != 1 or application_run_id is UNSET:
            d = dict(src_dict)
            for known in ("application_run_id",):
                d.pop(known, None)

            run_creation_response.additional_properties = d
        return run_creation_response

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
