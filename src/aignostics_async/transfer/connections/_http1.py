"""HTTP/1.1 as it arrives: the head of an answer, and how its body is delimited. Pure; no sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from .._ranges import parse_size

MAX_HEAD = 64 * 1024  # bytes of status line and headers together
MAX_LINE = 4 * 1024  # bytes of a chunk's size, and of a trailer
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: .*)?")
_HEAD_END = re.compile(rb"\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_NO_BODY = frozenset({204, 304})


class ProtocolError(Exception):
    """What arrived is not HTTP/1.1."""


@frozen
class Head:
    """Status and headers of an answer; a repeated header is one, its values joined by commas."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    length: int | None
    """Bytes of the body; None if it is chunked, or ends with the connection."""
    is_chunked: bool
    keeps_alive: bool
    """Whether the connection serves another request after the body."""

    @property
    def is_interim(self) -> bool:
        """Whether another head follows."""
        return self.status < 200


def head_end(received: bytes | bytearray) -> int | None:
    """Return where the body begins, or None if the head is not complete."""
    found = _HEAD_END.search(received)
    return None if found is None else found.end()


def parse_head(received: bytes | bytearray, method: str) -> Head:
    """Return the head of an answer to `method`. Raises ProtocolError."""
    first, *lines = received.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise ProtocolError("the answer has no status line of HTTP/1.1")
    status, headers = int(found[2]), _headers(lines)
    options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
    keeps_alive = "keep-alive" in options if found[1] == "0" else "close" not in options
    encoding = headers.get("transfer-encoding", "identity").strip().lower()
    if encoding not in ("chunked", "identity"):
        raise ProtocolError(f"the answer has the transfer encoding {encoding[:40]!r}")
    is_chunked = encoding == "chunked"
    length = None if is_chunked else _length(headers)
    if method == "HEAD" or status in _NO_BODY or status < 200:
        length, is_chunked = 0, False
    return Head(status, headers, length, is_chunked, keeps_alive and (is_chunked or length is not None))


def parse_chunk_size(line: bytes) -> int:
    """Return the size on the first line of a chunk; 0 is the last one. Raises ProtocolError."""
    found = _CHUNK_SIZE.fullmatch(line.rstrip(b"\r\n"))
    if found is None:
        raise ProtocolError("a chunk of the answer has no size")
    return int(found[1], 16)


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    last: str | None = None
    for line in lines:
        if line[:1] in (" ", "\t"):  # folded, as old servers do
            if last is not None:
                headers[last] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        last = name.lower() if colon and name and name == name.strip() else None
        if last is not None:
            # Google sends `x-goog-hash` twice, one for each kind of checksum.
            headers[last] = f"{headers[last]}, {value.strip()}" if last in headers else value.strip()
    return headers


def _length(headers: Mapping[str, str]) -> int | None:
    told = {value.strip() for value in headers.get("content-length", "").split(",")}
    if told == {""}:
        return None
    length = parse_size(told.pop())
    if told or length is None:
        raise ProtocolError("the answer has no single length")
    return length
