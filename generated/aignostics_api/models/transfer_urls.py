from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="TransferUrls")


@_attrs_define
class TransferUrls:
    download_url: str
    upload_url: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        download_url = self.download_url

        upload_url = self.upload_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "download_url": download_url,
                "upload_url": upload_url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        download_url = src_dict["download_url"]

        upload_url = src_dict["upload_url"]

        transfer_urls = cls.__new__(cls)
        transfer_urls.download_url = download_url
        transfer_urls.upload_url = upload_url
        transfer_urls.additional_properties = {}
        if len(src_dict) != 2:
            d = dict(src_dict)
            for known in (
                "download_url",
                "upload_url",
            ):
                d.pop(known, None)

            transfer_urls.additional_properties = d
        return transfer_urls

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
