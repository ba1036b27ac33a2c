"""Take the names away that Windows lacks, and give those that it has: a stand-in, not Windows.

    pytest -p without_posix tests/faults/test_downloads.py

It proves that imports and branches work. Files that are open can't be renamed, replaced or deleted, except
those that were opened for sharing, as on Windows.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

_OS = ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "preadv", "pwrite", "pread", "readv", "writev", "statvfs",
       "geteuid", "fchmod", "posix_fadvise", "posix_fallocate", "sendfile")  # fmt: skip
TAKEN = {
    os: _OS,
    select: ("poll", "POLLIN", "POLLOUT"),
    time: ("clock_gettime", "CLOCK_BOOTTIME"),
    signal: ("SIGHUP",),
}

_shared: set[tuple[int, int]] = set()
"""Files that were opened for sharing."""


def _open_shared(path: str, access: int, _share: int, _security: int, creation: int, *_: int) -> int:
    flags = os.O_RDWR if access & _WRITE else os.O_RDONLY
    descriptor = os.open(path, flags | (os.O_CREAT if creation == 4 else 0), 0o666)
    status = os.fstat(descriptor)
    _shared.add((status.st_dev, status.st_ino))
    return descriptor


def _lock(descriptor: int, mode: int, count: int) -> None:
    assert count == 1
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == 2**30, "no byte of the file's own"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


_READ, _WRITE = 0x80000000, 0x40000000
_IN_PLACE = {
    "msvcrt": {
        "LK_NBLCK": 2,
        "LK_UNLCK": 0,
        "locking": _lock,
        "open_osfhandle": lambda handle, _flags: handle,
    },
    "_winapi": {"GENERIC_READ": _READ, "GENERIC_WRITE": _WRITE, "CreateFile": _open_shared},
}


def take_away() -> None:
    """Do it in this process, before the package is imported."""
    assert "aignostics_async" not in sys.modules
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    for name, members in _IN_PLACE.items():
        module = sys.modules[name] = ModuleType(name)
        module.__dict__.update(members)
    shutil.disk_usage = _disk_usage(os.statvfs)  # the one of POSIX uses what is taken
    for owner, names in TAKEN.items():
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
    for name in ("rename", "replace", "unlink", "remove"):
        setattr(os, name, _refusing_open_files(getattr(os, name)))


def _disk_usage(statvfs: Any) -> Any:
    def usage(path: Any) -> SimpleNamespace:
        disk = statvfs(path)
        return SimpleNamespace(total=disk.f_blocks * disk.f_frsize, free=disk.f_bavail * disk.f_frsize)

    return usage


def _refusing_open_files(call: Any) -> Any:
    def refuse(path: Any, *arguments: Any, **options: Any) -> Any:
        for each in (path, *arguments[:1]):
            _check_is_closed(each)
        return call(path, *arguments, **options)

    return refuse


def _check_is_closed(path: Any) -> None:
    try:
        wanted = os.lstat(path)
    except (OSError, TypeError):
        return
    key = wanted.st_dev, wanted.st_ino
    for entry in Path("/proc/self/fd").iterdir():
        try:
            status = os.fstat(int(entry.name))
        except OSError:
            continue
        if (status.st_dev, status.st_ino) == key and key not in _shared:
            raise PermissionError(errno.EACCES, "it is open", str(path))


take_away()
