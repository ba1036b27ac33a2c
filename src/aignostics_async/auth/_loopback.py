"""A page on this machine, for one answer that a browser brings (RFC 8252, section 7.3)."""

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


# Nothing of a request is ever shown: whoever can make a browser open a URL would choose what it says.
_SIGNED_IN = _page("200 OK", "Signed in", "You may close this window.")
_NOT_SIGNED_IN = _page("400 Bad Request", "Not signed in", "The program that asked for it says why.")
_NOT_FOUND = _page("404 Not Found", "Not found", "This page takes the answer to one login only.")


@frozen
class Answer:
    """What an identity provider answers by way of the browser (RFC 6749, 4.1.2, and 9207)."""

    code: Secret | None
    error: str | None
    description: str | None
    issuer: str | None


class Loopback:
    """The listening page; `redirect_url` is the URL that it was given, with the port that it has."""

    def __init__(self, redirect_url: str, port: int, listeners: list[Listener[SocketStream]]) -> None:
        parts = urlsplit(redirect_url)
        self._listeners = listeners
        self._path = parts.path or "/"
        # Any other name leads here by a trick: a host of the network whose address is this machine's.
        names = ("localhost", "127.0.0.1", "[::1]")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == _HTTP else set())
        # As it is registered, to the letter; only a port that was free is filled in.
        self.redirect_url = redirect_url
        if parts.port == 0:
            self.redirect_url = parts._replace(netloc=f"{parts.netloc.removesuffix(':0')}:{port}").geturl()

    async def take(self, state: str, use: Callable[[Answer], Awaitable[_T]]) -> _T:
        """Return what `use` makes of the first answer with this state.

        Everything else that comes is told that there is nothing, and waiting goes on. The browser is told how
        `use` ended; what it raises is raised here.
        """
        taking = _Taking(self._hosts, self._path, state, use)
        async with anyio.create_task_group() as group:
            taking.done = group.cancel_scope.cancel
            for listener in self._listeners:
                group.start_soon(listener.serve, taking.serve)
        if isinstance(taking.outcome, AignosticsError):
            raise taking.outcome
        return taking.outcome


@asynccontextmanager
async def listen(redirect_url: str) -> AsyncIterator[Loopback]:
    """Give the page of a redirect URL, on this machine's own addresses; raises ConfigurationError."""
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


class _Taking(Generic[_T]):
    """The state of taking one answer."""

    def __init__(
        self, hosts: set[str], path: str, state: str, use: Callable[[Answer], Awaitable[_T]]
    ) -> None:
        self._hosts = hosts
        self._path = path
        self._state = state
        self._use = use
        self._is_taken = False
        self.done: Callable[[], None]
        self.outcome: _T | AignosticsError

    async def serve(self, stream: SocketStream) -> None:
        """Answer one connection, and end the taking if it brought the answer."""
        try:
            async with stream:
                head = await _head(stream)
                answer = None if self._is_taken or head is None else self._read(head)
                if answer is None:
                    if head is not None:
                        await self._send(stream, _NOT_FOUND)
                    return
                self._is_taken = True
                await self._send(stream, await self._conclude(answer))
        finally:
            if hasattr(self, "outcome"):
                self.done()

    async def _conclude(self, answer: Answer) -> bytes:
        try:
            self.outcome = await self._use(answer)
        except AignosticsError as error:
            self.outcome = error
            return _NOT_SIGNED_IN
        return _SIGNED_IN

    async def _send(self, stream: SocketStream, page: bytes) -> None:
        with anyio.move_on_after(_REQUEST_SECONDS), suppress(anyio.BrokenResourceError):
            await stream.send(page)

    def _read(self, head: str) -> Answer | None:
        """Return the answer that a request brings; None for any other request."""
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
        return Answer(Secret(code) if code else None, error, description, issuer)


async def _head(stream: SocketStream) -> str | None:
    """Return the head of a request; None for a connection that brings none in time."""
    with anyio.move_on_after(_REQUEST_SECONDS), suppress(*_NO_REQUEST):
        source = BufferedByteReceiveStream(stream)
        return (await source.receive_until(b"\r\n\r\n", _LARGEST_REQUEST)).decode("latin-1")
    return None
