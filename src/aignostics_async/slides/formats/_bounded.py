"""Reading files that may be of any size and kind, without reading more than a slide can need."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, Any

_MAX_HEADER = 256 * 1024 * 1024


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a file; raises OSError, also for one of more than `limit` bytes and for pipes."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
        raise OSError(errno.EINVAL, "it is no file")
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return file.read(limit)


class WholeFileWanted(Exception):
    """Somebody wants all bytes of a file, as a reader of deflated DICOM does."""


class BoundedFile:
    """An open file of which no more is read than the headers of a slide can have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left = file, _MAX_HEADER

    def read(self, count: int = -1) -> bytes:
        """Return bytes; raises ValueError where they would be too many, and WholeFileWanted."""
        if count < 0:
            raise WholeFileWanted
        if count > self._left:
            raise ValueError(f"it has an element of {count:,} bytes")
        content = self._file.read(count)
        self._left -= len(content)
        return content

    def __getattr__(self, name: str) -> Any:
        """Return what the file itself has."""
        return getattr(self._file, name)
