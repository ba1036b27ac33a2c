"""A storage that serves one body by ranges, and does wrong what a test tells it to: on real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from attrs import define, field, frozen

from aignostics_async import Settings, checksum_bytes
from aignostics_async._core._lifetime import Lifetime
from aignostics_async._http._client import ssl_context
from aignostics_async.emulator.process import IMPATIENT
from aignostics_async.transfer._engine import Engine
from aignostics_async.transfer.files._partial_file import part_path, record_path

_DROP = 64  # bytes


@frozen
class Ask:
    """A request: its number, and the bytes that it asks for, None for the whole."""

    number: int
    method: str
    target: str
    headers: dict[str, str]
    first: int | None
    last: int | None
    body: bytes = field(default=b"", repr=False)


@define
class Reply:
    """What to answer. After `cut` bytes of the body `then` happens instead of the rest."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: dict[str, str | None] = field(factory=dict)
    cut: int | None = None
    then: Literal["close", "reset", "stall"] = "close"
    drip: float | None = None
    """Seconds between two bytes."""


Fault = Callable[[Ask], Reply | None]


@define
class Hostile:
    """The storage of one body; `fault` may answer a request in its place."""

    body: bytes = field(repr=False)  # errors are searched with all that their frames show
    etag: str | None = '"first"'
    fault: Fault = lambda _ask: None
    origin: str = ""
    asks: list[Ask] = field(factory=list)
    hung_up: threading.Event = field(factory=threading.Event)
    """Set when a client closed its connection while an answer was stalled."""
    over: threading.Event = field(factory=threading.Event)
    lock: threading.Lock = field(factory=threading.Lock)
    behind: ssl.SSLContext | None = None
    """Makes it a proxy, with this TLS behind it."""
    tunnels: list[tuple[str, dict[str, str]]] = field(factory=list)

    @property
    def url(self) -> str:
        return f"{self.origin}/body?signature=PLANTED"

    async def ask_url(self) -> str:
        return self.url

    def whole(self, ask: Ask, body: bytes | None = None) -> Reply:
        """Return the right answer, of another body if one is given."""
        content = self.body if body is None else body
        headers: dict[str, str | None] = {"Accept-Ranges": "bytes", "ETag": self.etag}
        if ask.first is None:
            return Reply(200, content, headers)
        last = len(content) - 1 if ask.last is None else min(ask.last, len(content) - 1)
        if ask.first >= len(content):
            return Reply(416)
        headers["Content-Range"] = f"bytes {ask.first}-{last}/{len(content)}"
        return Reply(206, content[ask.first : last + 1], headers)

    def served(self) -> int:
        """Return the bytes that were asked for."""
        return sum(len(self.whole(ask).body) for ask in self.asks)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True  # head and body are two writes

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            while self._exchange():
                pass

    def _exchange(self) -> bool:
        place = self.server.place
        line = self.rfile.readline(65536).decode("latin-1").strip()
        if not line:
            return False
        method, target, _ = line.split(" ")
        headers = {}
        while text := self.rfile.readline(65536).decode("latin-1").strip():
            name, _, value = text.partition(": ")
            headers[name.lower()] = value
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        first, last = (int(found[1]), int(found[2]) if found[2] else None) if found else (None, None)
        body = self.rfile.read(int(headers.get("content-length", 0)))
        if method == "CONNECT":
            place.tunnels.append((target, headers))
            return self._tunnel()
        with place.lock:
            ask = Ask(len(place.asks), method, target, headers, first, last, body)
            place.asks.append(ask)
        return self._answer(place.fault(ask) or place.whole(ask))

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()  # the one behind a tunnel is nobody else's to close

    def _tunnel(self) -> bool:
        """Be the proxy first, and then the place behind it."""
        context = self.server.place.behind
        if context is None:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return False
        self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        return True

    def _answer(self, reply: Reply) -> bool:
        fields: dict[str, str | None] = {"Content-Length": str(len(reply.body)), **reply.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        self.wfile.write(f"HTTP/1.1 {reply.status} Told\r\n{lines}\r\n".encode("latin-1"))
        sent = reply.body[: reply.cut]
        if reply.drip is None:
            self.wfile.write(sent)
        else:
            # Above the least rate that is waited for, also on a busy machine.
            for begin in range(0, len(sent), _DROP):
                if self.server.place.over.wait(reply.drip):
                    return False
                self.wfile.write(sent[begin : begin + _DROP])
        if reply.cut is None:
            return fields["Content-Length"] is not None
        if reply.then == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif reply.then == "stall":
            self.connection.settimeout(20)
            if not self.connection.recv(1):
                self.server.place.hung_up.set()
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: Hostile, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.place = place
        self.context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        if self.context is not None:
            sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests are about."""


@contextmanager
def hostile(
    body: bytes, fault: Fault | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Hostile]:
    """Give a storage on a free port, over TLS if there is a context."""
    place = Hostile(body)
    if fault is not None:
        place.fault = fault
    with _Server(place, context) as server:
        place.origin = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield place
        finally:
            place.over.set()
            server.shutdown()
            thread.join()


@asynccontextmanager
async def engine_of(settings: Settings = IMPATIENT) -> AsyncIterator[Engine]:
    """Give an engine without a client around it."""
    lifetime = Lifetime()
    lifetime.begin()
    async with AsyncExitStack() as stack:
        yield Engine(settings, lifetime).open(stack, ssl_context(settings))
        lifetime.end()


def leave_holes(target: Path, place: Hostile, holes: int, **changes: object) -> None:
    """Write what a killed download leaves: a partial file with N holes, and its record."""
    size = len(place.body) // holes
    content, spans = bytearray(len(place.body)), []
    for number in range(holes):
        start = number * size
        end = len(place.body) if number == holes - 1 else start + size
        there = size // 2
        content[start : start + there] = place.body[start : start + there]
        spans.append([start, end, there, checksum_bytes(place.body[start : start + there]).wire])
    record = {
        "version": 1,
        "promise": checksum_bytes(place.body).wire,
        "total": len(place.body),
        "etag": place.etag,
        "spans": spans,
        **changes,
    }
    text = json.dumps(record, sort_keys=True)
    part_path(target).write_bytes(content)
    record_path(target).write_text(f"{text}\n{checksum_bytes(text.encode()).wire}\n")


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so, which another thread brings about."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come about")


def certificate(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 and storage.invalid, in one file, and return it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("storage.invalid")]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(pem)
    )
    return path
