"""The pieces of the page: every value in them is escaped, whatever piece and place it is for."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from aignostics_async.bulk.report.html import _templates
from aignostics_async.bulk.report.html._templates import Html, join, render

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script>"
PIECES = sorted(_templates._pieces())
RAW = {"end", "head"}  # script and style, which are packaged and no values


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def values(piece: str, value: str) -> dict[str, str]:
    return dict.fromkeys(_templates._pieces()[piece][1], value)


@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece not in RAW])
def test_no_value_becomes_markup(piece: str) -> None:
    hostile, plain = (Tags(render(piece, **values(piece, value))).seen for value in (HOSTILE, "x"))
    assert hostile == plain


def test_every_placeholder_of_the_file_is_one_of_a_piece() -> None:
    source = _templates.packaged("page.html")
    used = {name for piece in PIECES for name in _templates._pieces()[piece][1]}
    assert used == {first or second for first, second in re.findall(r"\$(?:\{(\w+)\}|(\w+))", source)}
    assert len(PIECES) == len(re.findall(r"<!-- (?:block|inline): ", source)), (
        "no piece has another one's name"
    )


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="fault"):
        render("cause", number=1, remedy="")
    with pytest.raises(KeyError):
        render("no such piece")


def test_markup_is_not_escaped_again_and_text_always_is() -> None:
    link = render("link", name="runs", title="a < b")
    assert link == '<a href="#runs">a &lt; b</a>'
    assert render("contents", links=join([link, link])).count("<a href") == 2
    assert "&lt;a href" in render("contents", links=str(link))
    assert isinstance(render("contents", links=Html()), Html)
