"""Requests to the API: token, connections, timeouts, retries, hooks, and errors of this package's tree.

The bearer token goes to the API's own origin and nowhere else. Files move by `transfer/connections/`, which
has no credentials. Requests are built here, not by an httpx client, so that nothing a client keeps, least of
all cookies, gets into them.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

import anyio

from .._config import Retries
from .._core._token import read_token
from .._core._urls import origin, shown_address, without_query
from .._hooks import RequestEvent, ResponseEvent, RetryEvent, call_hook
from .._version import user_agent
from ..errors import AignosticsError, ConnectionFailed, InvalidResponse, RequestTimeout, UsageError
from ._client import MAX_BODY, NoResponse, UndecodableResponse, build_request, open_client, send_request
from ._responses import answered_by, status_error
from ._retry import AttemptFailed, Outcome, repeat

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

    from .._config import Settings
    from .._core._lifetime import Lifetime
    from .._core._secret import Secret
    from .._core._token import Token, TokenSource
    from ._client import HttpClient, Request, Response

_SECRET_HEADERS = ("location", "set-cookie")
_MAX_REDIRECT_BODY = 64 * 1024  # bytes that are read of an answer where a redirect is expected


class ApiConnections:
    """Connections to the API, lent one at a time, in the event loop of their client's lifetime.

    Each is an httpx client of its own with a single connection, and the queue is here, in front of them.
    One httpx client for all would not survive cancellation: httpcore forgets a connection whose request is
    cancelled at the wrong moment, still counts it, and after some deadlines of its users has none left
    (its issue 1093). It also slows down when many requests queue inside it.
    """

    def __init__(
        self, api_root: str, settings: Settings, context: ssl.SSLContext, lifetime: Lifetime
    ) -> None:
        self._root = api_root
        self._settings = settings
        self._context = context
        self._lifetime = lifetime
        self._limit = settings.limits.api_requests
        self._limiter = anyio.CapacityLimiter(self._limit)
        # The first one is opened here, where a proxy that can't be used is the caller's setting to mend.
        self._idle = [self._open()]

    @asynccontextmanager
    async def lend(self, method: str) -> AsyncIterator[HttpClient]:
        """Lend a connection to one exchange; one whose exchange failed is closed."""
        async with self._limiter:
            # The server may close a kept connection in the moment in which it is used. A GET is repeated
            # then; a POST would be in doubt, so it gets a fresh connection.
            client = self._idle.pop() if self._idle and method != "POST" else self._open()
            try:
                yield client
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await client.aclose()
                raise
            # The client may have been closed during this exchange: nobody would close it later.
            if len(self._idle) < self._limit and not self._lifetime.ended:
                self._idle.append(client)
            else:
                await client.aclose()

    async def aclose(self) -> None:
        """Close all idle connections; those in use are closed when they come back."""
        while self._idle:
            await self._idle.pop().aclose()

    def _open(self) -> HttpClient:
        return open_client(self._settings, self._context, self._root)


class ApiPool:
    """Sends requests over shared connections, under settings of its own. It has no mutable state."""

    def __init__(
        self,
        api_root: str,
        source: TokenSource,
        settings: Settings,
        connections: ApiConnections,
        lifetime: Lifetime,
    ) -> None:
        self._root = api_root
        self._source = source
        self._settings = settings
        self._connections = connections
        self._lifetime = lifetime
        self._fields = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": user_agent(settings.user_agent),
        }

    def under(self, settings: Settings) -> ApiPool:
        """Return a pool over the same connections that sends under other timeouts, retries and hooks."""
        return ApiPool(self._root, self._source, settings, self._connections, self._lifetime)

    async def send(
        self,
        operation: str,
        *,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Secret | None = None,
        once: bool = False,
        redirected: bool = False,
    ) -> Response:
        """Return the answer to a request, its body read, if the status is 2xx; raise otherwise.

        `url` is a path below `/api`, or absolute and of the API's own origin. `body` comes from
        `encode_json`. An idempotent request is repeated as the settings say. After a 401 the token is
        renewed and the request sent once more. With `once` nothing is sent a second time. With `redirected` a
        redirect is an answer, too: it is not followed, and of any body only the beginning is read. Raises
        AuthenticationError, ConnectionFailed, InvalidResponse and APIStatusError.
        """
        self._lifetime.check()
        fields = {**self._fields, **(headers or {})}
        if body is not None:
            fields["Content-Type"] = "application/json"
        target = self._target(url)
        request = build_request(self._settings, method, target, params=params, headers=fields, body=body)
        attempts = count(1)
        return await repeat(
            Retries(attempts=1) if once else self._settings.retries,
            request.method,
            f"{operation} ({method} {without_query(target)})",
            lambda: self._attempt(operation, request, next(attempts), once=once, redirected=redirected),
            on_retry=lambda *failed: self._tell_retry(operation, request, *failed),
        )

    def _target(self, url: str) -> str:
        if url.startswith("/"):
            return f"{self._root}/api{url}"
        try:
            is_own = origin(url) == origin(self._root)
        except ValueError:  # its port or its brackets
            is_own = False
        if not is_own:
            raise UsageError(
                f"{shown_address(url)} is not of the API's origin {self._root}, so it gets no token"
            )
        return url

    async def _attempt(
        self, operation: str, request: Request, attempt: int, *, once: bool, redirected: bool
    ) -> Response:
        self._lifetime.check()  # for later attempts: the client may have been closed while they waited
        max_body = _MAX_REDIRECT_BODY if redirected else MAX_BODY
        response, token = await self._exchange(operation, request, attempt, max_body)
        if response.status_code == 401:
            renewed = await read_token(self._source, rejected=token)
            # Somebody on the way may have answered so after the API has taken the request.
            may_repeat = not once and (request.method != "POST" or answered_by(response) != "unknown")
            if renewed is not token and may_repeat:
                response, _ = await self._exchange(operation, request, attempt, max_body)
        if response.is_success or (redirected and response.has_redirect_location):
            return response
        error = status_error(request.method, request.url.path, response)
        error.attempt = attempt
        outcome = Outcome(
            status=response.status_code, retry_after=error.retry_after, is_transient=error.is_transient
        )
        raise AttemptFailed(error, outcome)

    async def _exchange(
        self, operation: str, request: Request, attempt: int, max_body: int
    ) -> tuple[Response, Token]:
        """Send a request once, and tell the hooks; no connection is held while they run."""
        hooks, about = self._settings.hooks, (operation, request.method, request.url.path, attempt)
        if hooks.on_request is not None:
            await call_hook(hooks, "on_request", RequestEvent(*about))
        failed: ConnectionFailed | None = None
        try:
            async with self._connections.lend(request.method) as client:
                # Only now: in a long queue a token may end, or be rejected, before its request's turn.
                token = await read_token(self._source)
                request.headers["Authorization"] = f"Bearer {token.text}"
                begin = perf_counter()
                response = await send_request(client, request, max_body=max_body)
                seconds = perf_counter() - begin
        except UndecodableResponse:
            pass
        except NoResponse as error:
            failed = _connection_error(request, error)
        else:
            if hooks.on_response is not None:
                shown = {
                    name: value for name, value in response.headers.items() if name not in _SECRET_HEADERS
                }
                event = ResponseEvent(*about, response.status_code, seconds, shown)
                await call_hook(hooks, "on_response", event)
            return response, token
        if failed is None:
            raise InvalidResponse("its encoding is broken", operation=operation)
        raise AttemptFailed(failed, Outcome(request_sent=failed.request_sent))

    async def _tell_retry(
        self, operation: str, request: Request, attempt: int, wait: float, error: AignosticsError
    ) -> None:
        if (hooks := self._settings.hooks).on_retry is not None:
            event = RetryEvent(operation, request.method, request.url.path, attempt, wait, error)
            await call_hook(hooks, "on_retry", event)


def _connection_error(request: Request, failure: NoResponse) -> ConnectionFailed:
    kind = RequestTimeout if failure.is_timeout else ConnectionFailed
    place = f"{request.method} {without_query(str(request.url))}"
    advice = "the request may have been received" if failure.was_sent else "check address and network"
    return kind(
        f"{place} got no answer ({failure.reason}); {advice}",
        method=request.method,
        path=request.url.path,
        request_sent=failure.was_sent,
    )
