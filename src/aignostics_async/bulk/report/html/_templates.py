"""The markup of the page: the pieces of `page.html`, in which every value is escaped."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from ...._core._display_text import shorten, visible

_HERE = Path(__file__).parent
_MAX_LENGTH = 600  # characters of one text; the CSV and JSON files have them whole
_MARKER = re.compile(r"<!-- (block|inline): (\w+) -->\n")
_PLACEHOLDER = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Html(str):
    """Text that is HTML already, and not escaped again."""

    __slots__ = ()


def render(piece: str, /, **values: object) -> Html:
    """Return a piece of the page with its placeholders filled; whatever is not Html is escaped.

    Raises KeyError for a piece that there is not, and for a placeholder without a value.
    """
    literals, names = _pieces()[piece]
    parts = list(literals)
    for number, each in enumerate(names):
        value = values[each]
        parts[2 * number + 1] = value if isinstance(value, Html) else text(value)
    return Html("".join(parts))


def join(parts: list[Html]) -> Html:
    """Return pieces of the page in a row."""
    return Html("".join(parts))


def text(value: object) -> str:
    """Return anything as it can stand in the page, between tags and in quoted attributes."""
    return escape(visible(shorten(str(value), _MAX_LENGTH)))


def packaged(name: str) -> Html:
    """Return a file that is packaged beside this module, to be inlined."""
    return Html(_HERE.joinpath(name).read_text("utf-8"))


@cache
def _pieces() -> dict[str, tuple[list[str], list[str]]]:
    """Return each piece as its parts, with an empty one for each placeholder, and the placeholders' names."""
    _, *found = _MARKER.split(packaged("page.html"))
    pieces = {}
    for kind, name, body in zip(found[::3], found[1::3], found[2::3], strict=True):
        source = body if kind == "block" else body.removesuffix("\n")
        literals = _PLACEHOLDER.sub("\0", source).split("\0")
        names = [first or second for first, second in _PLACEHOLDER.findall(source)]
        spaced = [part for literal in literals for part in (literal, "")][:-1]
        pieces[name] = spaced, names
    return pieces
