"""docs/reference/features.md: every feature of this SDK names tests, and each of them exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/features.md").read_text(encoding="utf-8")
OURS, _, THEIRS = PAGE.partition("## What the official clients have")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in OURS.splitlines()
    if line.startswith("| ") and not line.startswith("| feature |")
]


@cache
def functions(path: str) -> frozenset[str]:
    """Return the names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(each.name for each in tree.body if isinstance(each, kinds))


def test_no_row_is_half_of_one() -> None:
    assert len(ROWS) > 50
    assert {len(row) for row in ROWS} == {6}
    assert all(all(row) for row in ROWS)
    names = [row[0] for row in ROWS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_holds_a_feature_exists(row: list[str]) -> None:
    tests = re.findall(r"`([^`]+)`", row[5])
    assert tests, "a feature of this SDK without a test"
    for test in tests:
        path, _, name = test.partition("::")
        assert name in functions(path), test


def test_what_others_have_alone_is_not_claimed() -> None:
    assert THEIRS.count("| a desktop window |") == 1
    assert "tests/" not in THEIRS
