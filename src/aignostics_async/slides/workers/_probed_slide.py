"""What reading a slide gave, as it is passed between processes and kept in the job's database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from .._read import SlideInfo
from .._remarks import Remark
from ..privacy._identifying import IdentifyingKind


@frozen
class ProbedSlide:
    """A slide as it was when it was read."""

    info: SlideInfo
    size: int
    """Bytes of all its files."""
    fingerprint: str
    """Differs when one of its files was replaced, grew or was written to."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as an object of JSON, which `from_dict` reads."""
        info = self.info
        return {
            "width": info.width,
            "height": info.height,
            "mpp_x": info.mpp_x,
            "mpp_y": info.mpp_y,
            "mime_type": info.mime_type,
            "format": info.format,
            "packing": info.packing,
            "files": [str(path) for path in info.files],
            "associated_images": list(info.associated_images),
            "size": self.size,
            "fingerprint": self.fingerprint,
            "exposes": list(info.identifying),
            "remarks": [[remark.problem, remark.remedy] for remark in info.remarks],
            "series": info.series,
            "is_packed": info.is_packed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProbedSlide:
        """Return what `as_dict` gave; some keys may be missing, as in jobs of older releases."""
        kinds = [kind for kind in data["exposes"] if kind in frozenset(IdentifyingKind)]
        info = SlideInfo(
            width=data["width"],
            height=data["height"],
            mpp_x=data["mpp_x"],
            mpp_y=data["mpp_y"],
            mime_type=data["mime_type"],
            format=data.get("format", ""),
            packing=data.get("packing", 1),
            files=tuple(map(Path, data["files"])),
            associated_images=tuple(data["associated_images"]),
            identifying=tuple(map(IdentifyingKind, kinds)),
            remarks=tuple(Remark(*each) for each in data.get("remarks", ())),
            series=data.get("series"),
            is_packed=data.get("is_packed", data["mime_type"] == "application/zip"),
        )
        return cls(info, data["size"], data["fingerprint"])
