"""What reading a slide gave, as it is passed between processes and kept in the job's database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from ....slides import SlideInfo

_UNEQUAL = 0.02


@frozen
class ProbedSlide:
    """A slide as it was when it was read."""

    info: SlideInfo
    size: int
    """Bytes of all its files."""
    fingerprint: str
    """Differs when one of its files was replaced, grew or was written to."""
    exposes: tuple[str, ...]
    """What in it may tell whose it is; see `_privacy.py`."""

    @property
    def is_stretched(self) -> bool:
        """Whether its resolutions across and down differ by more than 2 %, as no scanner makes them."""
        x, y = self.info.mpp_x, self.info.mpp_y
        return abs(x - y) > _UNEQUAL * max(x, y)

    def as_dict(self) -> dict[str, Any]:
        """Return it as an object of JSON, which `from_dict` reads."""
        info = self.info
        return {
            "width": info.width,
            "height": info.height,
            "mpp_x": info.mpp_x,
            "mpp_y": info.mpp_y,
            "mime_type": info.mime_type,
            "files": [str(path) for path in info.files],
            "associated_images": list(info.associated_images),
            "size": self.size,
            "fingerprint": self.fingerprint,
            "exposes": list(self.exposes),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> ProbedSlide:
        """Return what `as_dict` gave."""
        info = SlideInfo(
            width=told["width"],
            height=told["height"],
            mpp_x=told["mpp_x"],
            mpp_y=told["mpp_y"],
            mime_type=told["mime_type"],
            files=tuple(map(Path, told["files"])),
            associated_images=tuple(told["associated_images"]),
        )
        return cls(info, told["size"], told["fingerprint"], tuple(told["exposes"]))


def measure(files: Iterable[Path]) -> tuple[int, str]:
    """Return the bytes of files together, and a fingerprint of their sizes, times and places on the disk.

    Raises OSError for a file that can't be asked.
    """
    size = 0
    digest = hashlib.sha256()
    for path in files:
        stat = path.stat()
        size += stat.st_size
        digest.update(f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n".encode())
    return size, digest.hexdigest()
