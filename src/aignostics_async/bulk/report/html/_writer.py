"""A page that is written as it comes, and counts its bytes: the frame of the HTML report."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import BinaryIO

from ._templates import Html, packaged, render


class HtmlWriter:
    """A page that is being written to a file."""

    def __init__(self, file: BinaryIO, title: str) -> None:
        self._file = file
        self.size = 0
        style, self._script = packaged("page.css"), packaged("page.js")
        # By their hashes: a script that got in by a reference would not run, and nothing is fetched.
        policy = (
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(self._script)}; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        self.write(render("head", policy=Html(policy), title=title, style=style))

    def write(self, markup: Html) -> None:
        """Write a piece of the page."""
        self._write(markup.encode())

    def write_all(self, markups: Iterable[Html], room: int) -> int:
        """Write as many pieces as have room in `room` bytes, in their order; return how many."""
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
        self.write(render("end", script=self._script))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self.size += len(content)


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
