"""Checks of the fields of inputs, when they are created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ..errors import UsageError

_T = TypeVar("_T")


def is_text(instance: object, attribute: Any, value: Any) -> None:
    """Refuse what is no text; its value is not shown."""
    if not isinstance(value, str):
        raise UsageError(f"{type(instance).__name__}.{attribute.name} is a text, not {type(value).__name__}")


def is_mapping(instance: object, attribute: Any, value: Any) -> None:
    """Refuse what is no mapping."""
    if not isinstance(value, Mapping):
        raise UsageError(
            f"{type(instance).__name__}.{attribute.name} is a mapping, not {type(value).__name__}"
        )


def is_flag(instance: object, attribute: Any, value: Any) -> None:
    """Refuse what is neither True nor False; a text such as "false" would count as True."""
    if not isinstance(value, bool):
        raise UsageError(f"{type(instance).__name__}.{attribute.name} is True or False, not {value!r}")


def all_of(kind: type[_T], values: Iterable[_T], what: str, example: str) -> tuple[_T, ...]:
    """Return the values as a tuple; raises UsageError, with an example, unless each is of the kind."""
    if not isinstance(values, Iterable):
        raise UsageError(f"{what} takes several of {kind.__name__}; put the one in a list")
    several = tuple(values)
    for value in several:
        if not isinstance(value, kind):
            raise UsageError(f"{what} takes {kind.__name__}, not {type(value).__name__}; write {example}")
    return several
