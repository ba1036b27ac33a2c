from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.grant_relation import GrantRelation
from ..models.resource_type import ResourceType
from ..models.subject_type import SubjectType
from ..types import UNSET, Unset

T = TypeVar("T", bound="GrantCreateRequest")


@_attrs_define
class GrantCreateRequest:
    relation: GrantRelation
    resource_id: str
    resource_type: ResourceType
    subject_type: SubjectType
    subject_email: None | str | Unset = UNSET
    subject_id: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        relation = self.relation.value

        resource_id = self.resource_id

        resource_type = self.resource_type.value

        subject_type = self.subject_type.value

        subject_email: None | str | Unset
        if isinstance(self.subject_email, Unset):
            subject_email = UNSET
        else:
            subject_email = self.subject_email

        subject_id: None | str | Unset
        if isinstance(self.subject_id, Unset):
            subject_id = UNSET
        else:
            subject_id = self.subject_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "relation": relation,
                "resource_id": resource_id,
                "resource_type": resource_type,
                "subject_type": subject_type,
            }
        )
        if subject_email is not UNSET:
            field_dict["subject_email"] = subject_email
        if subject_id is not UNSET:
            field_dict["subject_id"] = subject_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        _relation = src_dict["relation"]
        relation = GrantRelation._value2member_map_.get(_relation) or GrantRelation(
            _relation
        )

        resource_id = src_dict["resource_id"]

        _resource_type = src_dict["resource_type"]
        resource_type = ResourceType._value2member_map_.get(
            _resource_type
        ) or ResourceType(_resource_type)

        _subject_type = src_dict["subject_type"]
        subject_type = SubjectType._value2member_map_.get(_subject_type) or SubjectType(
            _subject_type
        )

        subject_email = src_dict.get("subject_email", UNSET)

        subject_id = src_dict.get("subject_id", UNSET)

        grant_create_request = cls.__new__(cls)
        grant_create_request.relation = relation
        grant_create_request.resource_id = resource_id
        grant_create_request.resource_type = resource_type
        grant_create_request.subject_type = subject_type
        grant_create_request.subject_email = subject_email
        grant_create_request.subject_id = subject_id
        grant_create_request.additional_properties = {}
        if len(src_dict) != 6 or subject_email is UNSET or subject_id is UNSET:
            d = dict(src_dict)
            for known in (
                "relation",
                "resource_id",
                "resource_type",
                "subject_type",
                "subject_email",
                "subject_id",
            ):
                d.pop(known, None)

            grant_create_request.additional_properties = d
        return grant_create_request

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
