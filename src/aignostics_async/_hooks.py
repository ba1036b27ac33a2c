"""Hooks: user functions that observe each request, response and retry of the API.

An observer must not break the request that it observes: exceptions are logged and change nothing. No event
holds a token, a query or a body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, Literal

from attrs import field, frozen

from ._core._logging import get_logger
from .errors import AignosticsError, ConfigurationError

_log = get_logger("aignostics_async")


@frozen
class RequestEvent:
    """A request is about to be sent, as soon as a connection is free.

    `attempt` starts at 1; sending a request again with a refreshed token is not a new attempt.
    """

    operation: str
    method: str
    path: str
    attempt: int


@frozen
class ResponseEvent:
    """A response of any status arrived, and its body was read.

    `seconds` is the time since the request was sent.
    """

    operation: str
    method: str
    path: str
    attempt: int
    status: int
    seconds: float
    headers: Mapping[str, str] = field(repr=False)
    """As the server sent them, without Location and Set-Cookie, which may hold secrets."""


@frozen
class RetryEvent:
    """An attempt failed with `error`; the next one comes after `wait` seconds."""

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
    """Functions that observe API requests, plain or async, called in the event loop with one event each.

        async def ship(event: ResponseEvent) -> None: ...

        settings = Settings(hooks=Hooks(on_response=ship))

    A plain function must not block. An async one is awaited before the request continues, and holds no
    connection meanwhile. Exceptions do not affect the request: the first one of each hook is logged with its
    traceback, and later ones are ignored.
    """

    on_request: Callable[[RequestEvent], object] | None = field(default=None, validator=_is_callable)
    on_response: Callable[[ResponseEvent], object] | None = field(default=None, validator=_is_callable)
    on_retry: Callable[[RetryEvent], object] | None = field(default=None, validator=_is_callable)
    _failed: set[str] = field(factory=set, init=False, repr=False, eq=False)


async def call_hook(
    hooks: Hooks, name: Literal["on_request", "on_response", "on_retry"], event: object
) -> None:
    """Call a hook that is set, and await what it returns if that is awaitable."""
    try:
        returned = getattr(hooks, name)(event)
        if isawaitable(returned):
            await returned
    except Exception:  # noqa: BLE001 - an observer must not break the request that it observes
        if name not in hooks._failed:  # noqa: SLF001 - of this module
            hooks._failed.add(name)  # noqa: SLF001
            _log.exception("the hook %s failed; the request goes on, and this is logged only once", name)
