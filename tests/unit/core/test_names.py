"""Names that cannot leave the folder, and that are never one file."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aignostics_async import UnsafePath
from aignostics_async._core._file_names import (
    check_inside,
    distinct_names,
    extension,
    safe_name,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("case-7", "case-7"),
        ("tissue_qc:tiff_heatmap", "tissue_qc_tiff_heatmap"),
        ("../../x", "_.._x"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\slides\\a.svs", "C__slides_a.svs"),
        ("..", None),
        (".", None),
        ("", None),
        (".hidden", "hidden"),
        ("dot.", "dot"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("con .txt", "_con .txt"),
        ("com1 .a.b", "_com1 .a.b"),
        ("console", "console"),
        ("a\nb\0c", "a_b_c"),
        ("症例-七", "症例-七"),
        ("right\u202eleft", "right_left"),
        ("half\ud800", "half_"),
    ],
)
def test_names(text: str, name: str | None) -> None:
    if name is None:
        assert re.fullmatch(r"_[0-9a-f]{8}", safe_name(text))
    else:
        assert safe_name(text) == name


@given(st.text())
def test_every_text_gives_a_name_that_every_system_takes(text: str) -> None:
    name = safe_name(text)
    assert name
    assert name not in (".", "..")
    assert not set(name) & set('<>:"/\\|?*\0')
    assert not any(unicodedata.category(character) == "Cc" for character in name)
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= 160
    assert (Path("folder") / name).parent == Path("folder")


def test_a_long_text_keeps_its_beginning_and_its_suffix() -> None:
    name = safe_name("x" * 300 + ".tiff")
    assert name.startswith("xxx")
    assert name.endswith(".tiff")
    assert len(name.encode()) <= 160
    assert safe_name("症" * 300) != safe_name("症" * 301)


def test_texts_that_would_be_one_file_are_told_apart() -> None:
    texts = {
        1: "a/b",
        2: "a:b",
        3: "A_B",
        4: "plain",
        5: "caf\u00e9",
        6: "cafe\u0301",
        7: "a_b",
        8: "a_b",
        9: "Case-9",
        10: "case-9",
    }
    names = distinct_names(texts)
    assert names[4] == "plain"
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    assert len(folded) == len(texts)
    assert names == distinct_names(dict(reversed(texts.items())))


def test_a_text_that_looks_like_another_one_s_mark_is_marked_too() -> None:
    marked = distinct_names({1: "a/b", 2: "a:b"})[1]
    names = distinct_names({1: "a/b", 2: "a:b", 3: marked})
    assert len(set(names.values())) == 3


@given(st.dictionaries(st.integers(), st.text(max_size=8), max_size=12))
def test_distinct_keys_have_distinct_names(texts: dict[int, str]) -> None:
    names = distinct_names(texts)
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    assert len(folded) == len(texts)


def test_extensions() -> None:
    assert extension("image/tiff") == ".tiff"
    assert extension("Text/CSV; charset=utf-8") == ".csv"
    assert extension("application/x-unknown") == ".bin"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "case-7").symlink_to(outside)
    check_inside(root, root / "case-8" / "a.tiff")
    with pytest.raises(UnsafePath, match="remove the link"):
        check_inside(root, root / "case-7" / "a.tiff")
    with pytest.raises(UnsafePath):
        check_inside(root, root / ".." / "a.tiff")
