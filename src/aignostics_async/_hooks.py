"""Hooks: user functions that observe each request, response and retry of the API.

An observer must not break the request that it observes: exceptions are logged and change nothing. No event
holds a token, a query or a body.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, Literal

from attrs import field, frozen

from ._core._logging import get_logger
from ._core._tasks import is_cancelled
from .errors import AignosticsError, ConfigurationError

_log = get_logger("aignostics_async")


@frozen
class RequestEvent:
    """An API request that is about to be sent, passed to `Hooks.on_request`.

        def on_request(event: RequestEvent) -> None:
            print(event.operation, event.method, event.path, event.attempt)

    `operation` is what the request does, such as `list runs`; `method` the HTTP method in capitals; `path`
    the path of the URL, decoded and without a query; and `attempt` the number of the attempt, from 1. A
    request that is sent again with a new token has the number that it had. The event is created before the
    request waits for a free connection.
    """

    operation: str
    """What the request does, such as `list runs`."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path of the URL, decoded and without a query."""
    attempt: int
    """The number of the attempt, from 1. Sending a request again with a new token is not a new attempt."""


@frozen
class ResponseEvent:
    """An API response of any status whose body was read, passed to `Hooks.on_response`.

        def on_response(event: ResponseEvent) -> None:
            print(event.operation, event.status, event.seconds)

    `operation`, `method`, `path` and `attempt` are those of its `RequestEvent`. `status` is the HTTP status,
    and `seconds` the time from sending the request, opening a connection included, to the end of the body.
    `headers` is a mapping of those of the response, with names in lower case, without Location and
    Set-Cookie, which may hold secrets.
    """

    operation: str
    method: str
    path: str
    attempt: int
    status: int
    """The HTTP status."""
    seconds: float
    """Seconds from sending the request, opening a connection included, to the end of the body."""
    headers: Mapping[str, str] = field(repr=False)
    """The headers, names in lower case, without Location and Set-Cookie, which may hold secrets."""


@frozen
class RetryEvent:
    """A failed attempt of an API request that will be repeated, passed to `Hooks.on_retry`.

        def on_retry(event: RetryEvent) -> None:
            print(event.operation, event.attempt, event.error, event.wait)

    `operation`, `method` and `path` are those of its `RequestEvent`. `attempt` is the number of the attempt
    that failed, from 1; `wait` is the time until the next one in seconds; and `error` is the AignosticsError
    of this attempt.
    """

    operation: str
    method: str
    path: str
    attempt: int
    """The number of the attempt that failed, from 1."""
    wait: float
    """Seconds until the next attempt."""
    error: AignosticsError
    """The error that would be raised if no attempt followed."""


def _is_callable(_instance: object, attribute: Any, value: object) -> None:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{attribute.name} takes a function of one event, not {value!r}")


@frozen(kw_only=True)
class Hooks:
    """Functions that observe API requests, plain or async, called in the event loop with one event each.

        async def ship(event: ResponseEvent) -> None:
            await metrics.send(event.operation, event.status, event.seconds)

        settings = Settings(hooks=Hooks(on_response=ship))

    `on_request` is called with a `RequestEvent` before a request is sent, `on_response` with a
    `ResponseEvent` after each response of any status whose body was read, and `on_retry` with a `RetryEvent`
    before the wait for a further attempt. All three are None by default. Requests to a storage or an identity
    provider, of `Client.health` and of `check_contract` are not observed.

    A plain function must not block the event loop. An async function is awaited before the request continues,
    and holds no connection meanwhile. Functions may be called concurrently, for requests in flight. An
    `Exception` of a hook does not affect the request, nor does a CancelledError where nobody has cancelled
    it: the first one of each hook is logged with its traceback, and later ones are ignored. Raises
    ConfigurationError for a hook that is not callable.
    """

    on_request: Callable[[RequestEvent], object] | None = field(default=None, validator=_is_callable)
    """Called before a request is sent; None, the default, for no hook."""
    on_response: Callable[[ResponseEvent], object] | None = field(default=None, validator=_is_callable)
    """Called after each response of any status whose body was read; None, the default, for no hook."""
    on_retry: Callable[[RetryEvent], object] | None = field(default=None, validator=_is_callable)
    """Called before the wait for a further attempt; None, the default, for no hook."""
    _failed: set[str] = field(factory=set, init=False, repr=False, eq=False)


async def call_hook(
    hooks: Hooks, name: Literal["on_request", "on_response", "on_retry"], event: object
) -> None:
    """Call a hook that is set, and await what it returns if that is awaitable."""
    try:
        returned = getattr(hooks, name)(event)
        if isawaitable(returned):
            await returned
    except (Exception, CancelledError) as error:  # an observer must not break the request that it observes
        if isinstance(error, CancelledError) and is_cancelled():
            raise
        if name not in hooks._failed:  # noqa: SLF001 - of this module
            hooks._failed.add(name)  # noqa: SLF001
            _log.exception("the hook %s failed; the request continues, and this is logged only once", name)
