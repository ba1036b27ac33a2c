"""Positioned reads and writes, and the errors of this package for those of the file system. Blocking."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..._core._crc32c import Crc32c, read_checksum
from ..._core._file_fingerprint import Fingerprint
from ..._core._portable import open_file, read_at, write_some_at
from ...errors import DiskFull, FileUnwritable, LocalFileChanged, TransferError


@contextmanager
def open_source(source: Path, name: str) -> Iterator[int]:
    """Open a file to send, and close it in the same thread; raises TransferError."""
    check_regular(source, name)
    try:
        descriptor = open_file(source, os.O_RDONLY, follow=True)
    except OSError as error:
        raise unreadable(error, name) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def check_regular(source: Path, name: str) -> None:
    """Raise TransferError for a pipe, device or socket: opening or reading one may never end."""
    try:
        mode = source.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(error, name) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise TransferError("it is no regular file; copy its content to one", name=name)


def write_at(descriptor: int, view: memoryview, position: int) -> None:
    """Write all of `view` at a position of a file."""
    while view:
        count = write_some_at(descriptor, view, position)
        if not count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # some file systems of users never get on
        view, position = view[count:], position + count


def read_source(descriptor: int, view: memoryview, position: int, name: str) -> int:
    """Read from a file to send; raises TransferError, and LocalFileChanged at its end."""
    try:
        count = read_at(descriptor, view, position)
    except OSError as error:
        raise unreadable(error, name) from None
    if not count:
        raise changed(name)
    return count


def fingerprint(source: Path, name: str) -> Fingerprint:
    """Return the fingerprint of a file to send; raises TransferError if it is not there."""
    try:
        return Fingerprint.of(source)
    except (OSError, ValueError) as error:
        raise unreadable(error, name) from None


def check_unchanged(before: Fingerprint, source: Path, name: str, sent: Crc32c | None = None) -> None:
    """Raise LocalFileChanged unless a file is as it was; `sent` is the checksum of what was sent of it.

    Tools that copy set the time of modification back. Another time tells, which moves also when a file is
    linked or its mode is changed; then the file is read again.
    """
    now = fingerprint(source, name)
    is_same = now.has_same_content(before)
    if is_same and sent is not None and now.changed != before.changed:
        try:
            is_same = read_checksum(source) == sent
        except OSError as error:
            raise unreadable(error, name) from None
    if not is_same:
        raise changed(name)


def unreadable(error: OSError | ValueError, name: str) -> TransferError:
    """Return the error for a file that can't be read; ValueError stands for a path that no file can have."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return TransferError(f"it can't be read ({reason})", name=name)


def changed(name: str) -> LocalFileChanged:
    """Return the error for a file that changed while it was sent."""
    return LocalFileChanged("it changed while it was sent; submit it again once it is complete", name=name)


def unwritable(error: OSError, target: Path, name: str) -> DiskFull | FileUnwritable:
    """Return the error for a file that can't be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space is left in {target.parent}; make room and download again", name=name)
    return FileUnwritable(f"it can't be written to {target.parent} ({error.strerror})", name=name)
