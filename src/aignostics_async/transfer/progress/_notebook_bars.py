"""Progress bars in the output of a notebook's cell."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from attrs import frozen

_INTERVAL = 0.2  # seconds between two updates, each of which is a message to the browser


@frozen
class _Bar:
    name: str
    completed: int
    total: int | None
    detail: str

    def as_html(self) -> str:
        amount = "" if not self.total else f' max="{self.total}" value="{min(self.completed, self.total)}"'
        return f"<div>{escape(self.name)} <progress{amount}></progress> {escape(self.detail)}</div>"

    def as_text(self) -> str:
        return f"{self.name}: {self.detail}"


class NotebookBars:
    """Bars in one output of a cell, which is updated in place; needs nothing beside IPython."""

    def __init__(self, *, transient: bool) -> None:
        self._bars: dict[str, _Bar] = {}
        self._is_transient = transient
        self._handle: Any = None
        self._drawn = float("-inf")

    def start(self) -> None:
        """Do nothing: the output is made for the first bar."""

    def update(self, name: str, completed: int, total: int | None, detail: str) -> None:
        """Show a bar, at most five times a second."""
        is_new = name not in self._bars
        self._bars[name] = _Bar(name, completed, total, detail)
        if is_new or time.monotonic() >= self._drawn + _INTERVAL:
            self._draw()

    def print(self, line: str, _style: str, /) -> None:
        """Print a line; in a notebook it goes below the bars."""
        _display({"text/plain": line})

    def stop(self) -> None:
        """Show the bars as they are at the end, or remove them."""
        if self._is_transient:
            self._bars.clear()
        if self._handle is not None:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        bars = self._bars.values()
        shown = {
            "text/plain": "\n".join(bar.as_text() for bar in bars),
            "text/html": "".join(bar.as_html() for bar in bars),
        }
        if self._handle is None:
            self._handle = _display(shown, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def _display(shown: dict[str, str], **options: bool) -> Any:
    from IPython.display import display  # there in every notebook

    return display(shown, raw=True, **options)  # type: ignore[no-untyped-call]
