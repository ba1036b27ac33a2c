"""List the sentences of a Markdown file: those of paragraphs and list items, without code and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"\s*(```|~~~)")
_NOT_PROSE = re.compile(r"\s*(?:#|\||<|\[[^\]]+\]:|!\[)| {4}")
_MARK = re.compile(r"^\s*(?:[-*>]|\d+\.)\s+")
_SENTENCE = re.compile(r"\S.*?[.!?](?<!e\.g\.)(?<!i\.e\.)[\"')*_`]*(?=\s+[^a-z]|\s*\Z)", re.DOTALL)


class Sentence(NamedTuple):
    """A sentence, and the line that it begins on."""

    line: int
    text: str


def sentences(markdown: str) -> list[Sentence]:
    """Return the sentences in order; text without a full stop is left out."""
    return [
        Sentence(first + block.count("\n", 0, match.start()), " ".join(match[0].split()))
        for first, block in _blocks(markdown)
        for match in _SENTENCE.finditer(block)
    ]


def _blocks(markdown: str) -> Iterator[tuple[int, str]]:
    """Give each paragraph and list item with the number of its first line."""
    block: list[str] = []
    in_code = False
    for number, line in enumerate([*markdown.splitlines(), ""], 1):
        in_code ^= (is_fence := _FENCE.match(line) is not None)
        is_prose = bool(line.strip()) and not (in_code or is_fence or (_NOT_PROSE.match(line) and not block))
        if block and (not is_prose or _MARK.match(line)):
            yield number - len(block), "\n".join(block)
            block = []
        if is_prose:
            block.append(_MARK.sub("", line, count=1) if not block else line)
