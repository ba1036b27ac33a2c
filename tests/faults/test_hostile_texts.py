"""What makes texts from elsewhere harmless for a terminal, and that everything uses it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hostile_texts import HOSTILE, LITERAL, steering

from aignostics_async._core._display_text import escape_json, from_visible, visible, visible_lines
from aignostics_async._core._logging import get_logger

TEXTS = HOSTILE + LITERAL


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_becomes_visible(text: str) -> None:
    assert steering(visible(text)) == []
    assert "\n" not in visible(text)
    assert steering(visible_lines(text)) == []
    assert all(line.startswith("  ") for line in visible_lines(text).split("\n")[1:])
    assert "‹U+" in visible(text)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_what_is_visible_can_be_read_back(text: str) -> None:
    assert from_visible(visible(text)) == text


def test_only_what_was_made_visible_is_read_back() -> None:
    for text in ("‹U+0041›", "‹U+0000›", "‹U+110000›", "‹u+200b›", "‹U+200B", "‹›"):
        assert from_visible(text) == text


@pytest.mark.parametrize("text", LITERAL)
def test_a_harmless_text_is_unchanged(text: str) -> None:
    assert visible(text) == visible_lines(text) == text


@pytest.mark.parametrize("indent", [None, 2])
def test_json_keeps_its_value(indent: int | None) -> None:
    value = {text: [text, {"nested": text}] for text in TEXTS}
    document = escape_json(json.dumps(value, ensure_ascii=False, indent=indent))
    assert json.loads(document) == value
    assert steering(document) == []


def test_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    logger = get_logger("aignostics_async")
    with caplog.at_level("INFO", logger="aignostics_async"):
        for text in TEXTS:
            logger.info("try %d failed: %s", 2, text)
    for record, text in zip(caplog.records, TEXTS, strict=True):
        assert steering(record.getMessage()) == []
        assert record.getMessage() == f"try 2 failed: {visible_lines(text)}"


def test_every_logger_of_the_package_is_one_of_these(root: Path) -> None:
    home = root / "src/aignostics_async/_core/_logging.py"
    others = [
        str(path)
        for path in (root / "src/aignostics_async").rglob("*.py")
        if path != home and 'getLogger("aignostics_async' in path.read_text(encoding="utf-8")
    ]
    assert others == []


def test_one_module_of_the_command_line_writes(root: Path) -> None:
    """Others neither print nor build what rich prints; `__init__` has to speak before rich is there."""
    folder = root / "src/aignostics_async/cli"
    for path in folder.glob("*.py"):
        if path.name in ("_output.py", "__init__.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "print"), path
            assert not (isinstance(called, ast.Attribute) and called.attr == "write"), path
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(module.split(".")[0] == "rich" for module in modules), path
