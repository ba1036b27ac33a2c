"""JSON of requests and responses: fast, and entry by entry where one entry is broken.

msgspec either returns what the standard library returns, or refuses: NaN, numbers out of range, lone
surrogates. What it refuses is parsed by the standard library, a list entry by entry. A long list is parsed in
pieces, so that the event loop can run between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ..errors import UsageError
from ._secret import Secret

# A whole page of the contract's size, parsed in less than 2 ms; longer bodies are cut into pieces.
AT_ONCE = 1 << 20
_PIECE = 1 << 18

_PLAIN = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
_MAX_SHOWN = 6000  # characters


class NoJson(ValueError):
    """A text is not JSON, or not a list where a list is expected."""


class BrokenEntry(ValueError):
    """An entry of a list can't be parsed; `text` is its beginning."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text


def encode_json(value: object) -> Secret:
    """Return a value as the JSON of a request body; raises UsageError for a value that has none.

    It is a Secret because bodies hold signed URLs, which must not show in the variables of a traceback.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
        return Secret(text)
    except (ValueError, TypeError, RecursionError) as error:
        reason = str(error)
    raise UsageError(f"the request can't be written as JSON: {reason}")  # outside, so that it has no context


def decode_json(content: bytes) -> Any:
    """Return the value of a response body; raises NoJson."""
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError):
        pass
    text = _text(content)
    for decoder in (_PLAIN, _LENIENT):
        try:
            return decoder.decode(text)
        except (ValueError, RecursionError):
            continue
    raise NoJson("it is no JSON")


def entries(content: bytes) -> Iterator[Any]:
    """Yield the entries of the list in a response body; raises NoJson.

    An entry that can't be parsed is yielded as a BrokenEntry. No step takes longer than parsing `AT_ONCE`
    bytes, or one entry.
    """
    at = 0
    for end in _cuts(content):
        # What parses between brackets of its own is whole entries: a wrong cut is refused and loses nothing.
        piece = (b"[" if at else b"") + content[at:end] + (b"]" if end < len(content) else b"")
        try:
            given = msgspec.json.decode(piece)
        except (ValueError, RecursionError):
            break
        if not isinstance(given, list):
            raise NoJson("a list was expected")
        yield from given
        at = end + 1
    else:
        return
    yield from _one_by_one(_text(b"[" + content[at:] if at else content))


def _cuts(content: bytes) -> Iterator[int]:
    """Yield where a long list can be cut: at commas before what begins like its first entry, and its end."""
    if len(content) > AT_ONCE:
        first = content.find(b"{")
        mark = content[first : content.find(b":", first) + 1]
        last = 0
        found = content.find(mark, _PIECE)
        while found > 0 and (comma := content.rfind(b",", last, found)) > 0:
            yield comma
            last = found
            found = content.find(mark, found + _PIECE)
    yield len(content)


def beginning(entry: object) -> str:
    """Return the beginning of an entry as JSON, enough for an excerpt, however large or deep it is."""
    if isinstance(entry, BrokenEntry):
        return entry.text
    parts: list[str] = []
    size = 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False).iterencode(entry):
            parts.append(part)
            size += len(part)
            if size > _MAX_SHOWN:
                break
    except RecursionError:
        parts.append("…")
    return "".join(parts)


def _text(content: bytes) -> str:
    try:
        return content.decode(json.detect_encoding(content), "surrogatepass")
    except ValueError:
        reason = "it is no text"
    raise NoJson(reason)


def _one_by_one(text: str) -> Iterator[Any]:
    at = _skip(text, 0)
    if not text.startswith("[", at):
        raise NoJson("it is no list in JSON")
    at = _skip(text, at + 1)
    if not text.startswith("]", at):
        entry, at = _entry(text, at)
        yield entry
        at = _skip(text, at)
        while text.startswith(",", at):
            entry, at = _entry(text, _skip(text, at + 1))
            yield entry
            at = _skip(text, at)
    if not text.startswith("]", at) or _skip(text, at + 1) < len(text):
        raise NoJson("it is no JSON")


def _entry(text: str, at: int) -> tuple[Any, int]:
    reason = "it is no JSON"
    for decoder in (_PLAIN, _LENIENT):
        try:
            return decoder.raw_decode(text, at)
        except ValueError:
            continue
        except RecursionError:
            reason = "it is nested too deeply"
    end = _end(text, at)
    return BrokenEntry(reason, text[at : min(end, at + _MAX_SHOWN)]), end


def _end(text: str, at: int) -> int:
    """Return where an object or list ends, counting brackets only, at any depth."""
    depth = 0
    if text.startswith(("{", "["), at):
        for found in _STRING_OR_BRACKET.finditer(text, at):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
            if depth == 0:
                return found.end()
    raise NoJson("it is no JSON")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _integer(digits: str) -> int | float:
    # Python refuses integers of thousands of digits; written with an exponent they would be infinite.
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_LENIENT = json.JSONDecoder(parse_int=_integer, strict=False)
