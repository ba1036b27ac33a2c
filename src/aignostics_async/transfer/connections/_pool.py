"""The connections of a client to storages: made, kept for the next request, and used for one exchange.

No credentials, no cookies, no content decoding. URLs are secrets: they are shown without their query, and so
is what a storage says about them.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote

from attrs import define, field

from ..._core._portable import uptime
from ..._core._proxies import Proxy, proxy_for
from ..._core._urls import DEFAULT_PORTS, origin, without_query
from ..._http._retry import AttemptFailed, Outcome
from ..._version import user_agent
from ...errors import TransferError, TransferInterrupted
from ._addresses import AddressRefused, check_literal, dial
from ._connection import BodyWriter, Connection, ConnectionBroken, Response, Route
from ._proxy_urls import proxy_address, proxy_credentials
from ._responses import checked, final, location, refusal, refused
from ._tls import CertificateUntrusted, secure, untrusted

if TYPE_CHECKING:
    from ..._config import Settings
    from .._cancel_token import CancelToken

_MAX_REDIRECTS = 3
_GIVEN_UP = frozenset({400, 408})
"""Statuses with which a storage ends a kept connection that was idle for too long for it."""
_MAX_IDLE = 64  # connections
_MAX_IDLE_SECONDS = 30.0  # less than any NAT or firewall forgets a connection in
_SAFE = "%/:=&?~#+!$,;'@()*[]"


class ConnectionPool:
    """The connections of a client to storages, shared by its worker threads; see `exchange` for their use.

    `settings` supply timeouts, proxy and user agent; `context` is used for TLS. Up to 64 idle connections are
    kept, and used again within 30 s. If a kept connection fails before the first byte of a response, or is
    ended with a 400 or 408, the storage is taken to have given it up: the request is sent once more over a
    new one, and idle connections to the same place are closed. A POST gets a new connection, because it can't
    be sent twice. Raises ConfigurationError for a `Settings.proxy` without a host, or with another scheme
    than http; its port is 80 by default, and a user name and a password are allowed.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._context = context
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._places: dict[tuple[str, str], Route] = {}
        self._is_closed = False
        if settings.proxy is not None:
            proxy_address(Proxy.parse(settings.proxy))

    def close(self) -> None:
        """Close all idle connections; those in use are closed after their exchange. Closing it twice does
        nothing.
        """
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        token: CancelToken,
        name: str,
        headers: Mapping[str, str] | None = None,
        send: Callable[[BodyWriter], None] | None = None,
    ) -> Iterator[Response]:
        """Send one request, and yield the response if its status is 2xx.

            with pool.exchange("GET", url, token=CancelToken(), name="case-7.svs") as response:
                content = response.read_all(limit=1024)

        `headers` are sent beside those that `head` adds; none by default. `send` writes the body, with the
        length that `headers` names, and may be called a second time, to start over; None, the default, sends
        no body. `name` identifies the file in errors. A GET or HEAD follows up to three redirects. At the end
        of the block, up to 64 KiB that are left of the body are read in 1 s at most, to keep the connection
        for another request.

        Raises AttemptFailed with a TransferError as its `error`: UrlRefused if the storage refuses the
        request or the URL can't be a storage's; TransferInterrupted if the connection fails, even while the
        body is read, or if the storage reports a failure. A TransferError of `send` or of the block becomes
        its `error`, too; their other exceptions are raised as they are. A cancelled `token` raises Cancelled,
        and a proxy that can't be used ConfigurationError.
        """
        exchange = _Exchange(self, method, token, name, headers or {}, send)
        failure: AttemptFailed | None = None
        try:
            target = checked(url, name)
            del url  # no error that passes through here shows it
            with exchange.answer(target) as response:
                yield response
        except ConnectionBroken as broken:
            token.check()
            failure = exchange.broken(broken)
        except CertificateUntrusted as untrusted:
            # A status that no answer has: trying again would not help.
            failure = final(TransferInterrupted(str(untrusted), name=name, status=0))
        except AddressRefused:
            failure = refusal("its URL leads to a link-local address, where no storage is", name, 0)
        except TransferError as error:
            failure = final(error)
        if failure is not None:
            raise failure

    def kept(self, place: Route) -> Connection | None:
        """Take the most recently used idle connection to a place out of the pool; None if there is none.

        `place` is what the method `place` returns. Connections that were idle for 30 s or more, or that the
        storage has closed as far as can be seen, are closed instead.
        """
        while (connection := self._newest(place)) is not None:
            if _now() - connection.used_at < _MAX_IDLE_SECONDS and connection.is_fresh():
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        """Keep a connection, whose response was read to the end; close it if the pool is closed.

        Of more than 64 idle connections, the one that was idle longest is closed.
        """
        connection.used_at = _now()
        surplus: Connection | None = None
        with self._lock:
            if self._is_closed:
                surplus = connection
            else:
                self._idle.append(connection)
                if len(self._idle) > _MAX_IDLE:
                    surplus = self._idle.pop(0)
        if surplus is not None:
            surplus.close()

    def drop(self, place: Route) -> None:
        """Close all idle connections to a place, what `place` returns; does nothing if there are none.

        If the storage has given up one of them, the others are probably dead, too.
        """
        while (connection := self._newest(place)) is not None:
            connection.close()

    def _newest(self, place: Route) -> Connection | None:
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].place == place:
                    return self._idle.pop(index)
        return None

    def place(self, target: SplitResult) -> Route:
        """Return the key of connections to a target: scheme, host, port and proxy, which is None without one.

            pool.place(urlsplit("https://host/a"))  # ("https", "host", 443, None)

        `target` is an http or https URL with a valid port, if any. Without `Settings.proxy`, and with
        `Settings.trust_env`, the environment variables for proxies or the settings of the system decide; they
        are read once for each scheme and host with its port. Hosts of this machine have no proxy.
        """
        key = target.scheme, _host(target)
        if key not in self._places:  # the environment is read once, as by the pool for the API
            settings = self._settings
            proxy = proxy_for(f"{key[0]}://{key[1]}/", proxy=settings.proxy, trust_env=settings.trust_env)
            port = target.port or DEFAULT_PORTS[target.scheme]
            self._places[key] = target.scheme, target.hostname or "", port, proxy
        return self._places[key]

    def open(self, place: Route, token: CancelToken) -> Connection:
        """Open a connection to a place within `Timeouts.connect` (10 s by default).

        `token` can interrupt it, except while the host is looked up, which the system limits. The caller
        closes the connection, or gives it to `keep`. Raises ConnectionBroken if the host or its proxy can't
        be reached in time or TLS fails, AddressRefused for a link-local address or one at which a cloud
        serves the credentials of its machines, Cancelled if `token` is cancelled, CertificateUntrusted for a
        certificate that is not trusted, and ConfigurationError for a proxy whose URL is not one of http.
        """
        scheme, host, port, proxy = place
        deadline = time.monotonic() + self._settings.timeouts.connect
        sock: socket.socket | None = None
        try:
            check_literal(host)
            via = proxy_address(proxy) if proxy else None
            # Behind a proxy it is the proxy that looks the host up.
            sock = dial(host, port, deadline, token) if via is None else _dial_proxy(via, deadline, token)
            if proxy is not None and scheme == "https":
                _tunnel(sock, host, port, proxy, deadline)
            if scheme == "https":
                sock = secure(sock, self._context, host, deadline, token)
        except BaseException as error:
            token.release()
            if sock is not None:
                sock.close()
            if not isinstance(error, (OSError, UnicodeError, ConnectionBroken)):
                raise
            if isinstance(error, ssl.SSLCertVerificationError):
                failure: Exception = untrusted(host, error)
            else:
                failure = ConnectionBroken(error, was_sent=False)
        else:
            timeouts = self._settings.timeouts
            return Connection(place, sock, read=timeouts.read, write=timeouts.write)
        token.check()  # a cancellation cuts the connection, which looks like a failure of the other end
        raise failure

    def head(
        self, method: str, target: SplitResult, proxy: Proxy | None, headers: Mapping[str, str]
    ) -> bytes:
        """Return the request line and headers as bytes, with the empty line at their end.

        Adds Host, Accept, Accept-Encoding and User-Agent; `headers` of the same name take precedence, and so
        does the later of two that differ in case only. With a `proxy`, which may be None, a request for an
        http URL names the whole URL and has the proxy's credentials, if any. Characters that no URL has are
        escaped, and those of headers beyond Latin-1 become `?`. Raises ConnectionBroken if a header holds a
        line break.
        """
        path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
        fields = {
            "Host": _host(target),
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent(self._settings.user_agent),
        }
        # A service that signs may name Host or a length in its own spelling; sent twice they are refused.
        given = {name.lower(): (name, value) for name, value in headers.items()}
        fields = {name: value for name, value in fields.items() if name.lower() not in given}
        fields |= dict(given.values())
        if proxy and target.scheme == "http":
            path = f"http://{_host(target)}{path}"
            fields |= proxy_credentials(proxy)
        # Bytes that are no part of a URL are escaped; what is escaped already stays as it was signed.
        return _head(f"{method} {quote(path, safe=_SAFE)} HTTP/1.1", fields)


@define(eq=False)
class _Exchange:
    """A request on its way: the connection in use, and where it goes."""

    _pool: ConnectionPool
    _method: str
    _token: CancelToken
    _name: str
    _headers: Mapping[str, str]
    _send: Callable[[BodyWriter], None] | None
    _shown: str = field(init=False, default="")
    _queries: list[str] = field(init=False, factory=list, repr=False)
    """Of the URLs so far: where a request was redirected, an answer may repeat any of them."""
    _connection: Connection | None = field(init=False, default=None)

    @contextmanager
    def answer(self, target: SplitResult) -> Iterator[Response]:
        """Give the answer, and keep the connection if the answer was read to its end."""
        try:
            response = self._follow(target)
            yield response
            if response.finish() and self._connection is not None:
                self._token.release()
                connection, self._connection = self._connection, None
                self._pool.keep(connection)
        finally:
            self._close()

    def broken(self, broken: ConnectionBroken) -> AttemptFailed:
        """Return the failure that a broken connection stands for."""
        error = TransferInterrupted(
            f"the connection to {self._shown} failed ({broken}); try again", name=self._name
        )
        return AttemptFailed(error, Outcome(request_sent=broken.was_sent))

    def _follow(self, target: SplitResult) -> Response:
        for _ in range(_MAX_REDIRECTS + 1):
            self._shown = without_query(target.geturl())
            self._queries.append(target.query)
            response = self._ask(target)
            moved = location(self._method, target, response.status, response.headers, self._name)
            if moved is None:
                return self._accepted(response)
            self._close()
            if origin(moved.geturl()) != origin(target.geturl()):
                self._headers = _for_another_origin(self._headers)
            target = moved
        raise refusal(f"it was redirected more than {_MAX_REDIRECTS} times", self._name, response.status)

    def _ask(self, target: SplitResult) -> Response:
        """Send the request, once more over a new connection if a kept one was dead."""
        place = self._pool.place(target)
        head = self._pool.head(self._method, target, place[3], self._headers)
        kept = None if self._method == "POST" else self._pool.kept(place)
        if kept is not None:
            try:
                response = self._use(kept, head)
                if response.keeps_alive or response.status not in _GIVEN_UP:
                    return response
            except ConnectionBroken as broken:
                self._token.check()
                if broken.was_answered:
                    self._pool.drop(place)
                    raise
            self._close()
            self._pool.drop(place)
        return self._use(self._pool.open(place, self._token), head)

    def _use(self, connection: Connection, head: bytes) -> Response:
        self._connection = connection
        self._token.hold(connection.socket)
        return connection.request(self._method, head, self._send)

    def _accepted(self, response: Response) -> Response:
        if 200 <= response.status < 300:
            return response
        raise refused(
            f"{self._method} {self._shown}",
            "&".join(self._queries),
            status=response.status,
            headers=response.headers,
            body=response.read_error(),
            name=self._name,
        )

    def _close(self) -> None:
        self._token.release()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _now() -> float:
    """Return the seconds since the machine started, those in which it was asleep included."""
    return uptime()


def _head(line: str, fields: Mapping[str, str]) -> bytes:
    head = line + "".join(f"\r\n{name}: {value}" for name, value in fields.items())
    content = head.encode("latin-1", "replace")
    if content.count(b"\n") != len(fields) or content.count(b"\r") != len(fields):
        raise ConnectionBroken("a header of the request holds a line break", was_sent=False)
    return content + b"\r\n\r\n"


def _for_another_origin(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what may be sent to where a request is redirected: the others may be credentials."""
    return {name: value for name, value in headers.items() if name.lower() == "range"}


def _host(target: SplitResult) -> str:
    return target.netloc.rpartition("@")[2]


def _dial_proxy(proxy: SplitResult, deadline: float, token: CancelToken) -> socket.socket:
    """Return a connection to a proxy; its failure is not that of the host behind it."""
    host, port = proxy.hostname or "", proxy.port or 80
    try:
        return dial(host, port, deadline, token)
    except (OSError, UnicodeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise OSError(f"the proxy {host}:{port} can't be reached: {reason}")


def _tunnel(sock: socket.socket, host: str, port: int, proxy: Proxy, deadline: float) -> None:
    """Ask a proxy for a connection to a host."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    left = max(deadline - time.monotonic(), 0.001)
    head = _head(f"CONNECT {place} HTTP/1.1", {"Host": place, **proxy_credentials(proxy)})
    answer = Connection(None, sock, read=left, write=left).request("CONNECT", head)
    if answer.status != 200:
        raise OSError(f"the proxy answered {answer.status}")
