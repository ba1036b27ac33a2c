"""The JSONPath of metadata filters: the documented subset, as PostgreSQL's operator `@?` evaluates it.

`@?` asks whether a path yields any item. So `$.study ? (@ == "x")` filters, while a bare predicate such as
`$.study == "x"` yields one item, true or false, for every document, and matches all of them. Missing metadata
count as null. Paths are lax: arrays are unwrapped, and a missing key yields nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Items = list[Any]
# From the root of the document and the current item to what is found there.
Evaluator = Callable[[Any, Any], Items]
# True, false, or None for unknown, as comparing a text with a number is.
Predicate = Callable[[Any, Any], bool | None]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d][\w$]*)|(?P<sign>&&|\|\||==|!=|<>|<=|>=|[$@.*?()\[\]<>!]))""",
    re.VERBOSE,
)
_COMPARISONS = {"==": eq, "!=": ne, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_LITERALS = {"true": True, "false": False, "null": None}


class PathSyntaxError(ValueError):
    """The text is no path of the subset."""


def has_match(document: str | None, path: str) -> bool:
    """Return whether a path yields any item of a JSON document. Raises PathSyntaxError."""
    root = None if document is None else json.loads(document)
    return bool(compile_path(path)(root, root))


@lru_cache(maxsize=64)
def compile_path(path: str) -> Evaluator:
    """Return the evaluator of a path. Raises PathSyntaxError."""
    try:
        return _Parser(path).whole()
    except (RecursionError, re.error) as error:
        raise PathSyntaxError(f"the path can't be evaluated: {error}") from None


class _Parser:
    """A recursive descent parser that makes evaluators."""

    def __init__(self, path: str) -> None:
        self._tokens = list(_tokens(path))
        # As the server does: `study ? (...)` means `$.study ? (...)`.
        if self._tokens and self._tokens[0][0] == "word" and self._tokens[0][1] not in ("exists", *_LITERALS):
            self._tokens[:0] = [("sign", "$"), ("sign", ".")]
        self._at = 0

    def whole(self) -> Evaluator:
        start = self._at
        try:
            found = self._operand()
            if self._at == len(self._tokens):
                return found
        except PathSyntaxError:
            pass
        self._at = start
        predicate = self._or()
        self._end()
        return lambda root, item: [predicate(root, item)]

    # Predicates

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda root, item: _any(part(root, item) for part in parts)

    def _and(self) -> Predicate:
        parts = [self._not()]
        while self._take("&&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda root, item: _all(part(root, item) for part in parts)

    def _not(self) -> Predicate:
        if self._take("!"):
            inner = self._not()
            return lambda root, item: _negated(inner(root, item))
        if self._take("("):
            inner = self._or()
            self._need(")")
            return inner
        if self._take("exists"):
            self._need("(")
            found = self._operand()
            self._need(")")
            return lambda root, item: bool(found(root, item))
        return self._comparison()

    def _comparison(self) -> Predicate:
        left = self._operand()
        if self._take("like_regex"):
            pattern = re.compile(self._text(), self._flags())
            return _test(left, lambda each: _of_text(each, lambda text: pattern.search(text) is not None))
        if self._take("starts"):
            self._need("with")
            start = self._text()
            return _test(left, lambda each: _of_text(each, lambda text: text.startswith(start)))
        sign = next((each for each in _COMPARISONS if self._take(each)), None)
        if sign is None:
            raise self._unexpected()
        right, compare = self._operand(), _COMPARISONS[sign]

        def test(root: Any, item: Any) -> bool | None:
            others = _unwrapped(right(root, item))
            return _any(
                _compared(compare, each, other) for each in _unwrapped(left(root, item)) for other in others
            )

        return test

    # Paths and literals

    def _operand(self) -> Evaluator:
        kind, token = self._next()
        if kind in ("text", "number") or token in _LITERALS:
            literal = _LITERALS[token] if token in _LITERALS else _literal(token)
            return lambda _root, _item: [literal]
        if token not in ("$", "@"):
            self._at -= 1
            raise self._unexpected()
        is_root = token[0] == "$"
        steps = []
        while (step := self._step()) is not None:
            steps.append(step)

        def find(root: Any, item: Any) -> Items:
            found = [root if is_root else item]
            for step in steps:
                found = step(root, found)
            return found

        return find

    def _step(self) -> Callable[[Any, Items], Items] | None:
        if self._take("."):
            if self._take("*"):
                return lambda _root, found: [
                    value for each in _unwrapped(found) if isinstance(each, dict) for value in each.values()
                ]
            key = self._key()
            return lambda _root, found: [
                each[key] for each in _unwrapped(found) if isinstance(each, dict) and key in each
            ]
        if self._take("["):
            return self._subscript()
        if self._take("?"):
            self._need("(")
            predicate = self._or()
            self._need(")")
            return lambda root, found: [each for each in _unwrapped(found) if predicate(root, each)]
        return None

    def _subscript(self) -> Callable[[Any, Items], Items]:
        if self._take("*"):
            self._need("]")
            return lambda _root, found: _unwrapped(found)
        kind, token = self._next()
        if kind != "number" or not token.isdecimal():
            raise self._unexpected()
        self._need("]")
        number = int(token)
        return lambda _root, found: [array[number] for array in map(_as_array, found) if number < len(array)]

    def _key(self) -> str:
        kind, token = self._next()
        if kind == "word":
            return token
        if kind == "text":
            return str(_literal(token))
        raise self._unexpected()

    # Tokens

    def _text(self) -> str:
        kind, token = self._next()
        if kind != "text":
            raise self._unexpected()
        return str(_literal(token))

    def _flags(self) -> int:
        if not self._take("flag"):
            return 0
        flags = self._text()
        if set(flags) - {"i"}:
            raise PathSyntaxError(f"the flags {flags!r} are not known here; there is i")
        return re.IGNORECASE if flags else 0

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise PathSyntaxError("the path ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, wanted: str) -> bool:
        is_next = self._at < len(self._tokens) and self._tokens[self._at][1] == wanted
        self._at += is_next
        return is_next

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._unexpected()

    def _end(self) -> None:
        if self._at < len(self._tokens):
            raise self._unexpected()

    def _unexpected(self) -> PathSyntaxError:
        token = self._tokens[self._at][1] if self._at < len(self._tokens) else "its end"
        return PathSyntaxError(f"the path can't be read at {token}")


def _tokens(path: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(path.rstrip())
    while at < end:
        match = _TOKEN.match(path, at, end)
        if match is None or match.lastgroup is None:
            raise PathSyntaxError(f"the path can't be read at {path[at:end][:20]}")
        yield match.lastgroup, match[match.lastgroup]
        at = match.end()


def _literal(token: str) -> Any:
    try:
        return json.loads(token)
    except ValueError:
        raise PathSyntaxError(f"{token} is no literal of JSON") from None


def _test(operand: Evaluator, holds: Callable[[Any], bool | None]) -> Predicate:
    return lambda root, item: _any(holds(each) for each in _unwrapped(operand(root, item)))


def _of_text(value: Any, holds: Callable[[str], bool]) -> bool | None:
    return holds(value) if isinstance(value, str) else None


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        # PostgreSQL compares null with anything.
        return compare(left is None, right is None) if compare in (eq, ne) else False
    kinds = [_kind(left), _kind(right)]
    if None in kinds or kinds[0] != kinds[1]:
        return None
    return bool(compare(left, right))


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def _as_array(value: Any) -> Items:
    return value if isinstance(value, list) else [value]


def _unwrapped(found: Items) -> Items:
    return [each for value in found for each in _as_array(value)]


def _any(values: Iterator[bool | None]) -> bool | None:
    told = set(values)
    return True if True in told else None if None in told else False


def _all(values: Iterator[bool | None]) -> bool | None:
    told = set(values)
    return False if False in told else None if None in told else True


def _negated(value: bool | None) -> bool | None:  # noqa: FBT001 - a truth value of three
    return None if value is None else not value
