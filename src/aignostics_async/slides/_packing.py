"""One file for a slide of several: a zip that is the same, byte for byte, whenever it is made."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio.to_thread

from ._read import SlideInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


async def packed(slide: SlideInfo, scratch: Path) -> Path:
    """Return the one file that stands for a slide: its own, or a zip of its members made in `scratch`.

    A zip takes as much space in `scratch` as the members together; nothing is compressed. Every file of a
    DICOM series ends with .dcm in it, whatever it is called here.
    """
    if not slide.is_packed:
        return slide.files[0]
    target = scratch / f"{slide.files[0].stem}.zip"
    await anyio.to_thread.run_sync(_pack, slide, target)
    return target


def _pack(slide: SlideInfo, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, member in sorted(_named(slide.files, is_dicom=slide.series is not None)):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            with member.open("rb") as source, archive.open(entry, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)


def _named(members: Sequence[Path], *, is_dicom: bool) -> Iterator[tuple[str, Path]]:
    """Give members with their names in the zip, which are those below the folder that holds all of them."""
    root = Path(os.path.commonpath([member.parent for member in members]))
    for member in members:
        name = member.relative_to(root).as_posix()
        has_suffix = not is_dicom or member.suffix.lower() == ".dcm"
        yield name if has_suffix else f"{name}.dcm", member
