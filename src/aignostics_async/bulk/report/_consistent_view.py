"""One consistent view of a job's database, while a process works on the job or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ...errors import JobError
from ..database._database import connect_to_read, show_as_current
from ..database._failures import described
from ..database._job_folder import has_database
from ..database._writer import Execute


@contextmanager
def consistent_view(database: Path) -> Iterator[Execute]:
    """Give a connection's `execute`; all that it reads is as of one commit, and no writer waits for it.

    Raises JobError where there is no job, and JobDatabaseError.
    """
    if not has_database(database):
        raise JobError(f"there is no job in {database.parent}; pass the folder of a job")
    with (
        described(database, "read"),
        closing(connect_to_read(database)) as original,
        closing(_still(original)) as connection,
    ):
        show_as_current(connection)
        if not connection.execute("SELECT count(*) FROM job").fetchone()[0]:
            raise JobError(f"the job in {database.parent} was not created completely; create it again")
        yield connection.execute


def _still(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection in which nothing changes."""
    (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    if journal == "wal":
        connection.execute("BEGIN")
        return connection
    # Without a write-ahead log a writer would wait until all is read, and give up. The copy has no name, and
    # is gone with its connection.
    copy = sqlite3.connect("", isolation_level=None)
    try:
        connection.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy
