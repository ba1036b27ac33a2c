"""The report as a CSV file, one line for each item, for spreadsheets and scripts.

It is UTF-8 with the mark that Excel looks for. What a spreadsheet would take for a formula gets an
apostrophe in front, and characters that steer and do not show are written out; the JSON file has every text
as it is.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from typing import BinaryIO

from attrs import fields

from ..database._writer import Execute
from ._rows import ItemRow, read_items
from ._texts import iso, visible

COLUMNS = tuple(each.name for each in fields(ItemRow))

# Also after a semicolon: where that is the separator, a quoted cell ends at it.
_FORMULA = re.compile(r"(^|;)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def write_csv(execute: Execute, file: BinaryIO) -> None:
    """Write the items as of a consistent view, as they are read."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(row) for row in read_items(execute))
    text.detach()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet calculates, on one line."""
    return _FORMULA.sub(r"\1'", visible(text))


def _cells(row: ItemRow) -> list[object]:
    return [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return harmless(value) if isinstance(value, str) else value
