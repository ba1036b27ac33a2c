"""The folder that a file is downloaded to, and what is in the file's place there. Blocking."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path

from ..._core._file_names import check_inside
from ...errors import TransferError
from ._file_io import unwritable
from ._resume_record import load_record

_ABANDONED = 30 * 24 * 3600.0  # seconds; the platform keeps results for as long


def make_room(checked: dict[Path, tuple[int, int]], root: Path, target: Path, name: str) -> None:
    """Make the folder that `target` goes into, and delete what was abandoned there a month ago.

    `checked` maps the folders that this was done for to device and inode. Raises UnsafePath if a link leads
    the folder out of `root`, else TransferError, which names `name`.
    """
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        status = folder.stat()
        # Once for each folder, which may hold thousands of files, unless another one is in its place now.
        if checked.get(folder) != (status.st_dev, status.st_ino):
            check_inside(root, folder)
            clear_abandoned(folder)
            checked[folder] = status.st_dev, status.st_ino
        if target.is_symlink():
            check_inside(root, target)
    except OSError as error:
        raise unwritable(error, target, name) from None


def clear_abandoned(folder: Path) -> None:
    """Delete partial files that were not touched for a month, those that can be deleted.

    Only a record tells that such a file is a download's: a user may have files of that name, too.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(".") and entry.name.endswith(".part.json")):
                continue
            # Another user's file, or a folder or link of that name, does not concern the download.
            with contextlib.suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED:
                    _clear(Path(entry.path))


def _clear(record: Path) -> None:
    if load_record(record) is not None:
        record.with_suffix("").unlink(missing_ok=True)
        record.with_name(f"{record.name}.new").unlink(missing_ok=True)
        record.unlink()


def check_place(target: Path, name: str) -> bool:
    """Return whether something is in the place of a file. Raises TransferError if no file may replace it."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return False
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise TransferError("a folder or a device is in its place; move that away", name=name)
    return True
