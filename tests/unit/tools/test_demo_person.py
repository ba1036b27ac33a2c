"""The demo's person follows the sign-in page where no resolver knows localhost, as in an empty chroot."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import demo_person
import pytest


class Page(BaseHTTPRequestHandler):
    seen: list[str]

    def do_POST(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{self.server.server_port}/done?code=a")  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    Page.seen = []
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_localhost_is_this_machine(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def unknown(host: str, *rest: object, **more: object) -> object:
        if host == "localhost":
            raise socket.gaierror(-2, "Name or service not known")
        return resolve(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    demo_person.main(f"http://127.0.0.1:{server.server_port}/authorize?state=b")
    assert Page.seen == ["/done?code=a"]
