"""Files of a DICOM series in the folders beside the one that was named.

Archives and DICOM media put each file, or each kind of picture, into a folder of its own. Whoever names one
file or folder means the slide, so the rest of its series is looked for close by: in the folder above, and in
the folders directly below that one and below the file's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from ...errors import SlideError
from ..formats._bounded import BoundedFile
from ..formats._dicom import DicomHeader, may_be_slide, read_header
from ._system_names import is_hidden, is_trash

_MAX_FILES = 2_000  # that are looked into around one folder
_SERIES = 0x0020000E  # SeriesInstanceUID


def files_beside(headers: Mapping[str, DicomHeader]) -> list[str]:
    """Return other files of the series that `headers` are of, in the folders beside theirs.

    Costs 4 KiB of up to 4,000 files around each folder, and a few more of those that are DICOM.
    """
    uids = {header.series for header in headers.values()}
    found: dict[str, None] = {}
    for folders in _surroundings({Path(path).parent for path in headers}):
        unknown = (path for path in _files(folders) if str(path) not in headers)
        found |= {str(path): None for path in islice(unknown, _MAX_FILES) if _series_of(path) in uids}
    return list(found)


def parts_beside(
    headers: Mapping[str, DicomHeader], beside: Mapping[str, DicomHeader]
) -> dict[str, DicomHeader]:
    """Return the files beside those that were named which are missing among them.

    A folder with a copy of one of them is another copy of the slide, which may be of another day, and not
    where the rest of this one is.
    """
    known = {(header.series, header.instance) for header in headers.values()}
    places = {(Path(path).parent, header.series) for path, header in headers.items()}
    copies = {
        (Path(path).parent, header.series)
        for path, header in beside.items()
        if (header.series, header.instance) in known
    }
    added: dict[str, DicomHeader] = {}
    for path, header in sorted(beside.items()):
        instance, place = (header.series, header.instance), (Path(path).parent, header.series)
        if instance not in known and (place in places or place not in copies):
            known.add(instance)
            added[path] = header
    return added


def read_beside(headers: Mapping[str, DicomHeader]) -> dict[str, DicomHeader]:
    """Return the headers of other files of their series, in folders beside theirs; blocks."""
    beside: dict[str, DicomHeader] = {}
    for path in files_beside(headers):
        with suppress(SlideError):  # only its beginning could be read
            beside[path] = read_header(Path(path))
    return parts_beside(headers, beside)


def _surroundings(folders: Iterable[Path]) -> Iterator[list[Path]]:
    """Give the folders around each of some, those around several of them once."""
    above = set[Path]()
    for folder in sorted(folders):
        yield [folder, *_below(folder)]
        parent = folder.absolute().parent
        if parent not in above and _may_leave(folder, parent):
            above.add(parent)
            yield [parent, *_below(parent)]


def _may_leave(folder: Path, parent: Path) -> bool:
    """Whether what is beside a folder may belong together: not all that a person or a system has."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - raises nothing without a home
    return parent not in (parent.parent, home) and not os.path.ismount(folder)


def _below(folder: Path) -> list[Path]:
    """Return the folders directly below one, without links, which lead to folders of other places."""
    inside = [each for each in visible_entries(folder) if not is_trash(each.name)]
    return [each for each in inside if os.path.isdir(each) and not each.is_symlink()]  # noqa: PTH112 - raises nothing


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from filter(os.path.isfile, visible_entries(folder))


def visible_entries(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden, sorted; nothing for one that can't be listed."""
    try:
        return sorted(each for each in folder.iterdir() if not is_hidden(each.name))
    except OSError:
        return []


def _series_of(path: Path) -> str | None:
    """Return the SeriesInstanceUID of a slide in DICOM; None for any other file."""
    try:
        if not may_be_slide(path):
            return None
        status = path.stat()
        return _series(path, status.st_size, status.st_mtime_ns)
    except (SlideError, OSError):
        return None


@lru_cache(maxsize=65_536)
def _series(path: Path, _size: int, _changed: int) -> str | None:
    from pydicom.filereader import read_partial

    def is_behind(tag: Any, _type: object, _length: object) -> bool:
        return bool(tag > _SERIES)

    try:
        with path.open("rb") as file:
            header: Any = read_partial(cast("BinaryIO", BoundedFile(file)), stop_when=is_behind)
            return str(header.get("SeriesInstanceUID") or "") or None
    except Exception:  # noqa: BLE001 - damaged bytes fail in many ways, and are no part of a slide here
        return None
