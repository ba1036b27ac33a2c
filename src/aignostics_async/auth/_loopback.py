"""A page on this machine that receives one authorization response from a browser (RFC 8252, section 7.3)."""

from __future__ import annotations

import errno
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import Listener, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from attrs import frozen

from .._core._secret import Secret
from ..errors import AignosticsError, ConfigurationError
from ._provider import LOOPBACK

_T = TypeVar("_T")
_HTTP = 80
_REQUEST_SECONDS = 5.0  # a browser opens connections that it may never use
_LARGEST_REQUEST = 16 * 1024  # bytes
_NO_REQUEST = (anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError)
_MISSING_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{font:1.1rem system-ui,sans-serif;margin:20vh auto;
max-width:32rem;padding:0 1rem;text-align:center}}</style><h1>{title}</h1><p>{text}</p></html>
"""
_HEAD = """HTTP/1.1 {status}\r
Content-Type: text/html; charset=utf-8\r
Content-Length: {length}\r
Cache-Control: no-store\r
Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r
Referrer-Policy: no-referrer\r
X-Content-Type-Options: nosniff\r
Connection: close\r
\r
"""


def _page(status: str, title: str, text: str) -> bytes:
    body = _PAGE.format(title=title, text=text).encode()
    return _HEAD.format(status=status, length=len(body)).encode() + body


# Nothing of a request is shown: anybody who can make a browser open a URL would choose what the page says.
_SIGNED_IN = _page("200 OK", "Signed in", "You may close this window.")
_NOT_SIGNED_IN = _page("400 Bad Request", "Not signed in", "The program that asked for it says why.")
_NOT_FOUND = _page("404 Not Found", "Not found", "This page takes the answer to one login only.")


@frozen
class AuthorizationResponse:
    """The parameters of the redirect from an identity provider (RFC 6749, 4.1.2, and RFC 9207)."""

    code: Secret | None
    error: str | None
    description: str | None
    issuer: str | None


class Loopback:
    """The listening page. `redirect_url` is its URL, with the port that it got if port 0 was asked for."""

    def __init__(self, redirect_url: str, port: int, listeners: list[Listener[SocketStream]]) -> None:
        parts = urlsplit(redirect_url)
        self._listeners = listeners
        self._path = parts.path or "/"
        # Against DNS rebinding: another name may resolve to this machine.
        names = ("localhost", "127.0.0.1", "[::1]")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == _HTTP else set())
        # Exactly as registered; only port 0 is replaced.
        self.redirect_url = redirect_url
        if parts.port == 0:
            self.redirect_url = parts._replace(netloc=f"{parts.netloc.removesuffix(':0')}:{port}").geturl()

    async def receive(self, state: str, use: Callable[[AuthorizationResponse], Awaitable[_T]]) -> _T:
        """Return what `use` makes of the first authorization response with this state.

        Any other request gets a 404 and ends nothing. The browser is shown whether `use` succeeded; what it
        raises is raised here.
        """
        handler = _RedirectHandler(self._hosts, self._path, state, use)
        async with anyio.create_task_group() as group:
            handler.done = group.cancel_scope.cancel
            for listener in self._listeners:
                group.start_soon(listener.serve, handler.serve)
        if isinstance(handler.outcome, AignosticsError):
            raise handler.outcome
        return handler.outcome


@asynccontextmanager
async def listen(redirect_url: str) -> AsyncIterator[Loopback]:
    """Listen on the loopback addresses of a redirect URL; raises ConfigurationError for a port in use."""
    parts = urlsplit(redirect_url)
    port = parts.port if parts.port is not None else _HTTP
    listeners: list[Listener[SocketStream]] = []
    async with AsyncExitStack() as stack:
        for address in LOOPBACK[parts.hostname or ""]:
            try:
                listener = await anyio.create_tcp_listener(local_host=address, local_port=port)
            except OSError as error:
                if error.errno in _MISSING_FAMILY and address == "::1" and listeners:
                    continue
                raise ConfigurationError(
                    f"can't listen on {address}, port {port}, where the browser brings the answer "
                    f"({error.strerror}); end what uses it, perhaps another login, or set another redirect "
                    "URL (AIGNOSTICS_REDIRECT_URL)"
                ) from None
            stack.push_async_callback(listener.aclose)
            listeners.append(listener)
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
        yield Loopback(redirect_url, port, listeners)


class _RedirectHandler(Generic[_T]):
    """Serves connections until one brings the authorization response."""

    def __init__(
        self, hosts: set[str], path: str, state: str, use: Callable[[AuthorizationResponse], Awaitable[_T]]
    ) -> None:
        self._hosts = hosts
        self._path = path
        self._state = state
        self._use = use
        self._has_response = False
        self.done: Callable[[], None]
        self.outcome: _T | AignosticsError

    async def serve(self, stream: SocketStream) -> None:
        """Serve one connection, and finish if it brought the response."""
        try:
            async with stream:
                head = await _head(stream)
                response = None if self._has_response or head is None else self._read(head)
                if response is None:
                    if head is not None:
                        await self._send(stream, _NOT_FOUND)
                    return
                self._has_response = True
                await self._send(stream, await self._conclude(response))
        finally:
            if hasattr(self, "outcome"):
                self.done()

    async def _conclude(self, response: AuthorizationResponse) -> bytes:
        try:
            self.outcome = await self._use(response)
        except AignosticsError as error:
            self.outcome = error
            return _NOT_SIGNED_IN
        return _SIGNED_IN

    async def _send(self, stream: SocketStream, page: bytes) -> None:
        with anyio.move_on_after(_REQUEST_SECONDS), suppress(anyio.BrokenResourceError):
            await stream.send(page)

    def _read(self, head: str) -> AuthorizationResponse | None:
        """Return the authorization response of a request; None for any other request."""
        request, *lines = head.split("\r\n")
        method, _, rest = request.partition(" ")
        target, _, _ = rest.partition(" ")
        path, _, query = target.partition("?")
        hosts = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("host:")]
        if method != "GET" or path != self._path or len(hosts) != 1 or hosts[0] not in self._hosts:
            return None
        given = parse_qs(query, keep_blank_values=True)
        if any(len(values) != 1 for values in given.values()):
            return None
        parameters = {name: values[0] for name, values in given.items()}
        if not hmac.compare_digest(parameters.get("state", "").encode(), self._state.encode()):
            return None
        code, error = parameters.get("code"), parameters.get("error")
        if bool(code) == bool(error):
            return None
        description, issuer = parameters.get("error_description"), parameters.get("iss")
        return AuthorizationResponse(Secret(code) if code else None, error, description, issuer)


async def _head(stream: SocketStream) -> str | None:
    """Return the head of a request; None if none arrives in time."""
    with anyio.move_on_after(_REQUEST_SECONDS), suppress(*_NO_REQUEST):
        source = BufferedByteReceiveStream(stream)
        return (await source.receive_until(b"\r\n\r\n", _LARGEST_REQUEST)).decode("latin-1")
    return None
