"""A page that is written as it comes, counts its bytes, and lets nothing in: the frame of the HTML report."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import BinaryIO

from ...._core._display_text import shorten, visible

_HERE = Path(__file__).parent
_LONGEST = 600  # characters of one text; the CSV and JSON files have them whole

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"""


def text(value: object) -> str:
    """Return anything as it can stand in the page, between tags and in quoted attributes."""
    return escape(visible(shorten(str(value), _LONGEST)))


class HtmlWriter:
    """A page under way to a file."""

    def __init__(self, file: BinaryIO, title: str) -> None:
        self._file = file
        self.size = 0
        style, self._script = (_HERE.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
        # By their hashes: a script that got in by a reference would not run, and nothing is fetched.
        policy = (
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(self._script)}; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        self.write(_HEAD.format(policy=policy, title=text(title), style=style))

    def write(self, markup: str) -> None:
        """Write markup, whose texts were made fit by `text`."""
        self._write(markup.encode())

    def write_all(self, markups: Iterable[str], room: int) -> int:
        """Write as many as have room in so many bytes, the first of them first; return how many."""
        end = self.size + room
        written = 0
        for markup in markups:
            content = markup.encode()
            if self.size + len(content) > end:
                break
            self._write(content)
            written += 1
        return written

    def close(self) -> None:
        """Write the end of the page."""
        self.write(f"<script>{self._script}</script>\n</body>\n</html>\n")

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self.size += len(content)


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
