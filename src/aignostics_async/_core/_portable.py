"""Calls that POSIX and Windows have in different forms, each in one that works on both.

A form is chosen by what the system has, not by its name, so a test can take the names of POSIX away.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_fcntl: Any = None
try:
    import fcntl

    _fcntl = fcntl
except ModuleNotFoundError:
    import _winapi
    import msvcrt

    _windows: Any = _winapi
    _msvcrt: Any = msvcrt

# Without O_BINARY Windows translates line ends, and a descriptor that a child inherits keeps a file open.
_ALWAYS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_LOCKED_AT = 2**30  # Windows keeps others from reading the bytes that are locked, so these are none
_SHARE_ALL = 7  # FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
_OPEN_EXISTING, _OPEN_ALWAYS, _NORMAL = 3, 4, 0x80

NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP})
"""What a file system answers to a call on an open file that it does not have."""

_position = threading.Lock()
"""Held while the position of a descriptor is set and used, where there are no positioned calls."""


def is_windows() -> bool:
    """Whether this is Windows, where the forms below were checked but never run."""
    return sys.platform == "win32"


# Files


def open_file(path: Path, flags: int, mode: int = 0o666, *, follow: bool = False, wait: bool = True) -> int:
    """Open a file for bytes and return its descriptor, which no child process inherits.

    While it is open, the file can be renamed, replaced and deleted. A link is refused unless `follow`, where
    the system can tell; without `wait` a pipe does not block. Raises OSError.
    """
    if _fcntl is None:
        return _open_shared(path, flags)
    return os.open(path, flags | _ALWAYS | (0 if follow else _NO_LINK) | (0 if wait else _NO_WAIT), mode)


def _open_shared(path: Path, flags: int) -> int:
    access = _windows.GENERIC_READ | (_windows.GENERIC_WRITE if flags & os.O_RDWR else 0)
    creation = _OPEN_ALWAYS if flags & os.O_CREAT else _OPEN_EXISTING
    handle = _windows.CreateFile(str(path), access, _SHARE_ALL, 0, creation, _NORMAL, 0)
    descriptor: int = _msvcrt.open_osfhandle(handle, flags | _ALWAYS)
    return descriptor


def read_at(descriptor: int, view: memoryview, position: int) -> int:
    """Read into `view` from a position of a file, and return how many bytes it took; 0 at the end."""
    positioned: Any = getattr(os, "preadv", None)
    if positioned is not None:
        count: int = positioned(descriptor, [view], position)
        return count
    with _position:
        os.lseek(descriptor, position, os.SEEK_SET)
        content = os.read(descriptor, len(view))
    view[: len(content)] = content
    return len(content)


def write_some_at(descriptor: int, view: memoryview, position: int) -> int:
    """Write from `view` at a position of a file, and return how many bytes were written."""
    positioned: Any = getattr(os, "pwrite", None)
    if positioned is not None:
        count: int = positioned(descriptor, view, position)
        return count
    with _position:
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.write(descriptor, view)


def sync(descriptor: int) -> None:
    """Bring a file to the disk, where the file system has a call for that. Raises OSError."""
    # On macOS fsync leaves the bytes in the cache of the drive, which a power cut empties.
    full = getattr(_fcntl, "F_FULLFSYNC", None)
    if full is not None:
        with suppress(OSError):  # not every file system has it
            _fcntl.fcntl(descriptor, full)
            return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise


def free_space(folder: Path) -> int | None:
    """Return how many bytes a user may still write below a folder, or None if the file system does not tell.

    Those of networks and of users may say nothing, or that their size is 0. Raises OSError.
    """
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise
        return None
    return usage.free if usage.total > 0 <= usage.free else None


def lock(descriptor: int) -> None:
    """Lock an open file without waiting.

    Raises BlockingIOError or PermissionError while somebody else has locked it, and OSError where that does
    not work.
    """
    if _fcntl is not None:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
    else:
        _lock_region(descriptor, _msvcrt.LK_NBLCK)


def unlock(descriptor: int) -> None:
    """Unlock an open file; closing is not enough, since a process that was forked meanwhile has it open."""
    if _fcntl is not None:
        _fcntl.flock(descriptor, _fcntl.LOCK_UN)
    else:
        _lock_region(descriptor, _msvcrt.LK_UNLCK)


def _lock_region(descriptor: int, mode: int) -> None:
    with _position:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        try:
            _msvcrt.locking(descriptor, mode, 1)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


def close_to_others(descriptor: int) -> bool:
    """Make an open file readable by its owner only, and return whether it was not.

    Raises PermissionError if it is another user's. Does nothing where permissions come from the folder.
    """
    owner: Any = getattr(os, "geteuid", None)
    restrict: Any = getattr(os, "fchmod", None)
    status = os.fstat(descriptor)
    if owner is None or restrict is None:
        return False
    if status.st_uid != owner():
        raise PermissionError("it belongs to another user")
    was_open = bool(status.st_mode & 0o077)
    if was_open:
        restrict(descriptor, 0o600)
    return was_open


# Clocks and sockets


def uptime() -> float:
    """Return the seconds since the machine started, with suspended ones where the system counts them."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    read: Any = getattr(time, "clock_gettime", None)
    return time.monotonic() if boot is None or read is None else float(read(boot))


POLLIN: int = getattr(select, "POLLIN", 1)
POLLOUT: int = getattr(select, "POLLOUT", 4)


class _Poll:
    """`select.poll` by `select.select`, for Windows."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, file: Any, events: int) -> None:
        self._events[file if isinstance(file, int) else file.fileno()] = events

    def unregister(self, file: Any) -> None:
        del self._events[file if isinstance(file, int) else file.fileno()]

    def poll(self, milliseconds: float | None = None) -> list[tuple[int, int]]:
        readers = [file for file, events in self._events.items() if events & POLLIN]
        writers = [file for file, events in self._events.items() if events & POLLOUT]
        seconds = None if milliseconds is None else milliseconds / 1000
        # Windows tells a connection that failed among the exceptional ones.
        readable, writable, failed = select.select(readers, writers, writers, seconds)
        events = dict.fromkeys([*readable, *writable, *failed], 0)
        for file in readable:
            events[file] |= POLLIN
        for file in [*writable, *failed]:
            events[file] |= POLLOUT
        return list(events.items())


def new_poll() -> Any:
    """Return an object like `select.poll()`."""
    make: Any = getattr(select, "poll", _Poll)
    return make()
