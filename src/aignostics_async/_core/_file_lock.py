"""A lock between processes, which the system releases when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

# ENOSYS on Lustre without `-o flock`, ENOLCK on NFS without a lock daemon.
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})

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


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file without waiting: True if it is locked now, False if another process holds the lock.

    None where the file system offers no locks. Raises OSError for any other failure.
    """
    try:
        _try(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True


class FileLock:
    """A lock on a file. The file is never deleted: otherwise two processes could hold the lock at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Acquire the lock if it is free, without waiting; raises OSError if the file can't be locked."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _try(descriptor)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock if it is held."""
        if self._descriptor is not None:
            _free(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
