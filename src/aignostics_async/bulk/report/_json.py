"""The report as JSON: the summary, the runs, and every item, each text as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, BinaryIO

from attrs import asdict

from ..database._writer import Execute
from ._rows import read_duplicates, read_items, read_runs
from ._summary import Summary
from ._texts import plain


def write_json(execute: Execute, summary: Summary, file: BinaryIO) -> None:
    """Write one object as of a consistent view; its lists have one line for each entry."""
    head = json.dumps({"summary": summary.plain()}, indent=2, ensure_ascii=False)
    file.write(head.removesuffix("\n}").encode())
    _write_list(file, "duplicates", read_duplicates(execute))
    _write_list(file, "runs", read_runs(execute))
    _write_list(file, "items", read_items(execute))
    file.write(b"\n}\n")


def _write_list(file: BinaryIO, name: str, rows: Iterable[Any]) -> None:
    file.write(f',\n  "{name}": ['.encode())
    separator = "\n    "
    for row in rows:
        entry = json.dumps(asdict(row, recurse=False, value_serializer=plain), ensure_ascii=False)
        file.write(f"{separator}{entry}".encode())
        separator = ",\n    "
    file.write(b"]" if separator.startswith("\n") else b"\n  ]")
