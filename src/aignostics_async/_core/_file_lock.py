"""A lock between processes, which the system releases when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path

# ENOSYS on Lustre without `-o flock`, ENOLCK on NFS without a lock daemon.
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _free(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _free(descriptor: int) -> None:
        # Not by closing alone: a process that was forked meanwhile has the same lock open.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class LocksUnsupported(OSError):
    """The file system has no locks that work."""


def try_lock(descriptor: int, path: Path) -> bool | None:
    """Lock an open file without waiting: True if it is locked now, False if somebody else holds the lock.

    None where the file system has no locks that work: it refuses them, or gives the same one to everybody.
    Raises OSError for any other failure.
    """
    try:
        _try(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True if _excludes_others(descriptor, path) else None


def _excludes_others(descriptor: int, path: Path) -> bool:
    """Whether a lock that is held is refused to a second opening of its file."""
    try:
        second = os.open(path, os.O_RDWR | _FLAGS)
    except OSError:
        return True  # it was deleted meanwhile, which is for the caller to see
    try:
        if os.path.samestat(os.fstat(second), os.fstat(descriptor)):
            _try(second)
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
            descriptor = os.open(self._path, os.O_RDWR | _FLAGS)  # NFS locks no file that is only read
        except OSError:
            descriptor = os.open(self._path, os.O_RDONLY | _FLAGS)
        try:
            _try(descriptor)
            _free(descriptor)
        except (BlockingIOError, PermissionError):
            return True
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
            _free(file.fileno())
            file.close()


def _open(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
