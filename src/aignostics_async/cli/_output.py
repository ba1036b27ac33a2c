"""Everything that a command writes to standard output and standard error.

References, names, claims, file names and error messages come from elsewhere. They become harmless here:
control and invisible characters are written visibly, in JSON as escapes. No other module of the command line
prints.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from attrs import asdict
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from .._core._display_text import (
    count,
    escape_json,
    human_moment,
    human_money,
    human_size,
    moment,
    visible,
    visible_lines,
    with_code,
)

__all__ = [
    "Renderable",
    "ask",
    "be_quiet",
    "count",
    "discard",
    "err",
    "grid",
    "human_moment",
    "human_money",
    "human_size",
    "indented",
    "is_quiet",
    "jsonable",
    "moment",
    "note",
    "out",
    "print_document",
    "print_json",
    "print_json_line",
    "print_outcome",
    "print_table",
    "show",
    "text",
    "write_csv",
    "with_code",
]

Renderable = RenderableType
_HIDDEN = ("download_url", "sdk_metadata")
_PIPE_WIDTH = 120  # columns, for prose in a pipe
_TABLE_WIDTH = 10_000  # columns, so that no cell is cut in a pipe
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def out(line: str) -> None:
    """Print a line on standard output."""
    _print(visible_lines(line), sys.stdout)


def err(line: str) -> None:
    """Print an error, or what a person must see, on standard error; standard output holds results only."""
    _print(visible_lines(line), sys.stderr)


def note(line: str) -> None:
    """Print a line on standard error, unless --quiet asks for results and errors alone."""
    if not is_quiet():
        err(line)


def be_quiet() -> None:
    """Print results and errors alone from now on in this command."""
    _quiet.set(True)


def is_quiet() -> bool:
    """Return whether this command prints results and errors alone."""
    return _quiet.get()


def ask(question: str) -> None:
    """Print a question on standard error; the answer follows on its line."""
    print(f"{visible_lines(question)} ", end="", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print one JSON value, indented."""
    print_document(json.dumps(value, indent=2, ensure_ascii=False))


def print_document(document: str) -> None:
    """Print a JSON document."""
    _print(escape_json(document.rstrip("\n")), sys.stdout)


def print_json_line(value: Any, *, stream: TextIO | None = None) -> None:
    """Print one JSON value on one line."""
    _print(escape_json(json.dumps(value, ensure_ascii=False)), stream or sys.stdout)


def print_outcome(words: str, facts: Mapping[str, object], *, as_json: bool) -> None:
    """Print what a command has done, as a sentence for a person or as one JSON object."""
    if as_json:
        print_json(facts)
    else:
        out(words)


def jsonable(model: Any) -> Any:
    """Return a model as a JSON value, without signed URLs, which are secrets, and what the SDK has stored."""

    def serialize(_instance: object, _attribute: object, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, float) and not isfinite(value):
            return None  # metadata may hold NaN, which JSON does not have
        if isinstance(value, frozenset):
            return sorted(value)
        return str(value) if isinstance(value, Path) else value

    return asdict(
        model, filter=lambda attribute, _: attribute.name not in _HIDDEN, value_serializer=serialize
    )


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, whole: str | None = None
) -> None:
    """Print a table on standard output that cuts no cell; a cell is a value or a list, as `text` takes it.

    The cells of the column `whole` are not folded, so that they can be copied, unless they take more than
    two thirds of the terminal.
    """
    console = _console(sys.stdout, _TABLE_WIDTH)
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*map(text, row))
    for column in table.columns:
        longest = console.measure(Group(*column.cells)).maximum
        if column.header == whole and longest <= console.width * 2 // 3:
            column.no_wrap, column.min_width = True, longest
    console.print(table)


def show(*parts: Renderable, stream: TextIO | None = None) -> None:
    """Print texts and tables that `text`, `grid` and `indented` made."""
    _console(stream or sys.stdout, _PIPE_WIDTH).print(Group(*parts))


def text(value: object, style: str = "") -> Text:
    """Return a value as one line for `show` or a cell, or a list of values as one line each.

    None is empty. Nothing is read as markup.
    """
    values = value if isinstance(value, list | tuple) else [value]
    return Text("\n".join("" if each is None else visible(str(each)) for each in values), style=style)


def grid(rows: Iterable[Sequence[Renderable]]) -> Table:
    """Return rows without lines between them, for `show`."""
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    return table


def indented(part: Renderable, columns: int = 2) -> Padding:
    """Return something for `show`, indented."""
    return Padding(part, (0, 0, 0, columns))


def write_csv(table: str, path: Path | None) -> None:
    """Write a table for spreadsheets, with the mark that tells them its encoding; None is standard output."""
    is_for_person = path is None and sys.stdout.isatty()
    content = table.encode("utf-8" if is_for_person else "utf-8-sig", "backslashreplace")
    if path is not None:
        path.write_bytes(content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def discard(stream: TextIO) -> None:
    """Discard what a standard stream has not written, and all further output: nothing can be written there.

    Python would write what is buffered once more at its end, and then end with 120 whatever the exit status.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _print(line: str, stream: TextIO) -> None:
    print(line, file=stream, flush=True)


def _console(stream: TextIO, width: int) -> Console:
    shown_width = None if stream.isatty() else width
    return Console(file=stream, width=shown_width, highlight=False, markup=False, emoji=False)
