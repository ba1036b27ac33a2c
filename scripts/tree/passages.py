"""Find passages of code that occur more than once: six lines or more, equal but for indentation and comments.

Blank lines, comments and imports are skipped. A passage that occurs three times makes three pairs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from tree.source import Module, Modules

WINDOW = 6

_COMMENT = re.compile(r"\s+# .*$")


class Line(NamedTuple):
    """A line of code without its indentation and comment."""

    module: Module
    number: int
    text: str


class Passage(NamedTuple):
    """Two equal passages, by their first lines."""

    first: Line
    second: Line
    lines: int


def repeated(modules: Modules) -> list[Passage]:
    """Return all pairs of equal passages, each as long as it goes, the longest first."""
    lines = [line for module in modules.values() for line in code_lines(module)]
    pairs = {pair for places in _windows(lines).values() for pair in combinations(places, 2)}
    starts = sorted((a, b) for a, b in pairs if (a - 1, b - 1) not in pairs)
    found = [Passage(lines[a], lines[b], _reach(pairs, a, b)) for a, b in starts]
    return sorted((each for each in found if not _overlaps(each)), key=lambda each: -each.lines)


def code_lines(module: Module) -> Iterator[Line]:
    """Give the lines of a module that count."""
    imports = {
        number
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, text in enumerate(module.text.splitlines(), 1):
        stripped = _COMMENT.sub("", text.strip())
        if stripped and not stripped.startswith("#") and number not in imports:
            yield Line(module, number, stripped)


def _windows(lines: list[Line]) -> dict[tuple[str, ...], list[int]]:
    """Return where each sequence of six lines within one module begins."""
    found: dict[tuple[str, ...], list[int]] = {}
    for start in range(len(lines) - WINDOW + 1):
        if lines[start].module is lines[start + WINDOW - 1].module:
            found.setdefault(tuple(line.text for line in lines[start : start + WINDOW]), []).append(start)
    return found


def _reach(pairs: set[tuple[int, int]], a: int, b: int) -> int:
    reach = WINDOW
    while (a := a + 1, b := b + 1) in pairs:
        reach += 1
    return reach


def _overlaps(passage: Passage) -> bool:
    first, second, lines = passage
    return first.module is second.module and second.number < first.number + lines
