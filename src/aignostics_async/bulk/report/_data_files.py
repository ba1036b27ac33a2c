"""The report as data: a CSV file for spreadsheets, a JSON file for scripts. Both stream their rows.

The CSV file has one line for each item. It is UTF-8 with the byte order mark that Excel looks for. A cell
that a spreadsheet would take for a formula begins with an apostrophe, and invisible control characters are
written out. The JSON file holds the summary, the runs and every item, with each text unchanged.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, BinaryIO

from attrs import asdict, fields

from ..._core._display_text import harmless
from ..database._writer import Execute
from ._formatting import iso, plain
from ._rows import ReportedItem, read_duplicates, read_items, read_left_out, read_runs
from ._summary import Summary

COLUMNS = tuple(each.name for each in fields(ReportedItem))


def write_csv(execute: Execute, file: BinaryIO) -> None:
    """Write the items as of a consistent view, as they are read."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(row) for row in read_items(execute))
    text.detach()


def _cells(row: ReportedItem) -> list[object]:
    return [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return harmless(value) if isinstance(value, str) else value


def write_json(execute: Execute, summary: Summary, file: BinaryIO) -> None:
    """Write one object as of a consistent view; its lists have one line for each entry."""
    head = json.dumps({"summary": summary.plain()}, indent=2, ensure_ascii=False)
    file.write(head.removesuffix("\n}").encode())
    _write_list(file, "duplicates", read_duplicates(execute))
    _write_list(file, "runs", read_runs(execute))
    _write_list(file, "left_out", read_left_out(execute))
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
