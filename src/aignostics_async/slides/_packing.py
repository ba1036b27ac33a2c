"""One file for a slide of several: a zip that is the same, byte for byte, whenever it is made."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from .._core._portable import free_space
from ..errors import DiskFull, TransferError
from ._read import SlideInfo
from .formats._detection import Format

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_MAX_ZIPS = 2  # at a time: each takes as much space as its slide
_slots: RunVar[anyio.Semaphore] = RunVar("zips of slides")


@asynccontextmanager
async def one_file(slide: SlideInfo, *, alias: str | None = None) -> AsyncIterator[Path]:
    """Give the one file that stands for a slide: its own, or a zip that is removed when the block ends.

    With `alias`, no name of a file is in the zip, as far as its format allows. Two zips exist at a time; who
    wants another one waits. Raises DiskFull where there is no room for one, and TransferError for a file that
    can't be read.
    """
    if not slide.is_packed:
        yield slide.files[0]
        return
    async with _slot():
        with tempfile.TemporaryDirectory(prefix="aignostics-async-") as scratch:
            try:
                _check_space(slide, scratch)
                source = await packed(slide, Path(scratch), alias=alias)
            except OSError as error:
                raise _failure(slide, error) from None
            except UnicodeEncodeError:
                problem = "a name of its files is no valid Unicode, so no zip can have it; rename it"
                raise TransferError(problem, name=str(slide.files[0])) from None
            yield source


def _failure(slide: SlideInfo, error: OSError) -> TransferError:
    name, place = str(slide.files[0]), tempfile.gettempdir()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space is left to pack it in {place}; make room, or set TMPDIR", name=name)
    return TransferError(f"it can't be read, or packed in {place} ({error.strerror})", name=name)


def _slot() -> anyio.Semaphore:
    try:
        return _slots.get()
    except LookupError:
        _slots.set(slots := anyio.Semaphore(_MAX_ZIPS))
        return slots


def _check_space(slide: SlideInfo, place: str) -> None:
    needed, free = sum(path.stat().st_size for path in slide.files), free_space(Path(place))
    if free is not None and needed > free:
        folder = tempfile.gettempdir()
        raise DiskFull(
            f"it takes {needed:,} bytes to pack it, and {folder} has {free:,}; make room, or set TMPDIR",
            name=str(slide.files[0]),
        )


async def packed(slide: SlideInfo, scratch: Path, *, alias: str | None = None) -> Path:
    """Return the one file that stands for a slide: its own, or a zip of its members made in `scratch`.

    A zip takes as much space in `scratch` as the members together; nothing is compressed. The files of a
    DICOM series are numbered in it, so that it is the same whatever they are called here, and wherever.
    """
    if not slide.is_packed:
        return slide.files[0]
    target = scratch / _zip_name(slide, alias)
    await anyio.to_thread.run_sync(_pack, slide, target, alias)
    return target


def sent_name(source: Path, alias: str | None) -> str:
    """Return what the object of a slide is called: as its file, or by an alias."""
    return source.name if alias is None else f"{alias}{source.suffix.lower()}"


def object_name(slide: SlideInfo, alias: str | None) -> str:
    """Return what the object of a slide is called, before the one file that stands for it is there."""
    return sent_name(Path(_zip_name(slide, alias)) if slide.is_packed else slide.files[0], alias)


def _zip_name(slide: SlideInfo, alias: str | None) -> str:
    return f"{alias or slide.files[0].stem}.zip"


def _pack(slide: SlideInfo, target: Path, alias: str | None) -> None:
    is_renamed = alias is not None or (slide.series is not None and slide.packing > 1)
    names = _aliases(slide, target.stem) if is_renamed else _named(slide)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, member in sorted(names):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            with member.open("rb") as source, archive.open(entry, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)


def _named(slide: SlideInfo) -> Iterator[tuple[str, Path]]:
    """Give members with their names in the zip, which are those below the folder that holds all of them."""
    root = Path(os.path.commonpath([member.parent for member in slide.files]))
    for member in slide.files:
        name = member.relative_to(root).as_posix()
        has_suffix = slide.series is None or member.suffix.lower() == ".dcm"
        yield name if has_suffix else f"{name}.dcm", member


def _aliases(slide: SlideInfo, alias: str) -> Sequence[tuple[str, Path]]:
    """Return members with names that tell nothing; those that an index file names keep theirs."""
    if slide.series is not None:
        return [(f"{number:05d}.dcm", member) for number, member in enumerate(slide.files)]
    index, *members = slide.files
    named = [(member.relative_to(index.parent).as_posix(), member) for member in members]
    if slide.format == Format.MIRAX:  # its folder is called as the index file is
        named = [(f"{alias}/{member.name}", member) for member in members]
    return [(f"{alias}{index.suffix.lower()}", index), *named]
