"""What else a process has open: it must survive whatever a call leaves behind."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def bystanders(folder: Path) -> Iterator[None]:
    """Open files and a database, as a program does after a call has failed; none of them may change."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"bystander {number}" for number in range(40)]
    descriptors = [os.open(file, os.O_RDWR | os.O_CREAT) for file in files]
    for descriptor in descriptors:
        os.write(descriptor, b"twelve bytes")
    database = sqlite3.connect(folder / "bystander.db")
    database.execute("CREATE TABLE numbers (number)")
    database.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(1000)])
    database.commit()
    yield
    database.execute("INSERT INTO numbers VALUES (1000)")
    database.commit()
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("SELECT count(*) FROM numbers").fetchone() == (1001,)
    database.close()
    for descriptor in descriptors:
        os.close(descriptor)
    assert {file.read_bytes() for file in files} == {b"twelve bytes"}
