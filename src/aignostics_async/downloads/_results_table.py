"""One table of result files, for notebooks and spreadsheets: a line for each file that is there."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from .._core._arguments import as_path
from .._core._atomic_file import atomic_file
from .._core._display_text import harmless
from .._core._file_names import media_type_of
from ..errors import MissingExtra, TransferError, UsageError
from ..transfer.files._file_io import unwritable
from ._outcomes import FileOutcome, FileStatus

COLUMNS = ("reference", "artifact", "path", "crc32c", "media_type", "size")
_BATCH = 10_000  # rows that are in memory


def write_table(files: Iterable[FileOutcome], target: str | os.PathLike[str]) -> int:
    """Write one table of result files, and return the number of its rows.

        report = await run.download("results/")
        write_table(report.files, "results/table.parquet")

    `files` are outcomes, as `DownloadReport.files` and `CompletedItem.files` have them; those that failed are
    left out. The suffix of `target` selects the format: `.csv`, or `.parquet` with the extra `parquet`. The
    columns are `reference`, `artifact` (the name of the output), `path` (absolute), `crc32c` (in wire form),
    `media_type` (of the suffix if the platform names none) and `size` in bytes. A CSV file is UTF-8 with a
    byte order mark (encoding `utf-8-sig`) and a header; in it, a text that a spreadsheet would take for a
    formula begins with an apostrophe, and invisible characters are written out. Parquet has texts unchanged,
    except bytes of a path that are no UTF-8, which both formats show as escapes.

    The file appears, or replaces an earlier one, when the table is complete; on POSIX systems only its owner
    can read it. Memory does not grow with the number of files. Blocks while it writes: some 0.1 s for 10,000
    files. Raises UsageError for another suffix or what is no path, MissingExtra for Parquet without the
    extra, TransferError if the file can't be written, and what iterating over `files` raises, an OSError as
    TransferError.
    """
    path = as_path(target, "the file of a table")
    writer = {".csv": _write_csv, ".parquet": _write_parquet}.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path.name} names no format of a table; use one of the suffixes .csv, .parquet")
    try:
        with atomic_file(path) as file:
            return writer(_rows(files), file)
    except OSError as error:
        failure: TransferError = unwritable(error, path, str(path))
    raise failure


def _rows(files: Iterable[FileOutcome]) -> Iterator[dict[str, Any]]:
    for file in files:
        if file.status is FileStatus.FAILED:
            continue
        yield {
            "reference": file.reference,
            "artifact": file.artifact,
            "path": str(file.path.absolute()),
            "crc32c": file.crc32c,
            "media_type": file.media_type or media_type_of(file.path),
            "size": file.size,
        }


def _write_csv(rows: Iterator[dict[str, Any]], file: BinaryIO) -> int:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", errors="backslashreplace")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    number = 0
    for row in rows:
        writer.writerow(
            {name: harmless(value) if isinstance(value, str) else value for name, value in row.items()}
        )
        number += 1
    text.detach()
    return number


def _write_parquet(rows: Iterator[dict[str, Any]], file: BinaryIO) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("a table in Parquet", extra="parquet") from None
    kinds = [(name, pa.int64() if name == "size" else pa.string()) for name in COLUMNS]
    schema, number = pa.schema(kinds), 0
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            encodable = [{name: _encodable(value) for name, value in row.items()} for row in batch]
            writer.write_table(pa.Table.from_pylist(encodable, schema=schema))
            number += len(batch)
    return number


def _encodable(value: Any) -> Any:
    """Return a value; the name of a file may hold what no encoding has."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
