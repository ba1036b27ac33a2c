"""The record beside a partial file: which bytes of which file are written."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from attrs import frozen

from ..._core._crc32c import Crc32c, checksum_bytes, decode_crc32c
from ..._core._portable import open_file
from .._ranges import Span

_VERSION = 1


@frozen
class Record:
    """The content of a partial file. It proves nothing: the bytes are hashed again before they count."""

    promise: str | None
    """The promised CRC32C of the whole file in wire form, or None."""
    total: int
    etag: str | None
    spans: tuple[Span, ...]

    def to_bytes(self) -> bytes:
        """Return the record as bytes that end with their own checksum."""
        content = {
            "version": _VERSION,
            "promise": self.promise,
            "total": self.total,
            "etag": self.etag,
            "spans": [[span.start, span.end, span.done.length, span.done.wire] for span in self.spans],
        }
        text = json.dumps(content, sort_keys=True)
        return f"{text}\n{checksum_bytes(text.encode()).wire}\n".encode()


def load_record(path: Path) -> Record | None:
    """Return the record in a file, or None where there is none that can be read. Blocking.

    Anything may be under its name: a pipe, which nobody writes to, or a link to what has no end.
    """
    try:
        with FileIO(open_file(path, os.O_RDONLY, wait=False)) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return read_record(file.readall())
    except OSError:
        pass
    return None


def read_record(content: bytes) -> Record | None:
    """Decode a record; None for bytes that are not exactly one undamaged record."""
    try:
        text, seal, rest = content.decode("utf-8").split("\n")
        if rest or seal != checksum_bytes(text.encode()).wire:
            return None
        return _record(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None


def _record(content: dict[str, Any]) -> Record | None:
    if content["version"] != _VERSION:
        return None
    spans = tuple(
        Span(start, end, Crc32c(decode_crc32c(wire), length)) for start, end, length, wire in content["spans"]
    )
    record = Record(content["promise"], content["total"], content["etag"], spans)
    return record if _covers(spans, record.total) else None


def _covers(spans: Sequence[Span], total: int) -> bool:
    """Return whether spans, complete or not, follow each other from the start of a file to its end."""
    at = 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.start != at or span.end is None or not span.start <= span.position <= span.end:
            return False
        at = span.end
    return at == total
