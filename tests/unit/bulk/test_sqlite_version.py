"""The SQL of the project needs no later SQLite than its tables do, and an earlier one is told."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import aignostics_async
from aignostics_async import JobDatabaseError
from aignostics_async.bulk.database._database import Database, connect_to_read
from aignostics_async.bulk.database._failures import OLDEST_SQLITE, described

SOURCES = Path(aignostics_async.__file__).parent
SQL = re.compile(
    r"\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (?:TEMP )?(?:TABLE|VIEW)|WHERE)\b"
)
LATER = re.compile(
    r"->|\b(?:RIGHT|FULL)(?: OUTER)? JOIN\b|\bIS (?:NOT )?DISTINCT FROM\b"
    r"|\b(?:unixepoch|format|if|concat|concat_ws|string_agg|octet_length|timediff|jsonb\w*|json_pretty"
    r"|json_error_position|unistr|median|percentile)\s*\(",
    re.IGNORECASE,
)
"""What SQLite understands since 3.38 or later."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Give the texts of a module, and the fixed parts of those with values in them, by line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(str(each.value) for each in node.values if hasattr(each, "value"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_no_query_needs_a_later_sqlite() -> None:
    queries = [
        (f"{path.relative_to(SOURCES)}:{line}", text)
        for path in SOURCES.rglob("*.py")
        for line, text in texts(path)
        if SQL.search(text)
    ]
    assert len(queries) > 100
    assert OLDEST_SQLITE == (3, 37), "else correct LATER"
    assert [place for place, text in queries if LATER.search(text)] == []


def test_an_older_sqlite_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "job.sqlite3"
    Database(path).open().close()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with (
        pytest.raises(JobDatabaseError, match=r"jobs need 3\.37"),
        described(path, "read"),
        closing(connect_to_read(path)) as connection,
    ):
        connection.execute("SELECT 1 FROM what_it_can_not_parse")
