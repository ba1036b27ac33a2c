"""The only `import httpx`: the pool for the API, and a short call to token endpoints.

Two worlds that never meet. The pool sends the bearer token, to the API's own origin and nowhere else. Files
move by `transfer/_connection.py`, which has no credentials. Requests are built here, not by an httpx client,
so nothing that a client keeps, cookies least of all, gets into them.
"""

from __future__ import annotations

import logging
import ssl
from contextlib import asynccontextmanager
from copy import copy
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpx

from .._config import Retries, Settings
from .._core._proxies import proxy_for
from .._core._redaction import RedactingFilter, excerpt
from .._core._urls import origin, without_query
from .._hooks import (
    RequestEvent,
    ResponseEvent,
    RetryEvent,
    tell,
)
from .._version import user_agent
from ..errors import (
    AignosticsError,
    ConfigurationError,
    ConnectionFailed,
    InvalidResponse,
    RequestTimeout,
    TokenEndpointUnavailable,
    UsageError,
)
from ._responses import FormAnswer, form_answer, status_error
from ._retry import AttemptFailed, Outcome, repeat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AsyncExitStack

    from .._core._lifetime import Lifetime
    from .._core._secret import Secret
    from .._core._token import Token, TokenSource

Response = httpx.Response

# Failures before the first byte of a request left this machine. Every other one may have been received.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_SECRET_HEADERS = ("location", "set-cookie")
_TOKEN_SECONDS = 20
_LARGEST_FORM = 1024 * 1024  # bytes of an identity provider's answer; it has some thousand

# At DEBUG the library below httpx writes response headers as they come, a redirect's signed Location too.
for _name in ("httpcore.http11", "httpcore.http2", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(RedactingFilter())


class _Pool:
    """Connections of one kind, lent one at a time, in the event loop of their client's lifetime.

    Each is an httpx client of its own with a single connection, and the queue is here, in front of them.
    One httpx client for all would not survive cancellation: httpcore forgets a connection whose request is
    cancelled at the wrong moment, still counts it, and after some deadlines of its users has none left
    (its issue 1093). It also slows down when many requests queue inside it.
    """

    def __init__(self, settings: Settings, lifetime: Lifetime, connections: int, root: str) -> None:
        self._settings = settings
        self._lifetime = lifetime
        self._connections = connections
        self._server = root
        self._idle: list[httpx.AsyncClient] = []

    def open(self, stack: AsyncExitStack, context: ssl.SSLContext) -> Self:
        """Open the pool; its connections are closed with `stack`."""
        self._context = context
        # The first one is made here, where a proxy that can't be used is the caller's setting to mend.
        self._idle.append(_client(self._settings, context, self._server))
        self._limiter = anyio.CapacityLimiter(self._connections)
        stack.push_async_callback(self._close)
        return self

    @asynccontextmanager
    async def _connection(self, method: str) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a connection to one exchange; one whose exchange did not end well is not lent again."""
        async with self._limiter:
            # A kept connection may be closed by the server in the moment in which it is used. That is a
            # repetition for a GET; for a POST it would be a doubt, so a POST gets a fresh connection.
            kept = self._idle if method != "POST" else None
            client = kept.pop() if kept else _client(self._settings, self._context, self._server)
            try:
                yield client
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await client.aclose()
                raise
            # A client may be closed while this exchange was under way: nobody would close it later.
            if len(self._idle) < self._connections and not self._lifetime.ended:
                self._idle.append(client)
            else:
                await client.aclose()

    async def _close(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()


class ApiPool(_Pool):
    """Requests to the API: token, limiter, timeouts, retries, and errors of our tree."""

    def __init__(self, api_root: str, source: TokenSource, settings: Settings, lifetime: Lifetime) -> None:
        super().__init__(settings, lifetime, settings.limits.api_requests, api_root)
        self._root = api_root
        self._source = source
        self.date: str | None = None
        """What the latest answer said of the server's time."""
        self._prepare()

    def under(self, settings: Settings) -> Self:
        """Return a pool of the same connections that sends under other timeouts and retries."""
        view = copy(self)
        view._settings = settings  # noqa: SLF001 - of our own
        view._prepare()  # noqa: SLF001
        return view

    def _prepare(self) -> None:
        # What is the same for all requests, of which a watcher sends thirty a second.
        self._extensions = {"timeout": _timeout(self._settings).as_dict()}
        self._fields = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": user_agent(self._settings.user_agent),
        }

    async def send(
        self,
        operation: str,
        *,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        once: bool = False,
    ) -> httpx.Response:
        """Return the answer to a request, its body read, if the status is 2xx; raise otherwise.

        `url` is a path below `/api`, or absolute and of the API's own origin. What is idempotent is repeated
        as the settings say; after a 401 the token is renewed and the request sent once more, but with `once`
        nothing is sent a second time. Raises AuthenticationError, ConnectionFailed, InvalidResponse and
        APIStatusError.
        """
        self._lifetime.check()
        target = self._target(url)
        fields = {**self._fields, **(headers or {})}
        try:
            request = httpx.Request(
                method,
                target,
                params=params,
                headers=fields,
                json=json,
                extensions=self._extensions,
            )
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            raise UsageError(f"{operation}: the request can't be written as HTTP and JSON: {error}") from None
        attempts = count(1)
        return await repeat(
            Retries(attempts=1) if once else self._settings.retries,
            request.method,
            f"{operation} ({method} {without_query(target)})",
            lambda: self._attempt(operation, request, next(attempts), once=once),
            on_retry=lambda *failed: self._tell_retry(operation, request, *failed),
        )

    def _target(self, url: str) -> str:
        if url.startswith("/"):
            return f"{self._root}/api{url}"
        if origin(url) != origin(self._root):
            raise UsageError(
                f"{without_query(url)} is not of the API's origin {self._root}, so it gets no token"
            )
        return url

    async def _attempt(
        self, operation: str, request: httpx.Request, attempt: int, *, once: bool
    ) -> httpx.Response:
        self._lifetime.check()  # for the tries after the first: a client may be closed while they wait
        response, token = await self._exchange(operation, request, attempt)
        if response.status_code == 401:
            renewed = await self._source.get_token(rejected=token)
            if renewed is not token and not once:
                response, _ = await self._exchange(operation, request, attempt)
        if response.is_success:
            return response
        error = status_error(request.method, request.url.path, response)
        raise AttemptFailed(error, Outcome(status=response.status_code, retry_after=error.retry_after))

    async def _exchange(
        self, operation: str, request: httpx.Request, attempt: int
    ) -> tuple[httpx.Response, Token]:
        try:
            async with self._connection(request.method) as client:
                # Only now: in a long queue a token may end, or be rejected, before its request's turn.
                token = await self._source.get_token()
                request.headers["Authorization"] = f"Bearer {token.text}"
                response = await self._observed(client, operation, request, attempt)
            self.date = response.headers.get("date")
            return response, token
        except httpx.DecodingError:
            undecodable = True
        except httpx.RequestError as error:
            undecodable, reason = False, error
        if undecodable:
            raise InvalidResponse("its encoding is broken", operation=operation, status=200, excerpt="")
        failed = _connection_error(request, reason)
        raise AttemptFailed(failed, Outcome(request_sent=failed.request_sent))

    async def _observed(
        self, client: httpx.AsyncClient, operation: str, request: httpx.Request, attempt: int
    ) -> httpx.Response:
        """Send a request, and let the hooks know of it and of its answer."""
        hooks = self._settings.hooks
        if hooks.on_request is None and hooks.on_response is None:
            return await client.send(request)
        told = (operation, request.method, request.url.path, attempt)
        tell(hooks.on_request, RequestEvent(*told))
        begin = perf_counter()
        response = await client.send(request)
        if hooks.on_response is not None:
            shown = {name: value for name, value in response.headers.items() if name not in _SECRET_HEADERS}
            event = ResponseEvent(*told, response.status_code, perf_counter() - begin, shown)
            tell(hooks.on_response, event)
        return response

    def _tell_retry(
        self, operation: str, request: httpx.Request, attempt: int, wait: float, error: AignosticsError
    ) -> None:
        event = RetryEvent(operation, request.method, request.url.path, attempt, wait, error)
        tell(self._settings.hooks.on_retry, event)


async def post_form(
    url: str, body: Secret, settings: Settings, context: ssl.SSLContext, *, repeat: bool = False
) -> FormAnswer:
    """Send a form to an identity provider and return what it answers; takes 20 s at most.

    With `repeat` a request whose answer was lost is sent once more, at once. Raises TokenEndpointUnavailable
    when no answer came.
    """
    reason = "no answer in time"
    with anyio.move_on_after(_TOKEN_SECONDS):
        for _ in range(2 if repeat else 1):
            outcome = await _send_form(url, body, settings, context)
            if isinstance(outcome, FormAnswer):
                return outcome
            reason, was_sent = outcome
            if not was_sent:
                break
    raise TokenEndpointUnavailable(f"the token endpoint {url} gave no answer ({reason}); try again later")


async def _send_form(
    url: str, body: Secret, settings: Settings, context: ssl.SSLContext
) -> FormAnswer | tuple[str, bool]:
    """Return the answer; without one the reason, and whether the request may have been received."""
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": user_agent(settings.user_agent),
    }
    try:
        async with _client(settings, context, url) as client:
            request = client.build_request("POST", url, content=body.reveal(), headers=headers)
            response = await client.send(request, stream=True)
            await _read_at_most(response, _LARGEST_FORM)
            return form_answer(response, body)
    except httpx.RequestError as error:
        # As values: a transport error holds the request, and that holds the refresh token.
        return _reason(error), not isinstance(error, _NEVER_SENT)


def _client(settings: Settings, context: ssl.SSLContext, url: str) -> httpx.AsyncClient:
    """Return a client of one connection, for one origin; it follows no redirects."""
    try:
        return httpx.AsyncClient(
            verify=context,
            proxy=proxy_for(url, proxy=settings.proxy, trust_env=settings.trust_env),
            trust_env=False,  # the proxy is chosen above, and the context holds the certificates
            timeout=_timeout(settings),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"the proxy can't be used: {excerpt(str(error))}") from None


def _timeout(settings: Settings) -> httpx.Timeout:
    timeouts = settings.timeouts
    return httpx.Timeout(
        connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
    )


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings that every pool of a client shares; reading the CAs takes some 20 ms."""
    try:
        return settings.ssl_context or httpx.create_ssl_context(trust_env=settings.trust_env)
    except OSError as error:
        raise ConfigurationError(
            f"the CA certificates can't be read ({error}); are SSL_CERT_FILE and SSL_CERT_DIR right?"
        ) from None


def _connection_error(request: httpx.Request, error: httpx.RequestError) -> ConnectionFailed:
    sent = not isinstance(error, _NEVER_SENT)
    kind = RequestTimeout if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    place = f"{request.method} {without_query(str(request.url))}"
    advice = "check address and network" if not sent else "the request may have been received"
    return kind(
        f"{place} got no answer ({_reason(error)}); {advice}",
        method=request.method,
        path=request.url.path,
        request_sent=sent,
    )


def _reason(error: httpx.RequestError) -> str:
    words = excerpt(str(error), 120)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


async def _read_at_most(response: httpx.Response, limit: int) -> None:
    """Read a body, or the beginning of one that is larger: what says more is not what was asked for."""
    collected = bytearray()
    async for piece in response.aiter_bytes():
        collected += piece
        if len(collected) > limit:
            break
    await response.aclose()
    response._content = bytes(collected[:limit])  # noqa: SLF001 - as its own reading sets it
