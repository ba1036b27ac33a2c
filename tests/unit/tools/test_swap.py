"""New files come into the tree all together, whatever interrupts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from contract import swap

OLD = {"contract.json": "old", "package/one.py": "old", "package/gone.py": "old", "notes.md": "old"}
NEW = {"contract.json": "new", "package/one.py": "new", "package/two.py": "new", "notes.md": "new"}
SWAPPED = ("contract.json", "package", "notes.md")


class Interrupted(BaseException):
    """What a kill is to a test."""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    new = write(tmp_path / "new", NEW)
    return write(tmp_path / "tree", {**OLD, "other.py": "other"}), {name: new / name for name in SWAPPED}


def test_new_files_replace_the_old_ones(trees: tuple[Path, dict[str, Path]]) -> None:
    tree, sources = trees
    swap.put(tree, sources)
    assert read(tree) == {**NEW, "other.py": "other"}
    assert all(source.exists() for source in sources.values())


# Every call that changes something on the disk is a point at which it can be interrupted.
CHANGES = [
    (Path, "mkdir"), (Path, "rename"), (Path, "unlink"), (Path, "write_text"),
    (shutil, "copy"), (shutil, "copytree"), (shutil, "rmtree"),
]  # fmt: skip


def test_interrupted_anywhere_it_is_the_old_tree_or_the_new_one(
    trees: tuple[Path, dict[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, sources = trees
    outcomes = []
    for point in range(100):
        copy = tmp_path / f"tree-{point}"
        shutil.copytree(tree, copy)
        left = [point]
        with monkeypatch.context() as patch:
            for owner, name in CHANGES:
                patch.setattr(owner, name, interrupting(getattr(owner, name), left))
            try:
                swap.put(copy, sources)
                done = True
            except Interrupted:
                done = False
        swap.finish(copy)
        found = read(copy)
        assert found in ({**OLD, "other.py": "other"}, {**NEW, "other.py": "other"}), point
        outcomes.append("new" if found["contract.json"] == "new" else "old")
        if done:
            break
    assert done
    assert outcomes == sorted(outcomes, key=["old", "new"].index), "once new, it stays new"
    assert outcomes.count("old") >= 5
    assert outcomes.count("new") >= 5


def interrupting(change: object, left: list[int]) -> object:
    """Return a change that fails once N were made."""

    def counted(*arguments: object, **options: object) -> object:
        if left[0] == 0:
            raise Interrupted
        left[0] -= 1
        return change(*arguments, **options)  # type: ignore[operator]

    return counted
