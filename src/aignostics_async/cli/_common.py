"""What the commands share: a client from the environment, and ways to show things."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from attrs import asdict, evolve
from cyclopts import Parameter
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ..errors import UsageError

if TYPE_CHECKING:
    from .._client import Client
    from ..transfer._progress import ProgressLines
    from ..transfer._progress_bars import ProgressBars

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON instead of a table.")]
PollInterval = Annotated[float, Parameter(help="Seconds between two looks at a run.")]


Bwlimit = Annotated[
    str | None, Parameter(help="Bytes per second for all transfers together, such as 500K, 20M or 1.5G.")
]


def client(poll_interval: float | None = None, bwlimit: str | None = None) -> Client:
    """Return the client that the environment describes."""
    from .._client import Client
    from .._config import Settings, Transfers

    transfers = Transfers(bandwidth=None if bwlimit is None else bytes_per_second(bwlimit))
    settings = Settings(transfers=transfers)
    if poll_interval is not None:
        settings = evolve(settings, poll_interval=poll_interval)
    return Client.from_env(settings=settings)


def bytes_per_second(text: str) -> float:
    """Return a rate that is given as a number, with K, M or G for thousands; else raise UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)", text.strip().lower())
    rate = float(found[1]) * 1000 ** " kmg".index(found[2] or " ") if found else 0
    if not rate:
        raise UsageError(f"--bwlimit takes bytes per second such as 500K, 20M or 1.5G, not {text!r}")
    return rate


def progress() -> ProgressBars | ProgressLines:
    """Return bars for a terminal, and a line every 30 s for anything else."""
    from ..transfer._progress import ProgressLines
    from ..transfer._progress_bars import ProgressBars

    return ProgressBars() if sys.stderr.isatty() else ProgressLines()


def key_value(text: str) -> tuple[str, str]:
    """Return the two parts of KEY=VALUE, or raise UsageError."""
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise UsageError(f"--metadata takes KEY=VALUE, not {text!r}")
    return key, value


def plain(value: Any) -> Any:
    """Return a model as what JSON can hold. Signed URLs are secrets and stay out."""

    def serialize(_instance: object, _attribute: object, inner: Any) -> Any:
        if isinstance(inner, datetime):
            return inner.isoformat()
        return str(inner) if isinstance(inner, Path) else inner

    return asdict(
        value, filter=lambda attribute, _: attribute.name != "download_url", value_serializer=serialize
    )


def print_json(value: Any) -> None:
    """Print one JSON value, indented."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_line(value: Any) -> None:
    """Print one JSON value on one line, at once, for a reader that follows."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def mute() -> None:
    """Let what is still to be written to standard output go nowhere: nobody takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table that cuts nothing; texts of the server's are shown as they are, never read as markup."""
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    # A pipe has no width that a table must fit into.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)
