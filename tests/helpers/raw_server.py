"""A server that writes bytes as a test tells it to: for answers that no HTTP library would send."""

from __future__ import annotations

import contextlib
import fcntl
import re
import socket
import ssl
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field

Handler = Callable[["Peer"], None]


@define(eq=False)
class Peer:
    """One connection of a client, and its number from 0."""

    sock: socket.socket
    number: int
    over: threading.Event
    """Set when the test ends."""
    _received: bytes = b""

    def read_head(self) -> str:
        """Return the head of the next request; empty when the client hung up."""
        while b"\r\n\r\n" not in self._received:
            piece = self.sock.recv(65536)
            if not piece:
                return ""
            self._received += piece
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def read_request(self) -> str:
        """Return the head of the next request, its body read, too."""
        head = self.read_head()
        found = re.search(r"(?i)content-length: (\d+)", head)
        left = int(found[1]) - len(self._received) if found else 0
        while left > 0 and (piece := self.sock.recv(min(left, 1 << 20))):
            left -= len(piece)
        self._received = b""
        return head

    def write(self, content: bytes) -> None:
        self.sock.sendall(content)

    def answer(
        self, body: bytes = b"", *, status: int = 200, headers: str = "", length: int | None = None
    ) -> None:
        """Answer with a body, of another length than the headers say if one is given."""
        told = len(body) if length is None else length
        self.write(f"HTTP/1.1 {status} Told\r\nContent-Length: {told}\r\n{headers}\r\n".encode() + body)

    def drip(self, content: bytes, *, every: float = 0.02) -> None:
        """Write one byte after the other, until the test ends."""
        for byte in content:
            self.write(bytes([byte]))
            if self.over.wait(every):
                return

    def drip_for_ever(self, content: bytes, *, every: float = 0.02) -> None:
        """Repeat some bytes until the test ends or the client hangs up."""
        for _ in range(100_000):
            if self.over.is_set():
                return
            self.drip(content, every=every)

    def reset(self) -> None:
        """Reset the connection, once all that was written has arrived."""
        for _ in range(10_000):
            if not struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))[0]:
                break
            self.over.wait(0.001)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def stall(self) -> None:
        """Say nothing until the test ends or the client hangs up."""
        with contextlib.suppress(OSError):
            self.sock.settimeout(30)
            while self.sock.recv(65536):
                pass


@define(eq=False)
class RawServer:
    """The server's address, and how many connections it has accepted."""

    port: int
    scheme: str = "http"
    accepted: int = 0
    requests: list[str] = field(factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/body?signature=PLANTED"

    async def ask_url(self) -> str:
        return self.url


@contextmanager
def raw_server(handler: Handler, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Run a handler for each connection, in a thread of its own."""
    over, peers, threads = threading.Event(), list[socket.socket](), list[threading.Thread]()
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1], "https" if context else "http")

    def serve(sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.closing(sock):
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
                peers.append(sock)
            with contextlib.closing(sock):
                handler(Peer(sock, number, over))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                peers.append(sock)
                thread = threading.Thread(target=serve, args=(sock, server.accepted), daemon=True)
                server.accepted += 1
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in peers:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in [accepting, *threads]:
            thread.join(10)
