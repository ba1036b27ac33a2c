"""Filters of runs by their metadata: from a mapping to a JSONPath that matches nothing else. Pure.

PostgreSQL's `@?`, which the platform uses, asks whether a path gives anything. A bare predicate such as
`$.case == "7"` gives false or true, which is something, and so matches every run. A filter expression gives
the value or nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import UsageError

_MAX_LENGTH = 1000
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_Leaf = tuple[tuple[str, ...], Any]


def metadata_path(metadata: Mapping[str, Any]) -> str:
    """Return a JSONPath for the runs whose metadata have all values of a mapping, which may be nested.

    Raises UsageError for an empty mapping, for values that are no text, number, truth value or null, and for
    a filter that is too long for the contract.
    """
    try:
        leaves = list(_leaves(metadata, ()))
    except RecursionError:
        raise UsageError("metadata that is looked for is nested too deeply") from None
    if not leaves:
        raise UsageError("metadata names no value to look for")
    if len(leaves) == 1:
        ((keys, value),) = leaves
        path = f"${_steps(keys)} ? (@ == {_literal(value, keys)})"
    else:
        tests = " && ".join(f"@{_steps(keys)} == {_literal(value, keys)}" for keys, value in leaves)
        path = f"$ ? ({tests})"
    if len(path) > _MAX_LENGTH:
        told = f"the filter has {len(path)} characters, {_MAX_LENGTH} are the limit"
        raise UsageError(f"{told}; name fewer values")
    return path


def _leaves(metadata: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[_Leaf]:
    for key, value in metadata.items():
        if not isinstance(key, str):
            raise UsageError(f"a key of metadata is a text, not {type(key).__name__}")
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _steps(keys: tuple[str, ...]) -> str:
    return "".join(f".{key if _PLAIN_KEY.fullmatch(key) else _quoted(key)}" for key in keys)


def _literal(value: Any, keys: tuple[str, ...]) -> str:
    if isinstance(value, str):
        return _quoted(value)
    try:
        if value is None or isinstance(value, bool | int | float):
            return json.dumps(value, allow_nan=False)
    except ValueError:
        pass
    raise UsageError(
        f"metadata {'.'.join(keys)!r} can't be looked for; give a text, a finite number, True, False or None"
    )


def _quoted(text: str) -> str:
    """Return a string of JSONPath, which escapes as JSON does."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError("metadata that is looked for has a character that the platform can't store")
    return json.dumps(text, ensure_ascii=False)
