"""Hooks: functions of the user's that are told of each request, response and retry of the API.

They observe: what they return is not looked at, and one that raises is logged and changes nothing. No event
holds a token, a query or a body.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from .errors import AignosticsError, ConfigurationError

_log = logging.getLogger("aignostics_async")
_T = TypeVar("_T")


@frozen
class RequestEvent:
    """A request is about to be sent. `attempt` counts from 1, in which a renewed token is no new attempt."""

    operation: str
    method: str
    path: str
    attempt: int


@frozen
class ResponseEvent:
    """An answer came, whatever its status, and its body was read; `seconds` is since the request was sent."""

    operation: str
    method: str
    path: str
    attempt: int
    status: int
    seconds: float
    headers: Mapping[str, str] = field(repr=False)
    """As the server sent them, but for Location and Set-Cookie, which may hold secrets."""


@frozen
class RetryEvent:
    """A try failed with `error`, and the next one comes after `wait` seconds."""

    operation: str
    method: str
    path: str
    attempt: int
    wait: float
    error: AignosticsError


def _is_callable(_instance: object, attribute: Any, value: object) -> None:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{attribute.name} takes a function of one event, not {value!r}")


@frozen(kw_only=True)
class Hooks:
    """Plain functions, called in the event loop with one event each: they must not block."""

    on_request: Callable[[RequestEvent], object] | None = field(default=None, validator=_is_callable)
    on_response: Callable[[ResponseEvent], object] | None = field(default=None, validator=_is_callable)
    on_retry: Callable[[RetryEvent], object] | None = field(default=None, validator=_is_callable)


def tell(hook: Callable[[_T], object] | None, event: _T) -> None:
    """Call a hook, if there is one."""
    if hook is None:
        return
    try:
        hook(event)
    except Exception:  # noqa: BLE001 - who only looks on must not break what he looks at
        _log.exception("a hook failed at %s; the request goes on", type(event).__name__)
