"""One file for a slide of several: a zip that is the same, byte for byte, whenever it is made."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread

from ._read import SlideInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


async def packed(slide: SlideInfo, scratch: Path) -> Path:
    """Return the one file that stands for a slide: its own, or a zip of its members made in `scratch`.

    A zip takes as much space in `scratch` as the members together; nothing is compressed.
    """
    if not slide.is_packed:
        return slide.files[0]
    target = scratch / f"{slide.files[0].stem}.zip"
    await anyio.to_thread.run_sync(_pack, slide.files, target)
    return target


def _pack(members: Sequence[Path], target: Path) -> None:
    root = members[0].parent
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, member in sorted((member.relative_to(root).as_posix(), member) for member in members):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            with member.open("rb") as source, archive.open(entry, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
