"""What an error of SQLite means for a job, and what to do about it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import JobDatabaseError

_BUSY = "another program has it locked, such as a database browser or a backup; close that"
_DAMAGED = "it is damaged, or no job's database at all; restore a copy of it, then 'bulk adopt'"
_DENIED = "check the rights of the job's folder; a folder that is read only can be copied"
_FULL = "no space is left; make room in the job's folder"
_DISK = (
    "the disk failed, or a limit of file size was reached (`ulimit -f`); mend that, or restore the job's "
    "folder elsewhere"
)

OLDEST_SQLITE = (3, 37)
"""For tables that are STRICT: an older SQLite takes a database with them for damaged."""

_ADVICE = {
    sqlite3.SQLITE_AUTH: _DENIED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,  # such as a table that is not there
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_READONLY: _DENIED,
}


def describe(error: sqlite3.Error | OSError) -> str:
    """Return what failed and what to do about it."""
    if isinstance(error, OSError):
        advice = _DENIED if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else _DISK
        return f"{error.strerror}: {advice}"
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        advice = f"this Python has SQLite {sqlite3.sqlite_version}, and jobs need 3.37; use a newer Python"
        return f"{type(error).__name__}, {error}: {advice}"
    # The low byte is the kind; extended codes say more of the same kind.
    advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, _DISK)
    return f"{type(error).__name__}, {error}: {advice}"


@contextmanager
def described(path: Path, verb: str) -> Iterator[None]:
    """Raise every error of SQLite as JobDatabaseError."""
    try:
        yield
    except sqlite3.Error as error:
        failure = JobDatabaseError(f"{path} can't be {verb} ({describe(error)})")
    else:
        return
    raise failure
