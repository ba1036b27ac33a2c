"""What a network or a storage can do to a connection, byte by byte, and that each ends as our own error."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import evolve
from hostile_server import certificate, engine_of, files_in
from raw_server import Peer, raw_server
from support import artifact, has_ipv6, pretend, result

from aignostics_async import (
    AignosticsError,
    FileStatus,
    Retries,
    Settings,
    Timeouts,
    TransferError,
    TransferInterrupted,
    UrlRefused,
    checksum_bytes,
)
from aignostics_async._core._crc32c import Crc32c
from aignostics_async._core._portable import new_poll
from aignostics_async._core._proxies import Proxy
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.transfer._cancel_token import Cancelled, CancelToken
from aignostics_async.transfer._download import fetch_file
from aignostics_async.transfer._engine import Engine
from aignostics_async.transfer._multipart_upload import SignedRequest, send_file
from aignostics_async.transfer._ranged_download import FetchedFile
from aignostics_async.transfer._request import read_back, send_request
from aignostics_async.transfer._upload import put_file
from aignostics_async.transfer.connections import _addresses, _connection, _pool

MIB = 1024 * 1024
BODY = array("I", range(MIB // 2)).tobytes()  # 2 MiB
CRC = checksum_bytes(BODY).wire
ONCE = Retries(attempts=1)
HASTY = evolve(IMPATIENT, timeouts=Timeouts(connect=20, read=1, write=1))
ONE_TRY = evolve(HASTY, retries=ONCE)
# For answers that never come, where nothing else is waited for.
QUICK = evolve(ONE_TRY, timeouts=Timeouts(connect=20, read=0.3, write=0.3))
PATIENT = evolve(IMPATIENT, timeouts=Timeouts(connect=20, read=60, write=60))
SURE = evolve(PATIENT, retries=ONCE)

Use = Callable[[Engine, str, Path], Awaitable[object]]


# The uses of a connection


async def get(engine: Engine, url: str, folder: Path) -> object:
    async def ask() -> str:
        return url

    return await fetch_file(engine, ask, folder / "file", name="file", expected=CRC)


async def put(engine: Engine, url: str, folder: Path) -> object:
    (folder / "source").write_bytes(BODY)
    return await put_file(engine, url, folder / "source", name="source")


class Bucket:
    """A target of one part."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def signer(self) -> None:
        """Need no key."""

    async def another_signer(self, signer: None) -> None:
        """Have no other one."""

    def whole(self, signer: None, digest: Crc32c) -> SignedRequest:
        return SignedRequest(self._url, {})

    def part(self, signer: None, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        raise NotImplementedError

    async def begin(self) -> str:
        raise NotImplementedError

    async def complete(self, upload: str, parts: object, whole: Crc32c, part_size: int) -> Mapping[str, str]:
        raise NotImplementedError

    async def abort(self, upload: str) -> None:
        raise NotImplementedError


async def send(engine: Engine, url: str, folder: Path) -> object:
    (folder / "source").write_bytes(BODY)
    return await send_file(engine, Bucket(url), folder / "source", name="source")


async def read(engine: Engine, url: str, folder: Path) -> object:
    return await read_back(engine, url, "key")


async def ask(engine: Engine, url: str, folder: Path) -> object:
    return await send_request(engine, "GET", url, name="key")


async def post(engine: Engine, url: str, folder: Path) -> object:
    return await send_request(engine, "POST", url, name="key", body=b"<Complete/>")


USES = [get, put, send, read, ask, post]
of_each_use = pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)


# The end of an answer


@pytest.mark.sampled(fast=9)
@of_each_use
@pytest.mark.parametrize("end", ["close", "reset", "stall"])
@pytest.mark.parametrize("sent", [0, 1, 9])
async def test_an_answer_that_breaks_off_is_an_error_of_this_package(
    tmp_path: Path, use: Use, end: str, sent: int
) -> None:
    """Whatever the answer means; for an upload it may have said enough before."""

    def break_off(peer: Peer) -> None:
        peer.read_request()
        peer.answer(b"x" * sent, length=10)
        if end != "close":
            getattr(peer, end)()

    with raw_server(break_off) as server:
        async with engine_of(ONE_TRY) as engine:
            if use in (put, send):
                await use(engine, server.url, tmp_path)
                assert engine.connections._idle == []
            else:
                with pytest.raises(TransferInterrupted) as caught:
                    await use(engine, server.url, tmp_path)
                assert "PLANTED" not in str(caught.value)


@of_each_use
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"ICY 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nab",
        b"HTTP/1.1 503 No\r\nRetry-After: Thu, 01 Jan 2026 00:00:00 +" + b"9" * 20 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10,
    ],
    ids=lambda answer: answer[:40].decode(),
)
async def test_what_is_no_answer(tmp_path: Path, use: Use, answer: bytes) -> None:
    def babble(peer: Peer) -> None:
        peer.read_request()
        peer.write(answer)

    with raw_server(babble) as server:
        async with engine_of(SURE) as engine:
            with pytest.raises(TransferInterrupted):
                await use(engine, server.url, tmp_path)
    assert files_in(tmp_path) in ([], ["source"])


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nabc",
        b"zz\r\nabc\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\r\nabc\r\n",
        b"3\r\nabc\r\n0\r\n",
        b"-1\r\n",
    ],
)
async def test_chunks_that_are_broken(tmp_path: Path, body: bytes) -> None:
    def babble(peer: Peer) -> None:
        peer.read_request()
        peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    with raw_server(babble) as server:
        async with engine_of(SURE) as engine:
            for use in (get, read, ask):
                with pytest.raises(TransferInterrupted):
                    await use(engine, server.url, tmp_path)


async def test_chunks_extensions_and_trailers_are_read(tmp_path: Path) -> None:
    """With the connection kept for the next request."""
    quarter = len(BODY) // 4
    body = b"".join(b"%x;name=value\r\n%s\r\n" % (quarter, BODY[i * quarter :][:quarter]) for i in range(4))

    def serve(peer: Peer) -> None:
        while peer.read_request():
            peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nA: b\r\n\r\n")

    with raw_server(serve) as server:
        async with engine_of(SURE) as engine:
            for _ in range(3):
                await get(engine, server.url, tmp_path)
                (tmp_path / "file").unlink()
            assert await read_back(engine, server.url, "key") == checksum_bytes(BODY)
        assert server.accepted == 1


@pytest.mark.parametrize("is_same", [True, False])
async def test_a_checksum_that_was_told_once_holds(tmp_path: Path, is_same: bool) -> None:
    """The answer that ends the file need not tell it again; one about another file has to."""

    def serve(peer: Peer) -> None:
        while head := peer.read_request():
            begin = int(head.partition("bytes=")[2].partition("-")[0] or 0)
            etag = 'ETag: "1"\r\n' if is_same or peer.number == 0 else 'ETag: "2"\r\n'
            told = f"x-goog-hash: crc32c={CRC}\r\n" if peer.number == 0 else ""
            span = f"Content-Range: bytes {begin}-{len(BODY) - 1}/{len(BODY)}\r\n"
            body, status = BODY[begin:], 206 if begin else 200
            cut = body[:MIB] if peer.number == 0 else body
            peer.answer(cut, status=status, headers=etag + told + (span if begin else ""), length=len(body))
            if peer.number == 0:
                return

    with raw_server(serve) as server:
        async with engine_of(PATIENT) as engine:
            fetched = await fetch_file(engine, server.ask_url, tmp_path / "file", name="file", expected=None)
    assert (fetched.crc32c, fetched.verified) == (CRC, is_same)


async def test_one_broken_answer_costs_no_other_file(emulator: Emulator, tmp_path: Path) -> None:
    """The last bytes of one file never come; the report has an outcome for each file."""

    def serve(peer: Peer) -> None:
        while head := peer.read_request():
            if "bad" in head:
                peer.answer(BODY[:-5], length=len(BODY))
                return peer.reset()
            peer.answer(BODY)
        return None

    with raw_server(serve) as server:
        bad = result("bad", artifact("a", server.url.replace("body", "bad"), BODY))
        good = [result(name, artifact("a", server.url, BODY)) for name in "abc"]
        run_id = pretend(emulator, bad, *good)
        async with emulator.client(PATIENT) as client:
            report = await client.run(run_id).download(tmp_path)
    assert [type(file.error) for file in report.of("bad")] == [TransferInterrupted]
    assert {report.of(name)[0].status for name in "abc"} == {FileStatus.VERIFIED}


# Kept connections


@of_each_use
@pytest.mark.parametrize("death", ["close", "reset", "silent", "400", "408"])
async def test_a_kept_connection_that_is_dead_costs_no_try(tmp_path: Path, use: Use, death: str) -> None:
    """It dies while the next request is on its way, as one does that a firewall has forgotten."""

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.answer(BODY)
        peer.read_request()
        if peer.number > 0:
            peer.answer(BODY)
        elif death == "reset":
            peer.reset()
        elif death == "silent":
            peer.stall()
        elif death != "close":  # as servers say that it was idle for too long
            peer.write(f"HTTP/1.1 {death} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with raw_server(serve) as server:
        async with engine_of(ONE_TRY if death == "silent" else SURE) as engine:
            await ask(engine, server.url, tmp_path)
            assert len(engine.connections._idle) == 1
            await use(engine, server.url, tmp_path)
        assert server.accepted == 2


@pytest.mark.parametrize(("status", "headers"), [(400, ""), (408, ""), (200, "Connection: close\r\n")])
async def test_an_answer_over_a_kept_connection_counts(tmp_path: Path, status: int, headers: str) -> None:
    """Only a refusal that ends the connection may be about the connection."""

    def serve(peer: Peer) -> None:
        for number in range(2):
            peer.read_request()
            peer.answer(BODY) if number == 0 else peer.answer(status=status, headers=headers)
        peer.stall()

    with raw_server(serve) as server:
        async with engine_of(SURE) as engine:
            await ask(engine, server.url, tmp_path)
            with nullcontext() if status == 200 else pytest.raises(TransferError, match=str(status)):
                await ask(engine, server.url, tmp_path)
        assert server.accepted == 1


@pytest.mark.parametrize("last", [b"", b"HTTP/1.1 2"], ids=["nothing", "part of an answer"])
async def test_one_dead_connection_empties_its_place(tmp_path: Path, last: bytes) -> None:
    """Four were kept, all are dead; the next request finds it out once."""
    together = threading.Barrier(4, timeout=20)

    def serve(peer: Peer) -> None:
        peer.read_request()
        if peer.number < 4:
            together.wait()
        peer.answer(BODY)
        if peer.number < 4:
            peer.read_request()
            peer.write(last)
            if not last:
                peer.stall()

    with raw_server(serve) as server:
        async with engine_of(evolve(PATIENT if last else SURE, timeouts=Timeouts(read=3))) as engine:
            await asyncio.gather(*(ask(engine, server.url, tmp_path) for _ in range(4)))
            assert len(engine.connections._idle) == 4
            await ask(engine, server.url, tmp_path)
            assert len(engine.connections._idle) <= 1
        assert server.accepted == 5


async def test_an_old_connection_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(peer: Peer) -> None:
        while peer.read_request():
            peer.answer(BODY)

    now = 0.0
    monkeypatch.setattr(_pool, "_now", lambda: now)
    with raw_server(serve) as server:
        async with engine_of(SURE) as engine:
            for now in (0.0, 29.0, 58.0, 58.0):  # noqa: B007 - read by the pool
                await ask(engine, server.url, tmp_path)
            assert server.accepted == 1
            now = 58.0 + 31.0
            await ask(engine, server.url, tmp_path)
            assert server.accepted == 2


async def test_a_post_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    def serve(peer: Peer) -> None:
        while peer.read_request():
            peer.answer(BODY)

    with raw_server(serve) as server:
        async with engine_of(SURE) as engine:
            await ask(engine, server.url, tmp_path)
            await post(engine, server.url, tmp_path)
            await ask(engine, server.url, tmp_path)
        assert server.accepted == 2


async def test_a_new_connection_that_fails_costs_a_try(tmp_path: Path) -> None:
    def serve(peer: Peer) -> None:
        peer.read_request()

    with raw_server(serve) as server:
        async with engine_of(evolve(PATIENT, retries=Retries(attempts=3, initial_wait=0.01))) as engine:
            with pytest.raises(TransferInterrupted):
                await ask(engine, server.url, tmp_path)
        assert server.accepted == 3


# What has arrived is kept


@pytest.mark.parametrize("end", ["close", "reset", "stall"])
async def test_what_arrived_before_a_failure_is_not_fetched_again(tmp_path: Path, end: str) -> None:
    """Each connection brings 450 kB, which is less than a piece, and then fails."""
    served: list[int] = []

    def serve(peer: Peer) -> None:
        head = peer.read_request()
        first = int(head.partition("bytes=")[2].partition("-")[0] or 0)
        rest = BODY[first:]
        served.append(len(rest[:450_000]))
        peer.answer(
            rest[:450_000],
            status=206 if first else 200,
            headers=f"Content-Range: bytes {first}-{len(BODY) - 1}/{len(BODY)}\r\n",
            length=len(rest),
        )
        if end != "close":
            getattr(peer, end)()

    with raw_server(serve) as server:
        async with engine_of(HASTY if end == "stall" else PATIENT) as engine:
            fetched = await get(engine, server.url, tmp_path)
    assert fetched == FetchedFile(len(BODY), CRC, verified=True)
    assert sum(served) == len(BODY), "no byte came twice"


# Nothing drips for ever


HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status line": (b"", b"HTTP/1.1 200 " + b"O" * 50),
    "header": (HEAD, b"X-Header: value\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "error body": (b"HTTP/1.1 503 No\r\nContent-Length: 100000\r\n\r\n", b"<Code>"),
    "error chunks": (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-Trailer: y\r\n"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body without a length": (HEAD + b"\r\n", b"x"),
}


BODIES = ("body", "body without a length")


@pytest.mark.sampled(fast=13)
@of_each_use
@pytest.mark.parametrize("part", DRIPS)
async def test_no_part_of_an_answer_drips_for_ever(tmp_path: Path, use: Use, part: str) -> None:
    """A byte every 50 ms is in time for a timeout between two bytes, and would never end."""
    begin, again = DRIPS[part]

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.write(begin)
        peer.drip_for_ever(again, every=0.05)

    accepts = use in (put, send) and part in (
        "chunk size",
        "chunks",
        "trailer",
        "body",
        "body without a length",
    )
    with raw_server(serve) as server:
        async with asyncio.timeout(60), engine_of(ONE_TRY if accepts else QUICK) as engine:
            if accepts:
                await use(engine, server.url, tmp_path)
            else:
                with pytest.raises(TransferInterrupted):
                    await use(engine, server.url, tmp_path)


async def test_a_slow_body_that_goes_on_is_no_drip(tmp_path: Path) -> None:
    """Also while this process itself slows it down, to less than the slowest body that is waited for."""
    body = BODY[:2000]

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.write(HEAD + b"Content-Length: 2000\r\n\r\n")
        for start in range(0, 2000, 100):
            peer.write(body[start : start + 100])
            if peer.over.wait(0.05):
                return

    with raw_server(serve) as server:
        async with engine_of(evolve(SURE, timeouts=Timeouts(read=10))) as engine:
            assert await read_back(engine, server.url, "key") == checksum_bytes(body)


async def test_a_stopped_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrived while it was stopped counts, whatever its clock says by then."""
    settings = evolve(SURE, timeouts=Timeouts(read=20))
    # It waits for the beginning of the head, and is stopped while it waits for the rest.
    waits = [threading.Event(), threading.Event()]
    waited = iter(waits)
    hours = iter(range(10**9, 2 * 10**9, 3600))  # then it is an hour later at each call

    class Poll:
        def __init__(self) -> None:
            self._poll = new_poll()
            self.register = self._poll.register

        def poll(self, milliseconds: float) -> object:
            if milliseconds and (wait := next(waited, None)):
                wait.set()
            return self._poll.poll(milliseconds)

    def monotonic() -> float:
        return next(hours) if waits[1].is_set() else time.monotonic()

    monkeypatch.setattr(_connection, "_RECEIVE", 16)  # the rest of the head takes several calls
    monkeypatch.setattr(_connection, "new_poll", Poll)
    monkeypatch.setattr(_connection, "time", SimpleNamespace(monotonic=monotonic))

    def serve(peer: Peer) -> None:
        peer.read_request()
        waits[0].wait(20)
        peer.write(HEAD)
        waits[1].wait(20)
        # In one segment: what comes later than the jump of the clock is late.
        peer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    body = BODY[:8192]
    with raw_server(serve) as server:
        async with engine_of(settings) as engine:
            assert await read_back(engine, server.url, "key") == checksum_bytes(body)


# Early answers


@pytest.mark.parametrize("use", [put, send], ids=lambda use: use.__name__)
async def test_an_interim_answer_in_pieces_is_no_answer(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first piece arrives while the body is being sent, and the rest after the body."""
    monkeypatch.setattr(f"{__name__}.BODY", BODY * 7)  # more than any socket buffers

    def serve(peer: Peer) -> None:
        peer.write(b"HTTP/1.")
        peer.read_request()
        peer.write(b"1 100 Continue\r\n\r\n")
        peer.answer()

    with raw_server(serve) as server:
        async with engine_of(ONE_TRY) as engine:
            await use(engine, server.url, tmp_path)


@pytest.mark.parametrize("use", [put, send], ids=lambda use: use.__name__)
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
async def test_a_refusal_before_the_body_is_read_is_not_waited_for(
    tmp_path: Path, use: Use, is_secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store answers 413 and reads no more, but does not hang up either."""
    monkeypatch.setattr(f"{__name__}.BODY", BODY * 7)  # more than any socket buffers

    def serve(peer: Peer) -> None:
        peer.read_head()
        peer.answer(b"<Code>EntityTooLarge</Code>", status=413)
        peer.over.wait(60)

    with ExitStack() as stack:
        context, settings = secured(tmp_path, PATIENT) if is_secure else (None, PATIENT)
        server = stack.enter_context(raw_server(serve, context))
        async with asyncio.timeout(50), engine_of(settings) as engine:
            with pytest.raises(TransferError, match="EntityTooLarge") as caught:
                await use(engine, server.url, tmp_path)
        assert getattr(caught.value, "status", None) == 413
        assert server.accepted == 1


@pytest.mark.parametrize("use", [put, send], ids=lambda use: use.__name__)
async def test_success_before_the_body_is_read_is_none(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.BODY", BODY * 7)

    def serve(peer: Peer) -> None:
        if peer.number == 0:
            peer.read_head()
            peer.answer(status=200)
            peer.over.wait(60)
        else:
            peer.read_request()
            peer.answer(status=200)

    with raw_server(serve) as server:
        async with engine_of(PATIENT) as engine:
            await use(engine, server.url, tmp_path)
        assert server.accepted == 2


def secured(folder: Path, settings: Settings, *, trusts: bool = True) -> tuple[ssl.SSLContext, Settings]:
    """Return a server's TLS, and settings that trust it."""
    folder = folder / "tls"
    folder.mkdir()
    pem = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, evolve(settings, ssl_context=ssl.create_default_context(cafile=pem if trusts else None))


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
async def test_what_follows_an_answer_is_not_the_next_one(tmp_path: Path, is_secure: bool) -> None:
    """The end of a TLS record may wait inside of the TLS library, where no socket shows it."""

    def serve(peer: Peer) -> None:
        while peer.read_request():
            unasked = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOTHER" if peer.number == 0 else b""
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY + unasked)

    context, settings = secured(tmp_path, SURE) if is_secure else (None, SURE)
    with raw_server(serve, context) as server:
        async with engine_of(settings) as engine:
            for _ in range(2):
                assert (await read_back(engine, server.url, "key")).wire == CRC
        assert server.accepted == 2


@pytest.mark.parametrize("end", ["told", "closed", "reset"])
async def test_whoever_cuts_tls_does_not_end_a_file(tmp_path: Path, end: str) -> None:
    """Without a length only the end that TLS itself tells is the end of a file."""

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.write(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
        if end == "reset":
            peer.reset()
        elif end == "told":
            assert isinstance(peer.sock, ssl.SSLSocket)
            peer.sock.unwrap()

    context, settings = secured(tmp_path, ONE_TRY)
    assert settings.ssl_context is not None
    settings.ssl_context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF  # as some builds of Python do
    with raw_server(serve, context) as server:
        async with engine_of(settings) as engine:
            fetching = fetch_file(engine, server.ask_url, tmp_path / "file", name="file", expected=None)
            if end == "told":
                assert (await fetching).size == len(BODY)
            else:
                with pytest.raises(TransferInterrupted):
                    await fetching
    assert (tmp_path / "file").exists() is (end == "told")


async def test_a_certificate_that_is_not_trusted_is_told_at_once(tmp_path: Path) -> None:
    context, settings = secured(tmp_path, PATIENT, trusts=False)
    (tmp_path / "files").mkdir()
    with raw_server(lambda peer: None, context) as server:
        async with engine_of(settings) as engine:
            for number, use in enumerate(USES, 1):
                with pytest.raises(TransferInterrupted, match="SSL_CERT_FILE") as caught:
                    await use(engine, server.url, tmp_path / "files")
                assert not caught.value.is_transient
                assert server.accepted == number, "one try"


@pytest.mark.parametrize("via_proxy", [False, True], ids=["handshake", "tunnel"])
def test_a_connection_that_is_cancelled_while_it_opens_is_not_broken(via_proxy: bool) -> None:
    token = CancelToken()

    def serve(peer: Peer) -> None:
        peer.sock.recv(1)
        token.cancel()
        peer.stall()

    with raw_server(serve) as server:
        proxy = Proxy.parse(server.url.partition("/body")[0]) if via_proxy else None
        pool = _pool.ConnectionPool(PATIENT, ssl.create_default_context())
        with pytest.raises(Cancelled):
            pool.open(("https", "127.0.0.1", server.port, proxy), token)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "http://proxy.invalid:3128"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cant_be_reached_is_named(scheme: str, proxy: str) -> None:
    pool = _pool.ConnectionPool(PATIENT, ssl.create_default_context())
    with pytest.raises(_connection.ConnectionBroken, match=r"the proxy .* can't be reached"):
        pool.open((scheme, "store.invalid", 443, Proxy.parse(proxy)), CancelToken())


async def test_a_handshake_can_be_cancelled(tmp_path: Path) -> None:
    """The server accepts and says nothing, which TLS waits for."""
    held = threading.Event()

    def serve(peer: Peer) -> None:
        peer.sock.recv(1)
        held.set()
        peer.stall()

    with raw_server(serve) as server:
        async with engine_of(PATIENT) as engine:
            url = server.url.replace("http:", "https:")
            task = asyncio.create_task(ask(engine, url, tmp_path))
            assert await asyncio.to_thread(held.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not engine._threads._calls


# Addresses


@contextmanager
def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> Iterator[None]:
    """Let every name have these addresses."""

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, at))
            for address, at in addresses
        ]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@contextmanager
def black_hole() -> Iterator[int]:
    """Give a port that answers no connection: its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            sock = stack.enter_context(socket.socket())
            sock.settimeout(0)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def serve_body(peer: Peer) -> None:
    while peer.read_request():
        peer.answer(BODY)


@pytest.mark.parametrize("behind_a_proxy", [False, True])
async def test_an_address_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind_a_proxy: bool
) -> None:
    """The first addresses are a black hole and a closed port, the last one works."""
    settings = evolve(PATIENT, proxy="http://proxy.invalid:1") if behind_a_proxy else PATIENT
    with raw_server(serve_body) as server, black_hole() as hole:
        addresses = [("127.0.0.1", hole), ("127.0.0.1", 1), ("127.0.0.1", server.port)]
        with resolving(monkeypatch, *addresses):
            async with asyncio.timeout(15), engine_of(settings) as engine:
                await get(engine, "http://storage.invalid/body?PLANTED", tmp_path)


async def test_an_address_has_a_head_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_addresses, "_HEAD_START", 1000.0)
    with raw_server(serve_body) as server, black_hole() as hole:
        async with engine_of(evolve(ONE_TRY, timeouts=Timeouts(connect=0.5))) as engine:
            with (
                resolving(monkeypatch, ("127.0.0.1", hole), ("127.0.0.1", server.port)),
                pytest.raises(TransferInterrupted, match="no connection was made in time"),
            ):
                await get(engine, "http://storage.invalid/body", tmp_path)
        assert server.accepted == 0


def test_an_address_that_fails_loses_its_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an earlier one is still waited for."""
    clock = chain([0.0], repeat(0.3, 50), repeat(99.0))
    monkeypatch.setattr(_addresses, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with raw_server(serve_body) as server, black_hole() as hole:
        addresses = [(socket.AF_INET, ("127.0.0.1", port)) for port in (hole, 1, server.port)]
        _addresses.connect(addresses, 10.0, CancelToken()).close()


async def test_no_address_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as hole, resolving(monkeypatch, ("127.0.0.1", hole), ("127.0.0.1", hole)):
        async with engine_of(evolve(ONE_TRY, timeouts=Timeouts(connect=0.5))) as engine:
            with pytest.raises(TransferInterrupted, match="no connection was made in time"):
                await get(engine, "http://storage.invalid/body", tmp_path)
    with resolving(monkeypatch, ("127.0.0.1", 1), ("127.0.0.1", 1)):
        async with engine_of(ONE_TRY) as engine:
            with pytest.raises(TransferInterrupted, match="refused"):
                await get(engine, "http://storage.invalid/body", tmp_path)


async def test_a_race_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as hole, resolving(monkeypatch, ("127.0.0.1", hole)):
        async with engine_of(PATIENT) as engine:
            task = asyncio.create_task(get(engine, "http://storage.invalid/body", tmp_path))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not engine._threads._calls


REFUSED = [
    "169.254.169.254",
    "169.254.170.2",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
]


@pytest.mark.parametrize("address", REFUSED)
@pytest.mark.parametrize("how", ["name", "proxy's name", "literal", "literal behind a proxy"])
async def test_addresses_of_a_cloud_s_metadata_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, how: str
) -> None:
    settings = evolve(ONE_TRY, proxy="http://proxy.invalid:1") if "proxy" in how else ONE_TRY
    written = f"[{address}]" if ":" in address else address
    host = written if "literal" in how else "storage.invalid"
    with raw_server(serve_body) as server:
        found = ("127.0.0.1", server.port) if how == "literal behind a proxy" else (address, 80)
        with resolving(monkeypatch, found):
            async with engine_of(settings) as engine:
                with pytest.raises(UrlRefused, match="link-local"):
                    await get(engine, f"http://{host}/body", tmp_path)
        assert server.accepted == 0


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "0251.254.169.254", "169.254.43518"])
async def test_other_ways_to_write_an_address(tmp_path: Path, host: str) -> None:
    async with engine_of(evolve(ONE_TRY, proxy="http://127.0.0.1:1")) as engine:
        with pytest.raises(UrlRefused, match="link-local"):
            await get(engine, f"http://{host}/body", tmp_path)


async def test_only_the_allowed_one_of_several_addresses_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(serve_body) as server, ExitStack() as stack:
        stack.enter_context(resolving(monkeypatch, ("169.254.169.254", 80), ("127.0.0.1", server.port)))
        async with engine_of(SURE) as engine:
            await get(engine, "http://storage.invalid/body", tmp_path)


def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [("::1", 1), ("::1", 2), ("127.0.0.1", 3), ("127.0.0.1", 4)]
    with resolving(monkeypatch, *addresses):
        assert [address[1] for _, address in _addresses.resolve("a", 1)] == [1, 3, 2, 4]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_the_other_family_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(serve_body) as server, resolving(monkeypatch, ("::1", 1), ("127.0.0.1", server.port)):
        async with engine_of(SURE) as engine:
            await get(engine, "http://storage.invalid/body", tmp_path)


# Everything is ours


@of_each_use
@pytest.mark.parametrize("code", [errno.EHOSTUNREACH, errno.ENETDOWN, errno.EMFILE, errno.EPERM])
async def test_errors_of_the_system_are_errors_of_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Use, code: int
) -> None:
    def fail(*_: object) -> object:
        raise OSError(code, "told by the system")

    monkeypatch.setattr(_addresses, "socket", SimpleNamespace(**{**vars(socket), "socket": fail}))
    async with engine_of(ONE_TRY) as engine:
        with pytest.raises(AignosticsError, match="told by the system"):
            await use(engine, "http://127.0.0.1:1/body", tmp_path)
