"""One connection to a storage: a request, and its answer as it arrives. Blocking; for worker threads.

Own HTTP/1.1 on a socket of the standard library. `recv_into` fills the caller's buffer, each wait has a
deadline, an answer is seen while a body is still being sent, and what arrived before a failure is not lost:
http.client offers none of these.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from ..._core._portable import POLLIN, POLLOUT, new_poll
from ..._core._proxies import Proxy
from ..._core._redaction import excerpt
from ._http1 import MAX_HEAD, MAX_LINE, Head, ProtocolError, head_end, parse_chunk_size, parse_head
from ._tls import receive_records

_T = TypeVar("_T")
BodyWriter = Callable[[memoryview], None]

_RECEIVE = 64 * 1024  # bytes
_MIN_RATE = 64  # bytes per second; a body that brings less does not arrive in this life
_REST = 64 * 1024  # bytes of a body that are read so that the connection can be kept
_REST_SECONDS = 1.0
_ERROR_BODY = 2000  # bytes
_MAX_TRAILERS = 100
_INTERIM = b"HTTP/1.1 1"


Route = tuple[str, str, int, Proxy | None]
"""Where a connection leads: scheme, host and port, and the proxy it goes through."""


class ConnectionBroken(Exception):
    """The connection failed. `was_sent` is whether the storage may have seen the request.

    `was_answered` is whether the answer had begun.
    """

    def __init__(
        self, reason: BaseException | str, *, was_sent: bool = True, was_answered: bool = False
    ) -> None:
        if isinstance(reason, ProtocolError):
            reason = str(reason)
        words = reason if isinstance(reason, str) else f"{type(reason).__name__}: {excerpt(str(reason), 120)}"
        super().__init__(words)
        self.was_sent = was_sent
        self.was_answered = was_answered


class _AnsweredEarly(Exception):
    """The storage does not want the rest of a body: it has answered, or hung up."""


class Connection:
    """A connection to one storage that serves one request after the other; blocking, for worker threads.

        connection = pool.open(place, token)
        response = connection.request("GET", head)

    `place` is the route that it leads to, as `ConnectionPool.place` returns it; None for a request to a
    proxy. `sock`, the attribute `socket`, is connected, with TLS set up. `read` and `write` are timeouts in
    seconds: the longest silence while a response is read, and the longest time that its headers take from
    their first byte; and the longest time in which the storage takes no byte. `used_at` is when the pool kept
    it last, in seconds since the machine started; 0 before. One thread may use it at a time, and none after a
    failure or a response that was not read to its end.
    """

    def __init__(self, place: Route | None, sock: socket.socket, *, read: float, write: float) -> None:
        self.place = place
        self.socket = sock
        self.used_at = 0.0
        self._read_timeout = read
        self._write_timeout = write
        self._received = bytearray()
        sock.settimeout(0)
        self._readable, self._usable = new_poll(), new_poll()
        self._readable.register(sock, POLLIN)
        self._usable.register(sock, POLLIN | POLLOUT)

    def close(self) -> None:
        """Close the connection; closing it twice does nothing."""
        self.socket.close()

    def is_fresh(self) -> bool:
        """Return whether an idle connection is still open, as far as can be seen without a request.

        False if anything arrived, such as the end of the connection. Does not block.
        """
        # The rest of a TLS record that was read in part is nothing that the socket could tell of.
        decrypted = self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0
        return not self._received and not decrypted and not self._readable.poll(0)

    # Requests

    def request(self, method: str, head: bytes, send: Callable[[BodyWriter], None] | None = None) -> Response:
        """Send a request and return its response, whose body is not read yet.

        `head` is the request line and headers as bytes, with the empty line at their end. `send` writes the
        body, and gets a function that sends a memoryview; None, the default, sends no body. `send` is
        interrupted if the storage answers early, and what it raises is raised.

        Blocks until the headers of the response have arrived; interim responses are skipped. Raises
        ConnectionBroken if the connection fails or times out, the response is not HTTP/1, or the storage
        reports success before it got the whole body.
        """
        is_whole = True
        try:
            self._write(memoryview(head))
            if send is not None:
                send(self._write)
        except _AnsweredEarly:
            is_whole = False
        received = self._read_head(method)
        if not is_whole and received.status < 300:
            raise ConnectionBroken("it answered before it had everything", was_answered=True)
        return Response(self, received, self._read_timeout, is_last=not is_whole)

    def _write(self, view: memoryview) -> None:
        """Send bytes; raises _AnsweredEarly if there is an answer before all of them are out."""
        while view:
            if self._readable.poll(0) and self._has_answer():
                raise _AnsweredEarly
            try:
                view = view[self.socket.send(view) :]
                continue
            except (BlockingIOError, ssl.SSLWantWriteError):
                poll = self._usable
            except ssl.SSLWantReadError:
                poll = self._readable
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                raise _AnsweredEarly from None
            except OSError as error:
                raise ConnectionBroken(error) from None
            # The timeout is for each piece that the network takes: a slow link is not a dead one.
            if not poll.poll(self._write_timeout * 1000):
                raise ConnectionBroken("TimeoutError: the storage stopped reading")

    def _has_answer(self) -> bool:
        """Whether there is more to read than TLS's own messages and an interim answer."""
        try:
            piece = self.socket.recv(_RECEIVE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        self._received += piece
        while self._received.startswith(_INTERIM) and (end := head_end(self._received)):
            del self._received[:end]
        # The beginning of an interim answer is one, too: a head may come in pieces.
        return not piece or not _INTERIM.startswith(bytes(self._received[: len(_INTERIM)]))

    # Answers

    def _read_head(self, method: str) -> Head:
        began: float | None = None
        try:
            while True:
                end = head_end(self._received)
                if (len(self._received) if end is None else end) > MAX_HEAD:
                    raise ProtocolError("the head of the answer has no end")
                if end is None:
                    began = self._receive_head(began)
                    continue
                head = parse_head(self._received[:end], method)
                del self._received[:end]
                if not head.is_interim:
                    return head
        except (OSError, ProtocolError) as error:
            broken = ConnectionBroken(error, was_answered=bool(self._received) or began is not None)
        raise broken

    def _receive_head(self, began: float | None) -> float:
        """Receive more of a head, which is to be whole in time; returns when its first byte came."""
        limit = self._read_timeout
        wait = limit if began is None else began + limit - time.monotonic()
        piece = self.receive(wait)
        if not piece:
            raise ConnectionResetError("the storage hung up without an answer")
        self._received += piece
        return time.monotonic() if began is None else began

    def receive(self, seconds: float) -> bytes:
        """Return the bytes that arrive next, 64 KiB at most; empty at the end of the connection.

        Does not return what was received before and is still to be read by the other methods. Blocks until
        something arrives. Raises TimeoutError after `seconds` of silence, and OSError if the connection
        fails.
        """
        return self._when_ready(lambda: self.socket.recv(_RECEIVE), seconds)

    def receive_into(self, view: memoryview, seconds: float) -> int:
        """Read the bytes that arrive next into `view`, and return their number.

        It returns 0 at the end of the connection, and need not fill the whole view. Blocks until something
        arrives. Raises TimeoutError after `seconds` of silence, and OSError if the connection fails.
        """
        if self._received:
            count = min(len(view), len(self._received))
            view[:count] = self._received[:count]
            del self._received[:count]
            return count
        return self._when_ready(lambda: receive_records(self.socket, view), seconds)

    def _when_ready(self, receive: Callable[[], _T], seconds: float) -> _T:
        deadline: float | None = None
        while True:
            try:
                return receive()
            except (BlockingIOError, ssl.SSLWantReadError):
                poll = self._readable
            except ssl.SSLWantWriteError:
                poll = self._usable
            now = time.monotonic()
            deadline = now + seconds if deadline is None else deadline
            if now > deadline or not poll.poll(max(deadline - now, 0) * 1000):
                raise TimeoutError("the storage is silent")

    def read_line(self, deadline: float) -> bytes:
        """Return the next line of a chunked body, including its line break.

        `deadline` is a time of the monotonic clock in seconds, until which it blocks. Raises TimeoutError if
        the line has not arrived by then, ConnectionResetError if the connection ends first, ProtocolError if
        more than 4 KiB have no line break, and OSError if the connection fails.
        """
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > MAX_LINE:
                raise ProtocolError("a line of the answer has no end")
            piece = self.receive(deadline - time.monotonic())
            if not piece:
                raise ConnectionResetError("the storage broke off")
            self._received += piece
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        return line


class Response:
    """A response whose body is not read yet; its methods block.

        response = connection.request("GET", head)
        content = response.read_all(limit=1024)

    `status` is the HTTP status, and `headers` a mapping with names in lower case, in which the values of a
    repeated header are joined by commas. `length` is the number of bytes of the body; None if it is chunked
    or ends with the connection. `keeps_alive` is whether the connection may serve another request afterwards.
    `drips_until` is the time of the monotonic clock, in seconds, until which the body may come at any rate; 0
    at first.
    """

    def __init__(self, connection: Connection, head: Head, timeout: float, *, is_last: bool) -> None:
        self.status = head.status
        self.headers = head.headers
        self.length = head.length
        self.drips_until = 0.0
        self._connection = connection
        self._timeout = timeout
        self.keeps_alive = head.keeps_alive and not is_last
        self._is_chunked = head.is_chunked
        self._left = 0 if head.is_chunked else head.length
        """Bytes until the next chunk or the end; None if the end of the connection is the end."""
        self._is_over = self._left == 0 and not head.is_chunked
        self._is_first_chunk = True
        self._failure: ConnectionBroken | None = None
        self._window = (0.0, 0)
        """Seconds and bytes since the rate was last found to be enough."""

    def read_into(self, view: memoryview) -> int:
        """Fill `view` from the body and return the number of bytes; 0 at the end.

        The number is less than the size of `view` only at the end of the body, and before a failure: the next
        call then raises ConnectionBroken. Failures are a connection that fails, a body that ends before its
        length or has malformed chunks, silence for the read timeout, and fewer than 64 bytes per second over
        that time.
        """
        filled = 0
        while filled < len(view) and self._failure is None:
            try:
                count = self._read(view[filled:], lambda: self._timeout)
            except ConnectionBroken as broken:
                self._failure = broken
                break
            if not count:
                break
            filled += count
        if not filled and self._failure is not None:
            raise self._failure
        return filled

    def read_all(self, limit: int) -> bytes:
        """Return the body, or its first `limit` bytes if it is longer.

        Allocates `limit` bytes if the length of the body is not known. Raises ConnectionBroken for the
        failures that `read_into` names.
        """
        size = limit if self.length is None else min(self.length, limit)
        buffer, filled = memoryview(bytearray(size)), 0
        while filled < size and (count := self.read_into(buffer[filled:])):
            filled += count
        return bytes(buffer[:filled])

    def read_error(self) -> bytes:
        """Return the beginning of an error body, 2,000 bytes at most; empty if nothing arrives.

        Takes the read timeout at most, and returns what arrived by then, also before a failure.
        """
        left = _time_left(self._timeout)
        view, filled = memoryview(bytearray(_ERROR_BODY)), 0
        try:
            while filled < _ERROR_BODY and left() > 0:
                count = self._read(view[filled:], left)
                if not count:
                    break
                filled += count
        except ConnectionBroken:
            pass
        return bytes(view[:filled])

    def finish(self) -> bool:
        """Read a small rest of the body, and return whether the connection can serve another request.

        False if the rest is longer than 64 KiB, takes longer than 1 s or can't be read, or if the storage
        closes the connection; the connection must then be closed.
        """
        if not self.keeps_alive or self._failure is not None:
            return False
        left = _time_left(_REST_SECONDS)
        buffer, read = memoryview(bytearray(_REST + 1)), 0  # one byte more tells that the rest is longer
        try:
            while not self._is_over and read <= _REST and left() > 0:
                read += self._read(buffer[read:], left)
        except ConnectionBroken:
            return False
        return self._is_over and read <= _REST

    def _read(self, view: memoryview, left: Callable[[], float]) -> int:
        """Read bytes of the body; `left` gives the seconds for which to wait for the next ones."""
        began = time.monotonic()
        try:
            if self._is_chunked and self._left == 0 and not self._is_over:
                self._next_chunk(began + left())
            if self._is_over:
                return 0
            wanted = view if self._left is None else view[: self._left]
            count = self._connection.receive_into(wanted, left())
            self._check_rate(time.monotonic() - began, count)
        except (OSError, ProtocolError) as error:
            broken = ConnectionBroken(error, was_answered=True)
        else:
            return self._took(count)
        raise broken

    def _took(self, count: int) -> int:
        if count == 0 and self._left is not None:
            of = "" if self.length is None else f" of {self.length:,}"
            raise ConnectionBroken(f"the storage broke off {self._left:,} bytes{of} early", was_answered=True)
        if self._left is not None:
            self._left -= count
        self._is_over = count == 0 or (self._left == 0 and not self._is_chunked)
        return count

    def _next_chunk(self, deadline: float) -> None:
        """Read the line before a chunk's bytes, or what follows the last one."""
        if not self._is_first_chunk and self._connection.read_line(deadline).strip():
            raise ProtocolError("a chunk of the answer is longer than it says")
        self._is_first_chunk = False
        self._left = parse_chunk_size(self._connection.read_line(deadline))
        if self._left == 0:
            for _ in range(_MAX_TRAILERS):
                if not self._connection.read_line(deadline).strip():
                    self._is_over = True
                    return
            raise ProtocolError("the trailer of the answer has no end")

    def _check_rate(self, seconds: float, count: int) -> None:
        """Raise TimeoutError for a body that only drips; the time between two reads is ours."""
        spent, came = self._window
        spent, came = spent + seconds, came + count
        if seconds > self._timeout + 1:
            spent, came = 0.0, 0  # this process was stopped, or the machine asleep
        elif came >= _MIN_RATE * self._timeout or time.monotonic() < self.drips_until:
            spent, came = 0.0, 0
        elif spent > self._timeout:
            raise TimeoutError(f"the storage sent {came} bytes in {spent:.0f} s")
        self._window = spent, came


def _time_left(seconds: float) -> Callable[[], float]:
    """Return a function that gives how much is left of some seconds that begin now."""
    deadline = time.monotonic() + seconds
    return lambda: deadline - time.monotonic()
