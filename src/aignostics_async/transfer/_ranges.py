"""Which bytes of a file are there, and who fetches the others. Pure; no network, no files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import define, field

from .._core._crc32c import Crc32c, checksum_segments

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@define(eq=False)
class Span:
    """A stretch of a file that one connection fetches, front to back.

    Its one writer replaces `done` as a whole, so any thread sees a length and a checksum that go together.
    """

    start: int
    end: int | None = None
    """One past its last byte; None until the storage has said how long the file is."""
    done: Crc32c = field(factory=Crc32c)
    """Over the bytes that are there."""

    @property
    def position(self) -> int:
        """Where its next byte goes."""
        return self.start + self.done.length

    @property
    def is_complete(self) -> bool:
        """Whether all its bytes are there."""
        return self.end is not None and self.position >= self.end

    def grow(self, view: memoryview) -> None:
        """Take in bytes that were written."""
        grown = Crc32c(self.done.value, self.done.length)
        grown.update(view)
        self.done = grown


def split(spans: Sequence[Span], least: int) -> Span | None:
    """Take the second half of what the slowest span still lacks, as a span of its own.

    None if no half would have `least` bytes. The cut is far ahead of the writer, who looks where his span
    ends before each piece.
    """
    lacking = [(span.end - span.position, span) for span in spans if span.end is not None]
    most, slowest = max(lacking, key=lambda each: each[0], default=(0, None))
    if slowest is None or slowest.end is None or most < 2 * least:
        return None
    middle = slowest.end - most // 2
    half = Span(middle, slowest.end)
    slowest.end = middle
    return half


def combined(spans: Iterable[Span], total: int) -> Crc32c | None:
    """Return the checksum of a file from its spans, or None unless they cover it without gap or overlap."""
    ordered = sorted(spans, key=lambda span: (span.start, span.done.length))
    at = 0
    for span in ordered:
        if span.start != at:
            return None
        at += span.done.length
    return checksum_segments(span.done for span in ordered) if at == total else None


def range_header(span: Span) -> dict[str, str]:
    """Return the header that asks for what a span lacks; none for a file from its start to its end."""
    if span.position == 0 and span.end is None:
        return {}
    last = "" if span.end is None else span.end - 1
    return {"Range": f"bytes={span.position}-{last}"}


def parse_content_range(value: str) -> tuple[int, int, int] | None:
    """Return first byte, last byte and length of the whole, or None for what says less."""
    found = _CONTENT_RANGE.fullmatch(value.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def strong_etag(value: str | None) -> str | None:
    """Return an ETag that stands for equal bytes; a weak one does not."""
    return None if value is None or value.startswith("W/") else value
