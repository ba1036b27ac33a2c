"""A lock between processes, which the system releases when its holder dies."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from ._portable import NOT_OFFERED, lock, open_file, unlock

_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
# ENOSYS on Lustre without `-o flock`, ENOLCK on NFS without a lock daemon, EPERM in a sandbox.
_UNSUPPORTED = NOT_OFFERED | {errno.ENOLCK, errno.EPERM}


class LocksUnsupported(OSError):
    """The file system has no locks that work."""


def try_lock(descriptor: int, path: Path) -> bool | None:
    """Lock an open file without waiting: True if it is locked now, False if somebody else holds the lock.

    None where the file system has no locks that work: it refuses them, or gives the same one to everybody.
    Raises OSError for any other failure.
    """
    try:
        lock(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True if _excludes_others(descriptor, path) else None


def _excludes_others(descriptor: int, path: Path) -> bool:
    """Whether a lock that is held is refused to a second opening of its file."""
    try:
        second = open_file(path, os.O_RDWR)
    except OSError:
        return True  # it was deleted meanwhile, which is for the caller to see
    try:
        if os.path.samestat(os.fstat(second), os.fstat(descriptor)):
            lock(second)
            return False
    except OSError:
        pass
    finally:
        os.close(second)
    return True


class FileLock:
    """A lock on a file. The file is never deleted: otherwise two processes could hold the lock at once.

    A lock that nothing refers to any more is released, as after an event loop that was closed with its tasks
    unfinished.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None

    def acquire(self, holder: str = "") -> bool:
        """Acquire the lock if it is free, without waiting, and write its holder into the file.

        Raises LocksUnsupported, and OSError if the file can't be opened for writing.
        """
        # A file object closes its descriptor when it is collected; a number would keep the lock for ever.
        file = FileIO(self._path, "r+", opener=_open)
        try:
            is_locked = try_lock(file.fileno(), self._path)
        except BaseException:
            file.close()
            raise
        if not is_locked:
            file.close()
            if is_locked is None:
                raise LocksUnsupported(errno.ENOLCK, "its file system has no file locks that work")
            return False
        self._file = file
        with suppress(OSError):  # a full disk is no reason to refuse the lock
            file.truncate(0)
            file.write(holder.encode())
        return True

    def is_held(self) -> bool:
        """Whether anybody holds the lock; works in a read-only folder, creates nothing. Raises OSError."""
        try:
            descriptor = open_file(self._path, os.O_RDWR)  # NFS locks no file that is only read
        except OSError:
            descriptor = open_file(self._path, os.O_RDONLY)
        try:
            lock(descriptor)
            unlock(descriptor)
        except OSError as error:
            if error.errno in _HELD:
                return True
            raise
        finally:
            os.close(descriptor)
        return False

    def is_lost(self) -> bool:
        """Whether the file of a lock that is held was deleted or replaced, so that another can be locked."""
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return self._path.parent.is_dir()  # else it was moved with its folder
        except OSError:
            return False
        return not os.path.samestat(os.fstat(self._file.fileno()), there)

    def release(self) -> None:
        """Release the lock if it is held."""
        file, self._file = self._file, None
        if file is not None and not file.closed:  # the garbage collector may have been first
            unlock(file.fileno())
            file.close()


def _open(path: str, _flags: int) -> int:
    return open_file(Path(path), os.O_RDWR | os.O_CREAT, 0o600)
