"""Checks of the fields of a store's address, when it is created, and of the lifetime of a URL."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, get_args

from ..errors import ConfigurationError, UsageError
from ._protocol import Verify

FieldValidator = Callable[[object, Any, Any], None]


def check_choice(name: str, value: object, kind: Any) -> None:
    """Raise ConfigurationError unless a value is one of a literal type's."""
    choices = get_args(kind)
    if value not in choices:
        raise ConfigurationError(f"{name} is one of {', '.join(choices)}, not {value!r}")


def one_of(kind: Any) -> FieldValidator:
    """Return a validator for a value of a literal type."""
    return lambda _address, attribute, value: check_choice(attribute.name, value, kind)


def is_name(_address: object, attribute: Any, value: Any) -> None:
    """Refuse what is no name of a bucket or container."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{attribute.name} is a name, such as slides, not {value!r}")


def is_text(_address: object, attribute: Any, value: Any) -> None:
    """Refuse what is no text; its value is not shown."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{attribute.name} is a text, not {type(value).__name__}")


def is_setting(address: object, attribute: Any, value: Any) -> None:
    """Refuse an empty text, in whose place a variable of the environment would count."""
    is_text(address, attribute, value)
    if not value.strip():
        raise ConfigurationError(f"{attribute.name} is empty; leave it out for that of the environment")


def is_function(_address: object, attribute: Any, value: Any) -> None:
    """Refuse what can't be called; its value, which may be a signed URL, is not shown."""
    if not callable(value):
        raise ConfigurationError(f"{attribute.name} is a function, not {type(value).__name__}")


is_verify = one_of(Verify)


def as_lifetime(expires: float) -> int:
    """Return the whole seconds for which a URL is to be valid, at least one; raises UsageError."""
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not 0 < expires < inf:
        raise UsageError(f"a URL is valid for a positive, finite number of seconds, not {expires!r}")
    return max(1, int(expires))
