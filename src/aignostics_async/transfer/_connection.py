"""The only blocking HTTP: one request on one connection, from a worker thread.

Built on the standard library's http.client. Beside urllib3 it costs a little less per byte (`readinto` fills
our own buffer, urllib3's copies), and its connection takes a socket that we made: so a token can be cut short
at any moment, and an address can be looked at before anything is sent to it. What it lacks is here: proxies,
redirects, connections kept for the next request, and errors of our tree.

No credentials, no cookies, no content decoding. URLs
are secrets: they show without their query, and so does what a storage says about them.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit

from .._core._redaction import excerpt
from .._core._urls import is_loopback, without_query
from .._http._retry import AttemptFailed, Outcome
from .._version import user_agent
from ..errors import ConfigurationError, TransferInterrupted
from ._responses import (
    PORTS,
    LinkLocal,
    checked,
    location,
    refusal,
    refuse_link_local,
    refused,
)

if TYPE_CHECKING:
    from .._config import Settings
    from ._cancel_token import CancelToken

Send = Callable[[memoryview], None]

_REDIRECTS = 3
_KEPT = 64  # connections
_REST = 64 * 1024  # bytes


class _Broken(Exception):
    """A connection failed; `sent` is whether the storage may have seen the request."""

    def __init__(self, reason: BaseException | str, *, sent: bool = True) -> None:
        words = reason if isinstance(reason, str) else f"{type(reason).__name__}: {excerpt(str(reason), 120)}"
        super().__init__(words)
        self.sent = sent


class _HungUp(Exception):
    """The storage does not want the rest of a body."""


class Connection:
    """A connection to one place, and a second handle on its socket to pull it by."""

    def __init__(self, place: tuple[str, ...], http: HTTPConnection, plug: socket.socket) -> None:
        self.place = place
        self.http = http
        self.plug = plug

    def is_fresh(self) -> bool:
        """Whether the storage has not hung up; between requests it has nothing else to say."""
        if self.http.sock is None:
            return False
        poll = select.poll()
        poll.register(self.http.sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self.http.close()
        self.plug.close()


class Response:
    """What the storage answered, its body not yet read."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = _headers_of(response)
        self.length: int | None = response.length
        """Bytes of the body; None where the storage does not say."""

    def read_into(self, view: memoryview) -> int:
        """Fill `view` from the body and return how many bytes it took; fewer only at the end."""
        try:
            return self._response.readinto(view)
        except (OSError, HTTPException, ValueError) as error:
            broken = _Broken(error)
        raise broken


class ConnectionPool:
    """The connections of a client to storages; shared by its worker threads."""

    def __init__(self, settings: Settings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._context = context
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        if settings.proxy is not None:
            _proxy_address(settings.proxy)

    def close(self) -> None:
        """Close the connections that no token holds."""
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        token: CancelToken,
        name: str,
        headers: Mapping[str, str] | None = None,
        send: Callable[[Send], None] | None = None,
    ) -> Iterator[Response]:
        """Send one request, and give the answer if its status is 2xx.

        `send` is called to write the body, whose length is in `headers`. A GET or HEAD follows three
        redirects at most. `name` stands for the file in errors. Every failure, also one while the body is
        read, becomes AttemptFailed with a TransferError inside.
        """
        target = checked(url, name)
        line: Connection | None = None
        response: HTTPResponse | None = None
        try:
            line = self._line(target, token)
            response = self._ask(line, method, target, headers or {}, send)
            redirects = 0
            while (moved := _moved(method, target, response, name)) is not None:
                response.close()
                line.close()
                redirects += 1
                if redirects > _REDIRECTS:
                    message = f"it was redirected more than {_REDIRECTS} times"
                    raise refusal(message, name, response.status)
                target = moved
                line = self._line(target, token)
                response = self._ask(line, method, target, headers or {}, send)
            if not 200 <= response.status < 300:
                raise refused(
                    f"{method} {without_query(target.geturl())}",
                    target.query,
                    status=response.status,
                    headers=_headers_of(response),
                    body=_first_words(response),
                    name=name,
                )
            yield Response(response)
            if _is_over(response):
                line = self._keep(line)
        except LinkLocal:
            failure = refusal("its URL leads to a link-local address, where no storage is", name, 0)
        except _Broken as error:
            token.check()
            place = without_query(target.geturl())
            failure = AttemptFailed(
                TransferInterrupted(f"the connection to {place} failed ({error}); try again", name=name),
                Outcome(request_sent=error.sent),
            )
        else:
            return
        finally:
            token.release()
            if response is not None:
                response.close()
            if line is not None:
                line.close()
        raise failure

    # Connections

    def _line(self, target: SplitResult, token: CancelToken) -> Connection:
        host, port = target.hostname or "", target.port or PORTS[target.scheme]
        proxy = self._proxy(target)
        place = (target.scheme, host, str(port), proxy or "")
        while (line := self._kept(place)) is not None:
            if line.is_fresh():
                token.hold(line.plug)
                return line
            line.close()
        try:
            return self._connect(place, host, port, proxy, token)
        except (OSError, HTTPException, UnicodeError) as error:
            broken = _Broken(error, sent=False)
        raise broken

    def _kept(self, place: tuple[str, ...]) -> Connection | None:
        with self._lock:
            for line in reversed(self._idle):
                if line.place == place:
                    self._idle.remove(line)
                    return line
        return None

    def _keep(self, line: Connection) -> Connection | None:
        """Keep a connection for the next request; returns the one that has to go instead, if any."""
        with self._lock:
            self._idle.append(line)
            return self._idle.pop(0) if len(self._idle) > _KEPT else None

    def _connect(
        self, place: tuple[str, ...], host: str, port: int, proxy: str | None, token: CancelToken
    ) -> Connection:
        via = _proxy_address(proxy) if proxy is not None else None
        # Through a proxy it is the proxy that looks a name up.
        sock = self._dial(via.hostname or "", via.port or 80, token) if via else self._dial(host, port, token)
        plug = sock.dup()
        http = HTTPConnection(host, port)
        http.auto_open = 0  # it would open a connection of its own, without TLS
        http.sock = sock
        try:
            if via is not None and place[0] == "https":
                _tunnel(sock, host, port, via)
            if place[0] == "https":
                http.sock = self._context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            http.close()
            plug.close()
            raise
        return Connection(place, http, plug)

    def _dial(self, host: str, port: int, token: CancelToken) -> socket.socket:
        failure: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            refuse_link_local(str(address[0]))
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._settings.timeouts.connect)
                token.hold(sock)
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                failure = error
                sock.close()
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure or OSError(f"{host} has no address")

    def _proxy(self, target: SplitResult) -> str | None:
        host = target.hostname or ""
        # What is on this machine is never reached through a proxy.
        if is_loopback(host):
            return None
        if self._settings.proxy is not None:
            return self._settings.proxy
        if not self._settings.trust_env or urllib.request.proxy_bypass(target.netloc.rpartition("@")[2]):
            return None
        proxies = urllib.request.getproxies()
        return proxies.get(target.scheme) or proxies.get("all")

    # Requests

    def _ask(
        self,
        line: Connection,
        method: str,
        target: SplitResult,
        headers: Mapping[str, str],
        send: Callable[[Send], None] | None,
    ) -> HTTPResponse:
        try:
            self._write_head(line, method, target, headers)
        except (OSError, HTTPException, ValueError) as error:
            broken = _Broken(error)
        else:
            if send is not None:
                self._write_body(line, send)
            try:
                line.http.sock.settimeout(self._settings.timeouts.read)
                return line.http.getresponse()
            except (OSError, HTTPException, ValueError) as error:
                broken = _Broken(error)
        raise broken

    def _write_head(
        self, line: Connection, method: str, target: SplitResult, headers: Mapping[str, str]
    ) -> None:
        host = target.netloc.rpartition("@")[2]
        path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
        fields = {
            "Host": host,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent(self._settings.user_agent),
            **headers,
        }
        if line.place[3] and target.scheme == "http":
            path = f"http://{host}{path}"
            fields |= _proxy_credentials(_proxy_address(line.place[3]))
        # Bytes that are no part of a URL are escaped; what is escaped already stays as it was signed.
        line.http.putrequest(
            method, quote(path, safe="%/:=&?~#+!$,;'@()*[]"), skip_host=True, skip_accept_encoding=True
        )
        for field, value in fields.items():
            line.http.putheader(field, value)
        line.http.endheaders()

    def _write_body(self, line: Connection, send: Callable[[Send], None]) -> None:
        sock = line.http.sock
        sock.settimeout(self._settings.timeouts.write)

        def write(view: memoryview) -> None:
            # Not sendall: its timeout is for the whole, and a slow link is not a dead one.
            while view:
                try:
                    view = view[sock.send(view) :]
                    continue
                except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                    failure: Exception = _HungUp()
                except OSError as error:
                    failure = _Broken(error)
                raise failure

        # Who refuses a body hangs up on it; the answer, which may have come first, says why.
        with contextlib.suppress(_HungUp):
            send(write)


def _is_over(response: HTTPResponse) -> bool:
    """Whether a connection is ready for the next request; the little that is left of an answer is read."""
    if response.will_close:
        return False
    if not response.isclosed() and response.length is not None and response.length <= _REST:
        response.read()
    return response.isclosed()


def _tunnel(sock: socket.socket, host: str, port: int, via: SplitResult) -> None:
    """Ask a proxy for a connection to a host."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    fields = {"Host": place, **_proxy_credentials(via)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    sock.sendall(f"CONNECT {place} HTTP/1.1\r\n{lines}\r\n".encode("ascii"))
    response = HTTPResponse(sock, method="CONNECT")
    with contextlib.closing(response):
        response.begin()
        if response.status != 200:
            raise OSError(f"the proxy answered {response.status}")


def _proxy_address(proxy: str) -> SplitResult:
    address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        usable = address.scheme == "http" and bool(address.hostname) and address.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError("files move through proxies of the form http://host:port only")
    return address


def _proxy_credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}


def _moved(method: str, target: SplitResult, response: HTTPResponse, name: str) -> SplitResult | None:
    return location(method, target, response.status, _headers_of(response), name)


def _headers_of(response: HTTPResponse) -> dict[str, str]:
    # Google says `x-goog-hash` twice, once per kind; one header of both is the same by HTTP's rules.
    return {name.lower(): ", ".join(response.headers.get_all(name, [])) for name in response.headers}


def _first_words(response: HTTPResponse) -> bytes:
    try:
        return response.read(2000)
    except (OSError, HTTPException, ValueError):
        return b""
