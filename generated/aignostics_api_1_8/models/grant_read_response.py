from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.grant_relation import GrantRelation
from ..models.resource_type import ResourceType
from ..models.subject_type import SubjectType

T = TypeVar("T", bound="GrantReadResponse")


@_attrs_define
class GrantReadResponse:
    created_at: datetime.datetime
    created_by: str
    grant_id: str
    relation: GrantRelation
    resource_id: str
    resource_type: ResourceType
    revoked: bool
    subject_id: str
    subject_type: SubjectType
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        created_by = self.created_by

        grant_id = self.grant_id

        relation = self.relation.value

        resource_id = self.resource_id

        resource_type = self.resource_type.value

        revoked = self.revoked

        subject_id = self.subject_id

        subject_type = self.subject_type.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "created_by": created_by,
                "grant_id": grant_id,
                "relation": relation,
                "resource_id": resource_id,
                "resource_type": resource_type,
                "revoked": revoked,
                "subject_id": subject_id,
                "subject_type": subject_type,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        created_at = datetime.datetime.fromisoformat(src_dict["created_at"])

        created_by = src_dict["created_by"]

        grant_id = src_dict["grant_id"]

        _relation = src_dict["relation"]
        relation = GrantRelation._value2member_map_.get(_relation) or GrantRelation(
            _relation
        )

        resource_id = src_dict["resource_id"]

        _resource_type = src_dict["resource_type"]
        resource_type = ResourceType._value2member_map_.get(
            _resource_type
        ) or ResourceType(_resource_type)

        revoked = src_dict["revoked"]

        subject_id = src_dict["subject_id"]

        _subject_type = src_dict["subject_type"]
        subject_type = SubjectType._value2member_map_.get(_subject_type) or SubjectType(
            _subject_type
        )

        grant_read_response = cls.__new__(cls)
        grant_read_response.created_at = created_at
        grant_read_response.created_by = created_by
        grant_read_response.grant_id = grant_id
        grant_read_response.relation = relation
        grant_read_response.resource_id = resource_id
        grant_read_response.resource_type = resource_type
        grant_read_response.revoked = revoked
        grant_read_response.subject_id = subject_id
        grant_read_response.subject_type = subject_type
        grant_read_response.additional_properties = {}
        if len(src_dict) != 9:
            d = dict(src_dict)
            for known in (
                "created_at",
                "created_by",
                "grant_id",
                "relation",
                "resource_id",
                "resource_type",
                "revoked",
                "subject_id",
                "subject_type",
            ):
                d.pop(known, None)

            grant_read_response.additional_properties = d
        return grant_read_response

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
