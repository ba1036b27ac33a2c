"""The other end: nginx from Debian's package, a door that takes its time, and a sink for uploads."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen

LATENCY = 0.03  # seconds
SHORT_LATENCY = 0.01

_CONFIG = """
worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  map $arg_rate $rate {{ default 0; "~^[0-9]+$" $arg_rate; }}
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
    ssl_certificate {pem}; ssl_certificate_key {pem}; ssl_protocols TLSv1.3;
    limit_rate $rate;
    location / {{ root {files}; }}
    location /late/ {{ auth_request /door; alias {files}/; }}
    location /soon/ {{ auth_request /near; alias {files}/; }}
    location = /door {{ internal; proxy_pass http://127.0.0.1:{door}/; proxy_pass_request_body off; }}
    location = /near {{ internal; proxy_pass http://127.0.0.1:{door}/near; proxy_pass_request_body off; }}
  }}
}}
"""


class NoServer(Exception):
    """nginx is not there and can't be installed; the text says why."""


@frozen
class Servers:
    """Where the files are: over http, over https, each request 30 or 10 ms late, and where uploads vanish."""

    http: str
    https: str
    sink: str
    pem: Path

    def late(self, *, tls: bool) -> str:
        """Return the root under which every request waits before its answer begins."""
        return f"{self.https if tls else self.http}/late"

    @property
    def soon(self) -> str:
        """The root under which every request waits 10 ms."""
        return f"{self.http}/soon"


@contextmanager
def servers(folder: Path, files: Path) -> Iterator[Servers]:
    """Serve the files of a folder until the block ends."""
    nginx = _nginx()
    pem = _certificate(folder)
    plain, tls = _free_port(), _free_port()
    with _door() as door, _sink() as sink:
        config = folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(folder=folder, files=files, pem=pem, plain=plain, tls=tls, door=door)
        )
        with subprocess.Popen([nginx, "-c", config, "-p", folder]) as process:
            try:
                _wait_for(plain, process)
                yield Servers(
                    f"http://127.0.0.1:{plain}",
                    f"https://127.0.0.1:{tls}",
                    f"http://127.0.0.1:{sink}/sink",
                    pem,
                )
            finally:
                process.terminate()


def trusting(pem: Path) -> ssl.SSLContext:
    """Return TLS settings that know the servers' certificate."""
    return ssl.create_default_context(cafile=pem)


def _nginx() -> str:
    place = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if place is not None:
        return place
    if sys.platform != "linux" or shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NoServer("nginx is not installed, and only root on Debian may install it here")
    print("installing nginx and aria2 from Debian's packages", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "nginx", "aria2", "curl"]):
        done = subprocess.run(
            ["apt-get", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoServer(f"nginx can't be installed: {done.stderr.strip()[-300:]}")
    return _nginx()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise NoServer("nginx did not start; its words are above")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NoServer("nginx does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def _listening(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection in a thread, and give the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _door() -> AbstractContextManager[int]:
    """Nginx asks here before each late answer; it is let in after the latency."""

    def handle(connection: socket.socket) -> None:
        with connection:
            while head := connection.recv(65536):
                time.sleep(SHORT_LATENCY if head.startswith(b"GET /near") else LATENCY)
                connection.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
                return

    return _listening(handle)


def _sink() -> AbstractContextManager[int]:
    """Takes bodies and forgets them in the kernel, which costs next to nothing."""

    def handle(connection: socket.socket) -> None:
        room = bytearray(4 * 1024 * 1024)
        with connection:
            while head := _head(connection):
                lines = head.decode("latin-1").lower().split("\r\n")
                length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
                if any(line.startswith("expect:") for line in lines):
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                left = length
                while left:
                    count = connection.recv_into(room, min(left, len(room)), socket.MSG_TRUNC)
                    if not count:
                        return
                    left -= count
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return _listening(handle)


def _head(connection: socket.socket) -> bytes:
    """Read up to the empty line and not a byte further."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        seen = connection.recv(65536, socket.MSG_PEEK)
        if not seen:
            return b""
        end = (head + seen).find(b"\r\n\r\n")
        count = len(seen) if end < 0 else end + 4 - len(head)
        head += connection.recv(count)
    return head


def _certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(pem)
    )
    return path
