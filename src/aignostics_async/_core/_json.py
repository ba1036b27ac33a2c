"""JSON of requests and responses: fast, and entry by entry where one entry is broken.

msgspec either returns what the standard library returns, or refuses: NaN, numbers out of range, lone
surrogates. What it refuses is parsed by the standard library, a list entry by entry. A long list is parsed
in parts, so that the event loop can run between them. It is told how deeply answers are nested, so
that only deeper ones are scanned for how deep they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..errors import UsageError
from ._secret import Secret

# Parsed in less than 2 ms; longer bodies are parsed in parts.
AT_ONCE = 1 << 20
_PART = 1 << 18  # the least of a part, and a quarter of the most
# How the first object of a list begins, up to its first value; most servers write all of them alike.
_FIRST_KEY = re.compile(rb'\[(\{"[^"\\]*":)')
_SPLITTER = msgspec.json.Decoder(list[msgspec.Raw])

_PLAIN = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
_MAX_SHOWN = 6000  # characters
# How deeply Python itself can recurse differs from version to version, and from call to call.
_MAX_DEPTH = 500
_USUAL_DEPTH = 16
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _type_of_depth(depth: int) -> Any:
    """Return the type of all JSON values in which lists and objects are nested at most so deeply."""
    scalar = str | int | float | bool | None
    value: Any = scalar
    for _ in range(depth):
        value = dict[str, value] | list[value] | scalar
    return value


# A page of results with nested metadata has 6; each level more doubles the 0.4 ms that making this takes.
_SHALLOW = msgspec.json.Decoder(_type_of_depth(6))


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
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=plain_mapping
        )
        text.encode()
        return Secret(text)
    except (ValueError, TypeError, RecursionError) as error:
        reason = str(error)
    raise UsageError(f"the request can't be written as JSON: {reason}")  # outside, so that it has no context


def plain_mapping(value: object) -> dict[Any, Any]:
    """Return a mapping as the dict that `json` takes; raises TypeError for what else it does not take."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def is_same_json(one: object, other: object) -> bool:
    """Return whether two JSON values are the same: 1 and True are not, although they are equal in Python."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def decode_json(content: bytes) -> Any:
    """Return the value of a response body; raises NoJson."""
    try:
        return _decoded(content)
    except (ValueError, RecursionError):
        pass
    text = _text(content)
    if _is_too_deep(content):
        raise NoJson("it is nested too deeply")
    for decoder in (_PLAIN, _LENIENT):
        try:
            return decoder.decode(text)
        except (ValueError, RecursionError):
            continue
    raise NoJson("it is no JSON")


def entries(content: bytes) -> Iterator[Any]:
    """Yield the entries of the list in a response body; raises NoJson.

    An entry that can't be parsed is yielded as a BrokenEntry. A body of more than `AT_ONCE` bytes is parsed
    in parts, each when it is its turn. If its entries begin differently, it is first split, at some 2 GB/s.
    """
    rest = content
    if len(content) > AT_ONCE and (first := _FIRST_KEY.match(content)):
        seam, begin = b"}," + first[1], 1
        while (end := content.find(seam, begin + _PART, begin + 4 * _PART)) > 0:
            try:
                part = _decoded(b"[%b}]" % content[begin:end])
            except (ValueError, RecursionError):
                break  # something is broken in it, or this is the seam of a list further in
            yield from part
            begin = end + 2
        rest = b"[" + content[begin:]
    try:
        given = _decoded(rest) if len(rest) <= AT_ONCE else _SPLITTER.decode(rest)
    except (ValueError, RecursionError):
        yield from _one_by_one(_text(rest))
        return
    if not isinstance(given, list):
        raise NoJson("a list was expected")
    for entry in given:
        yield _parsed(entry) if isinstance(entry, msgspec.Raw) else entry


def _parsed(raw: msgspec.Raw) -> Any:
    content = bytes(raw)
    try:
        return _decoded(content)
    except (ValueError, RecursionError):
        return _entry(_text(content), 0)[0]


def _decoded(content: bytes) -> Any:
    try:
        return _SHALLOW.decode(content)
    except msgspec.ValidationError:
        pass  # its only reason is the depth
    if _is_too_deep(content):
        raise RecursionError
    return msgspec.json.decode(content)


def _is_too_deep(content: bytes) -> bool:
    """Return whether objects and lists are nested too deeply, in half of the time that parsing takes."""
    brackets = content.translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(_USUAL_DEPTH):
        fewer = brackets.replace(b"[]", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    if not brackets:
        return False
    # It is deep, or there are brackets in its strings.
    return any(depth > _MAX_DEPTH for _, depth in _levels(content.decode("latin-1"), 0))


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
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            continue
        except RecursionError:
            reason = "it is nested too deeply"
        else:
            if not _is_too_deep(text[at:end].encode("utf-8", "surrogatepass")):
                return value, end
            reason = "it is nested too deeply"
    end = _end(text, at)
    return BrokenEntry(reason, text[at : min(end, at + _MAX_SHOWN)]), end


def _end(text: str, at: int) -> int:
    """Return where an object or list ends, counting brackets only, at any depth."""
    if text.startswith(("{", "["), at):
        for end, depth in _levels(text, at):
            if depth == 0:
                return end
    raise NoJson("it is no JSON")


def _levels(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each bracket outside of strings ends, and how deep it is after it."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text, at):
        change = {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        if change:
            depth += change
            yield found.end(), depth


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
