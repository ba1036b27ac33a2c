"""docs/renamed.md names things that exist."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path

import aignostics_async
import aignostics_async.bulk


def rows(root: Path, title: str) -> list[tuple[str, str]]:
    """Return the rows of the table under a heading: old and new name."""
    text = (root / "docs/renamed.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| (`.+?) \| (`.+`) \|$", text, re.MULTILINE)
    assert found
    return found


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def is_there(path: Path) -> bool:
    """Whether a module or package exists; a folder that holds nothing but compiled files is none."""
    return path.is_file() or any(path.rglob("*.py"))


def test_new_public_names_exist(root: Path) -> None:
    for _, new in rows(root, "Public names"):
        for name in names(new):
            reduce(getattr, name.split("."), aignostics_async)


def test_modules_have_moved(root: Path) -> None:
    source = root / "src/aignostics_async"
    for old, new in rows(root, "Modules"):
        assert not [name for name in names(old) if is_there(source / name)], f"{old} is not an old name"
        assert all(is_there(source / name) for name in names(new)), f"{new} is not there"


def test_new_types_exist(root: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.py"))
    defined = set(re.findall(r"^\s*class (\w+)|^(\w+) = ", text, re.MULTILINE))
    missing = {name for _, new in rows(root, "Types") for name in names(new)} - {a or b for a, b in defined}
    assert not missing
