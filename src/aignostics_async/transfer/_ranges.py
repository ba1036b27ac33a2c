"""Which bytes of a file are written, and which connection fetches the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import define, field

from .._core._crc32c import Crc32c, checksum_segments

# Python refuses to parse integers of thousands of digits; no size has more than 18.
_SIZE = re.compile("[0-9]{1,18}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@define(eq=False)
class Span:
    """A contiguous range of a file, fetched by one connection from front to back.

        span = Span(0, 1024)
        span.grow(memoryview(b"1234"))
        span.position  # 4

    `start` is the offset of the first byte in the file, and `end` that after the last byte; None, the
    default, while the length of the file is unknown. `done` is the checksum and number of the bytes that are
    written from `start` on, of no bytes by default.
    """

    start: int
    """The offset of the first byte in the file."""
    end: int | None = None
    """The offset after the last byte; None, the default, while the length of the file is unknown."""
    done: Crc32c = field(factory=Crc32c)
    """The checksum and number of the bytes that are written, counted from `start`."""

    @property
    def position(self) -> int:
        """The offset in the file of the next byte to write."""
        return self.start + self.done.length

    @property
    def is_complete(self) -> bool:
        """Whether all bytes of the span are written; False while its end is unknown."""
        return self.end is not None and self.position >= self.end

    def grow(self, view: memoryview) -> None:
        """Extend the checksum and length by bytes that were just written at `position`.

        Writes nothing itself; costs one pass over the bytes of `view`. Only the thread that fetches the span
        may call it.
        """
        grown = Crc32c(self.done.value, self.done.length)
        grown.update(view)
        self.done = grown


def split(spans: Sequence[Span], min_size: int) -> Span | None:
    """Split the span that lacks the most bytes, and return its second half as a new span.

    None if a half would have fewer than `min_size` bytes. The cut is far ahead of the writer, which checks
    the end of its span before each piece.
    """
    lacking = [(span.end - span.position, span) for span in spans if span.end is not None]
    longest, slowest = max(lacking, key=lambda each: each[0], default=(0, None))
    if slowest is None or slowest.end is None or longest < 2 * min_size:
        return None
    middle = slowest.end - longest // 2
    half = Span(middle, slowest.end)
    slowest.end = middle
    return half


def combined(spans: Iterable[Span], total: int) -> Crc32c | None:
    """Return the checksum of a file from its spans; None unless they cover it without gap or overlap."""
    ordered = sorted(spans, key=lambda span: (span.start, span.done.length))
    at = 0
    for span in ordered:
        if span.start != at:
            return None
        at += span.done.length
    return checksum_segments(span.done for span in ordered) if at == total else None


def range_header(span: Span) -> dict[str, str]:
    """Return the header that requests the rest of a span; no header for a whole file."""
    if span.position == 0 and span.end is None:
        return {}
    last = "" if span.end is None else span.end - 1
    return {"Range": f"bytes={span.position}-{last}"}


def parse_size(value: str) -> int | None:
    """Return a number of bytes; None for a text that is not one, or is larger than any file."""
    return int(value) if _SIZE.fullmatch(value) else None


def parse_content_range(value: str) -> tuple[int, int, int] | None:
    """Return first byte, last byte and total length; None for a header without all three."""
    found = _CONTENT_RANGE.fullmatch(value.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def strong_etag(value: str | None) -> str | None:
    """Return a strong ETag, which identifies equal bytes; None for a weak or missing one."""
    return None if value is None or value.startswith("W/") else value
