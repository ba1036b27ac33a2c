"""How much of a body is read after its use, so that its connection can serve another request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from aignostics_async.transfer.connections import _connection
from aignostics_async.transfer.connections._connection import Connection, Response

LIMIT = 64 * 1024
HEAD = "HTTP/1.1 200 OK\r\n"


@pytest.fixture
def peers() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for each in (ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * LIMIT)
        yield ours, theirs


def response_to(peers: tuple[socket.socket, socket.socket], head: str, body: bytes) -> Response:
    ours, theirs = peers
    connection = Connection(None, ours, read=20, write=20)
    theirs.settimeout(20)
    answer = f"{HEAD}{head}\r\n".encode() + body
    # The answer comes when the request is written: one that comes before would break the connection.
    return connection.request("GET", b"GET / HTTP/1.1\r\n\r\n", lambda _write: theirs.sendall(answer))


@pytest.mark.parametrize(("size", "is_kept"), [(LIMIT, True), (LIMIT + 1, False), (2 * LIMIT, False)])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_rest_of_up_to_64_kib_is_read(
    peers: tuple[socket.socket, socket.socket], size: int, is_kept: bool, is_chunked: bool
) -> None:
    body = bytes(size)
    if is_chunked:
        response = response_to(
            peers, "Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
        )
    else:
        response = response_to(peers, f"Content-Length: {size}\r\n", body)
    assert response.finish() is is_kept


def test_the_time_for_it_is_for_all_of_it(
    peers: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of a chunk takes most of the second; its bytes get the rest and not another one."""
    waits: list[float] = []
    now = 100.0

    def read_line(_connection: Connection, deadline: float) -> bytes:
        nonlocal now
        waits.append(deadline - now)
        now += 0.75
        return b"5\r\n"

    def receive_into(_connection: Connection, _view: memoryview, seconds: float) -> int:
        waits.append(seconds)
        raise TimeoutError

    response = response_to(peers, "Transfer-Encoding: chunked\r\n", b"")
    monkeypatch.setattr(_connection, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(Connection, "read_line", read_line)
    monkeypatch.setattr(Connection, "receive_into", receive_into)
    assert response.finish() is False
    assert waits == [1.0, 0.25]
