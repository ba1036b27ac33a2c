"""What a storage, a network or a disk can do to a download, each on real sockets and real files."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import ssl
import subprocess
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from unittest.mock import ANY

import pytest
from attrs import evolve
from hostile_server import Ask, Hostile, Reply, certificate, engine_of, files_in, hostile, leave_holes, until
from raw_server import Peer, raw_server

from aignostics_async import (
    ChecksumMismatch,
    ConfigurationError,
    DiskFull,
    Retries,
    Timeouts,
    TransferError,
    TransferInterrupted,
    Transfers,
    UrlRefused,
    UsageError,
    checksum_bytes,
)
from aignostics_async._core._secret import SecretText
from aignostics_async.downloads._checksum_cache import ChecksumCache
from aignostics_async.emulator.process import IMPATIENT
from aignostics_async.storage._object_store import file_size
from aignostics_async.transfer._download import fetch_file
from aignostics_async.transfer._ranged_download import FetchedFile
from aignostics_async.transfer._ranges import Span
from aignostics_async.transfer._request import send_request
from aignostics_async.transfer._threads import Lane
from aignostics_async.transfer._upload import put_file
from aignostics_async.transfer.files import _partial_file
from aignostics_async.transfer.files._partial_file import part_path, record_path
from aignostics_async.transfer.files._resume_record import Record
from aignostics_async.transfer.files._target_folder import clear_abandoned

MIB = 1024 * 1024
BODY = array("I", range(3 * MIB)).tobytes()  # 12 MiB, no two places alike
CRC = checksum_bytes(BODY).wire
HASTY = evolve(IMPATIENT, timeouts=Timeouts(connect=2, read=0.3))
SMALL = evolve(IMPATIENT, transfers=Transfers(segment_size=MIB))


@pytest.fixture
def place() -> Iterator[Hostile]:
    with hostile(BODY) as server:
        yield server


async def fetch(
    place: Hostile, target: Path, expected: str | None = CRC, settings: object = IMPATIENT
) -> FetchedFile:
    async with engine_of(settings) as engine:  # type: ignore[arg-type]
        return await fetch_file(engine, place.ask_url, target, name="file", expected=expected)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def first_only(reply: Reply) -> object:
    return lambda ask: reply if ask.number == 0 else None


@pytest.mark.parametrize("then", ["close", "reset", "stall"])
@pytest.mark.parametrize("cut", [0, 1, 5 * MIB + 17, len(BODY) - 1])
async def test_what_broke_off_goes_on_where_it_was(
    place: Hostile, tmp_path: Path, then: Literal["close", "reset", "stall"], cut: int
) -> None:
    broken = evolve(place.whole(Ask(0, "GET", "/", {}, None, None)), cut=cut, then=then)
    place.fault = first_only(broken)  # type: ignore[assignment]
    fetched = await fetch(place, tmp_path / "file", settings=HASTY)
    assert fetched == FetchedFile(len(BODY), CRC, True)
    assert (tmp_path / "file").read_bytes() == BODY
    assert files_in(tmp_path) == ["file"]
    assert len(place.asks) == 2
    if then == "close":
        assert (place.asks[1].first or 0) == cut, "what was there is not fetched again"


async def test_another_connection_takes_half_of_what_is_slow(place: Hostile, tmp_path: Path) -> None:
    place.fault = lambda ask: evolve(place.whole(ask), cut=MIB, then="stall") if ask.number == 0 else None
    async with engine_of(evolve(SMALL, timeouts=Timeouts(read=60))) as engine:
        task = asyncio.create_task(
            fetch_file(engine, place.ask_url, tmp_path / "file", name="file", expected=CRC)
        )
        await until(lambda: len(place.asks) > 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    second = place.asks[1].first
    assert second is not None
    assert len(BODY) // 2 <= second <= (len(BODY) + MIB) // 2


@pytest.mark.parametrize("cut", [MIB + 7, MIB // 4])
async def test_a_bad_network_is_no_dead_one(place: Hostile, tmp_path: Path, cut: int) -> None:
    """Each try brings some and breaks: many more than the tries of a dead network, and the file is whole."""
    place.fault = lambda ask: evolve(place.whole(ask), cut=cut)
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert len(place.asks) > IMPATIENT.retries.attempts


@pytest.mark.parametrize("etag", ['"first"', None])
async def test_a_storage_that_sends_less_than_was_asked_for(
    place: Hostile, tmp_path: Path, etag: str | None
) -> None:
    """As caches do that keep slices of a file; with neither ETag nor promise they are not one file."""
    place.etag = etag

    def slices(ask: Ask) -> Reply | None:
        if ask.first is None:
            return evolve(place.whole(ask), cut=MIB // 4)
        return place.whole(evolve(ask, last=min(ask.first + MIB // 4, len(BODY)) - 1))

    place.fault = slices
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_redirect_is_followed_as_browsers_do(place: Hostile, tmp_path: Path) -> None:
    def moved(ask: Ask) -> Reply | None:
        return None if "new%20place" in ask.target else Reply(302, headers={"Location": "/new place?a=1#top"})

    place.fault = moved
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert place.asks[-1].target == "/new%20place?a=1"


async def test_a_dead_network_ends(place: Hostile, tmp_path: Path) -> None:
    place.fault = lambda ask: evolve(place.whole(ask), cut=3, then="reset")
    with pytest.raises(TransferInterrupted):
        await fetch(place, tmp_path / "file")
    assert files_in(tmp_path) == []
    assert len(place.asks) == IMPATIENT.retries.attempts


async def test_a_slow_drip_holds_up_nobody_and_can_be_cut(place: Hostile, tmp_path: Path) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def drip(ask: Ask) -> Reply | None:
        if "slow" not in ask.target:
            return None
        loop.call_soon_threadsafe(begun.set)
        return evolve(place.whole(ask), drip=0.005)

    async def slow_url() -> str:
        return f"{place.origin}/slow"

    place.fault = drip
    async with engine_of() as engine:
        slow = asyncio.create_task(fetch_file(engine, slow_url, tmp_path / "slow", name="slow", expected=CRC))
        await begun.wait()
        for number in range(20):
            await fetch_file(engine, place.ask_url, tmp_path / str(number), name="fast", expected=CRC)
        assert not slow.done()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
    assert files_in(tmp_path) == sorted(str(number) for number in range(20))


async def test_a_cancelled_download_frees_thread_socket_and_file(place: Hostile, tmp_path: Path) -> None:
    """The storage is silent for ever; only taking the connection away reaches the thread."""
    asked = threading.Event()

    def stall(ask: Ask) -> Reply:
        asked.set()
        return evolve(place.whole(ask), cut=MIB, then="stall")

    place.fault = stall
    before = open_files()
    async with engine_of() as engine:
        task = asyncio.create_task(
            fetch_file(engine, place.ask_url, tmp_path / "file", name="file", expected=CRC)
        )
        await until(lambda: asked.is_set() and part_path(tmp_path / "file").stat().st_size >= MIB // 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine._tokens == set()
        assert await asyncio.to_thread(place.hung_up.wait, 10)
        assert engine._threads._calls == set()
    assert files_in(tmp_path) == []
    await until(lambda: open_files() <= before)


async def test_wrong_lengths(place: Hostile, tmp_path: Path) -> None:
    # Less than announced is a broken connection; more is cut at the announced length, and then not the file.
    place.fault = lambda ask: Reply(200, BODY, {"Content-Length": str(len(BODY) + 5)}, cut=len(BODY))
    with pytest.raises(TransferInterrupted, match="broke off"):
        await fetch(place, tmp_path / "file", settings=evolve(HASTY, retries=Retries(attempts=1)))
    place.fault = lambda ask: Reply(200, BODY, {"Content-Length": str(len(BODY) - 5)})
    with pytest.raises(ChecksumMismatch):
        await fetch(place, tmp_path / "file")
    assert part_path(tmp_path / "file").exists() is False


async def test_the_whole_for_a_range(place: Hostile, tmp_path: Path) -> None:
    def no_ranges(ask: Ask) -> Reply:
        return Reply(200, BODY, {"ETag": place.etag}, cut=7 * MIB if ask.number == 0 else None)

    place.fault = no_ranges
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert [ask.first for ask in place.asks] == [None, 7 * MIB]


async def test_the_whole_for_one_range_of_several(place: Hostile, tmp_path: Path) -> None:
    """A storage that serves ranges to some requests only; the answers to the others are not mixed in."""
    place.fault = lambda ask: Reply(200, BODY, {"ETag": place.etag}) if ask.first else None
    leave_holes(tmp_path / "file", place, holes=3)
    await fetch(place, tmp_path / "file", settings=SMALL)
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("expected", [CRC, None])
async def test_a_range_that_begins_elsewhere(place: Hostile, tmp_path: Path, expected: str | None) -> None:
    """The storage says honestly that it gives other bytes than were asked for; they are not put in."""

    def shifted(ask: Ask) -> Reply:
        if ask.first is None:
            return evolve(place.whole(ask), cut=6 * MIB if ask.number == 0 else None)
        return place.whole(evolve(ask, first=ask.first - 100))

    place.fault = shifted
    await fetch(place, tmp_path / "file", expected=expected)
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("etag", ['"second"', None, 'W/"first"'])
async def test_another_etag_is_another_file(place: Hostile, tmp_path: Path, etag: str | None) -> None:
    """The object was replaced in the middle; a part of each is no file, with or without a promise."""
    other = bytes(reversed(BODY))

    def replace(ask: Ask) -> Reply:
        if ask.number == 0:
            return evolve(place.whole(ask), cut=6 * MIB)
        reply = place.whole(ask, other)
        return evolve(reply, headers={**reply.headers, "ETag": etag})

    place.fault = replace
    fetched = await fetch(place, tmp_path / "file", expected=None)
    assert (tmp_path / "file").read_bytes() == other
    assert fetched == FetchedFile(len(BODY), checksum_bytes(other).wire, False)


async def test_an_etag_that_each_backend_makes_up_does_not_matter_where_a_checksum_is_promised(
    place: Hostile, tmp_path: Path
) -> None:
    def balance(ask: Ask) -> Reply:
        reply = place.whole(ask)
        return evolve(reply, headers={**reply.headers, "ETag": f'"{ask.number}"'}, cut=5 * MIB)

    place.fault = balance
    fetched = await fetch(place, tmp_path / "file")
    assert fetched.verified
    assert [ask.first for ask in place.asks] == [None, 5 * MIB, 10 * MIB]


async def test_a_promised_file_that_was_replaced_is_not_mixed(place: Hostile, tmp_path: Path) -> None:
    """The length is the same and the ETag does not count, so the checksum tells; the second try is whole."""
    other = bytes(reversed(BODY))

    def replace(ask: Ask) -> Reply | None:
        if ask.number == 0:
            return evolve(place.whole(ask, other), cut=6 * MIB)
        return None

    place.fault = replace
    assert (await fetch(place, tmp_path / "file")).verified
    assert (tmp_path / "file").read_bytes() == BODY
    assert [ask.first for ask in place.asks] == [None, 6 * MIB, None]


async def test_a_file_that_is_replaced_again_and_again(place: Hostile, tmp_path: Path) -> None:
    def replace(ask: Ask) -> Reply:
        reply = place.whole(ask)
        return evolve(reply, headers={**reply.headers, "ETag": f'"{ask.number}"'}, cut=9 * MIB - ask.number)

    place.fault = replace
    with pytest.raises(TransferInterrupted, match="being replaced"):
        await fetch(place, tmp_path / "file", expected=None)
    assert files_in(tmp_path) == []


async def test_a_file_that_became_shorter(place: Hostile, tmp_path: Path) -> None:
    short = BODY[: 2 * MIB]

    def shrink(ask: Ask) -> Reply:
        return evolve(place.whole(ask), cut=6 * MIB) if ask.number == 0 else place.whole(ask, short)

    place.fault = shrink
    await fetch(place, tmp_path / "file", expected=None)
    assert (tmp_path / "file").read_bytes() == short


@pytest.mark.parametrize("status", [400, 401, 403, 410])
async def test_a_url_that_expires_in_the_middle_is_replaced(
    place: Hostile, tmp_path: Path, status: int
) -> None:
    """More often than the retries allow: every fresh URL brings the file on."""
    given: list[str] = []

    async def fresh() -> str:
        given.append(f"{place.origin}/{len(given)}")
        return given[-1]

    def expire(ask: Ask) -> Reply:
        # Each URL opens one connection, which breaks after 2 MiB.
        used = sum(each.target == ask.target for each in place.asks)
        return evolve(place.whole(ask), cut=2 * MIB) if used == 1 else Reply(status, b"expired")

    place.fault = expire
    async with engine_of() as engine:
        fetched = await fetch_file(engine, fresh, tmp_path / "file", name="file", expected=CRC)
    assert fetched.verified
    assert (tmp_path / "file").read_bytes() == BODY
    assert len(given) == 6


async def test_a_url_that_stays_refused_is_asked_for_once_more(place: Hostile, tmp_path: Path) -> None:
    given: list[str] = []

    async def fresh() -> str:
        given.append(place.url)
        return place.url

    place.fault = lambda _ask: Reply(403, b"<Code>ExpiredToken</Code> signature=PLANTED")
    async with engine_of() as engine:
        with pytest.raises(UrlRefused) as caught:
            await fetch_file(engine, fresh, tmp_path / "file", name="file", expected=CRC)
    assert len(given) == 2
    assert "PLANTED" not in str(caught.value)
    assert files_in(tmp_path) == []


async def test_retry_after_is_honoured(place: Hostile, tmp_path: Path) -> None:
    """A wait longer than the settings allow ends the download; a shorter one is waited for."""
    slow_down = Reply(429, b"<Code>SlowDown</Code>", {"Retry-After": "0"})
    place.fault = lambda ask: slow_down if ask.number < 2 else None
    async with engine_of() as engine:
        before = engine._connection_calls.limit
        await fetch_file(engine, place.ask_url, tmp_path / "file", name="file", expected=CRC)
        assert engine._connection_calls.limit == before // 2, "two at once count once"
    place.fault = lambda _ask: evolve(slow_down, headers={"Retry-After": "1000"})
    with pytest.raises(TransferInterrupted, match="answered 429"):
        await fetch(place, tmp_path / "other")
    assert len(place.asks) == 4


@pytest.mark.long
async def test_a_storm_of_503(place: Hostile, tmp_path: Path) -> None:
    """Of each file's first two tries none succeeds; all files come, over fewer connections."""
    tries: dict[str, int] = {}

    def storm(ask: Ask) -> Reply | None:
        tries[ask.target] = tries.get(ask.target, 0) + 1
        return Reply(503, b"SlowDown") if tries[ask.target] < 3 else None

    place.fault = storm

    async def bring(number: int) -> None:
        async def url() -> str:
            return f"{place.origin}/{number}"

        await fetch_file(engine, url, tmp_path / str(number), name="file", expected=CRC)

    async with engine_of() as engine, asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(bring(number))
    assert len(files_in(tmp_path)) == 30
    assert set(tries.values()) == {3}


async def test_three_redirects_are_followed_and_no_more(place: Hostile, tmp_path: Path) -> None:
    hops = 3

    def redirect(ask: Ask) -> Reply | None:
        hop = int(ask.target.rpartition("hop=")[2] or 0) if "hop=" in ask.target else 0
        return (
            Reply(307, headers={"Location": f"/body?signature=PLANTED&hop={hop + 1}"}) if hop < hops else None
        )

    place.fault = redirect
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    hops = 4
    with pytest.raises(UrlRefused, match="more than 3 times") as caught:
        await fetch(place, tmp_path / "other")
    assert "PLANTED" not in str(caught.value)


SIGNED = "auth=PLANTED%2Fa%2Bb&key=PLANTED/c+d"


@pytest.mark.parametrize("is_redirected", [False, True], ids=["direct", "redirected"])
@pytest.mark.parametrize(
    "said", ["PLANTED%2Fa%2Bb", "planted%2fa%2bb", "PLANTED/a+b", "PLANTED/c+d", "PLANTED/c d", SIGNED]
)
async def test_a_refusal_that_repeats_a_signature_does_not_show_it(*, said: str, is_redirected: bool) -> None:
    def serve(peer: Peer) -> None:
        head = peer.read_request()
        if is_redirected and "signature" not in head:
            peer.answer(status=307, headers=f"Location: {server.url}\r\n")
        else:
            peer.answer(f"it is not {said} that fits".encode(), status=403)

    with raw_server(serve) as server:
        async with engine_of() as engine:
            with pytest.raises(UrlRefused, match=r"it is not \S+ that fits") as caught:
                await send_request(engine, "GET", f"http://127.0.0.1:{server.port}/a?{SIGNED}", name="key")
    assert "planted" not in str(caught.value).lower()


async def test_a_redirect_to_another_origin_gets_no_headers_of_the_first() -> None:
    heads: list[str] = []

    def serve(peer: Peer) -> None:
        heads.append(peer.read_head())
        peer.answer()

    def redirect(peer: Peer) -> None:
        peer.read_head()
        peer.answer(status=307, headers=f"Location: {other.url}\r\n")

    with raw_server(serve) as other, raw_server(redirect) as first:
        async with engine_of() as engine:
            headers = {"Authorization": "Bearer PLANTED", "X-Key": "PLANTED", "range": "bytes=0-0"}
            await send_request(engine, "GET", first.url, name="key", headers=headers)
    assert "range: bytes=0-0" in heads[0]
    assert "PLANTED" not in heads[0].partition("\n")[2]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/token?PLANTED",
        "http://[fe80::1]/PLANTED?PLANTED",
        "http://[::ffff:169.254.1.1]/?PLANTED",
    ],
)
async def test_no_redirect_to_a_link_local_address(place: Hostile, tmp_path: Path, location: str) -> None:
    place.fault = lambda _ask: Reply(302, headers={"Location": location})
    with pytest.raises(UrlRefused, match="link-local") as caught:
        await fetch(place, tmp_path / "file")
    assert "?PLANTED" not in str(caught.value)


@pytest.mark.parametrize("location", ["http://[::1/?PLANTED", "//[PLANTED", "http://host:port/?PLANTED"])
async def test_a_redirect_to_what_is_no_url(place: Hostile, tmp_path: Path, location: str) -> None:
    place.fault = lambda _ask: Reply(302, headers={"Location": location})
    with pytest.raises(UrlRefused, match="not one that a storage signs") as caught:
        await fetch(place, tmp_path / "file")
    assert "PLANTED" not in str(caught.value)


async def test_tls_is_checked_and_not_left(place: Hostile, tmp_path: Path) -> None:
    """An unknown certificate ends it; with the CA it works; a redirect to http is not followed."""
    pem = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    trusting = evolve(IMPATIENT, ssl_context=ssl.create_default_context(cafile=pem))
    folder = tmp_path / "files"
    folder.mkdir()
    with hostile(BODY, context=server) as safe:
        with pytest.raises(TransferInterrupted, match="CERTIFICATE_VERIFY_FAILED"):
            await fetch(safe, folder / "file")
        assert safe.asks == []
        await fetch(safe, folder / "file", settings=trusting)
        assert (folder / "file").read_bytes() == BODY
        safe.fault = lambda _ask: Reply(302, headers={"Location": place.url})
        with pytest.raises(UrlRefused, match="from https to http"):
            await fetch(safe, folder / "other", settings=trusting)
    assert place.asks == []
    assert files_in(folder) == ["file"]


@pytest.mark.parametrize("how", ["settings", "environment"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_is_asked_for_what_is_elsewhere(
    place: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, how: str
) -> None:
    """The host has no address: only the proxy can reach it, and only it sees the password."""
    pem = certificate(tmp_path)
    place.behind = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    place.behind.load_cert_chain(pem)
    proxy = place.origin.replace("//", "//user:p%40ss@")
    settings = evolve(IMPATIENT, ssl_context=ssl.create_default_context(cafile=pem))
    if how == "settings":
        settings = evolve(settings, proxy=proxy)
    else:
        monkeypatch.setenv(f"{scheme}_proxy", proxy)

    async def url() -> str:
        return f"{scheme}://storage.invalid/body?signature=PLANTED"

    folder = tmp_path / "files"
    folder.mkdir()
    async with engine_of(settings) as engine:
        await fetch_file(engine, url, folder / "file", name="file", expected=CRC)
        await fetch_file(engine, place.ask_url, folder / "direct", name="file", expected=CRC)
    assert (folder / "file").read_bytes() == BODY
    asked, straight = place.asks
    assert straight.target.startswith("/body"), "what is on this machine is asked directly"
    assert asked.headers["host"] == "storage.invalid"
    credentials = "Basic dXNlcjpwQHNz"
    if scheme == "http":
        assert asked.target == "http://storage.invalid/body?signature=PLANTED"
        assert asked.headers["proxy-authorization"] == credentials
    else:
        assert asked.target.startswith("/body?")
        assert "proxy-authorization" not in asked.headers
        assert [target for target, _ in place.tunnels] == ["storage.invalid:443"]
        assert place.tunnels[0][1]["proxy-authorization"] == credentials


async def test_a_proxy_that_refuses(place: Hostile, tmp_path: Path) -> None:
    async def url() -> str:
        return "https://storage.invalid/body?signature=PLANTED"

    async with engine_of(evolve(IMPATIENT, proxy=place.origin)) as engine:
        with pytest.raises(TransferInterrupted, match="the proxy answered 407"):
            await fetch_file(engine, url, tmp_path / "file", name="file", expected=CRC)
    with pytest.raises(ConfigurationError, match="proxies of the form"):
        async with engine_of(evolve(IMPATIENT, proxy="https://127.0.0.1:1")):
            pass


# The disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 8 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_a_disk_without_room_is_told_before_anything_is_written(
    place: Hostile, small_disk: Path
) -> None:
    with pytest.raises(DiskFull, match="are free; make room"):
        await fetch(place, small_disk / "file")
    assert files_in(small_disk) == []
    assert len(place.asks) == 1


async def test_a_file_may_take_the_last_byte(
    place: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=len(BODY)))
    await fetch(place, tmp_path / "file")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=len(BODY) - 1))
    with pytest.raises(DiskFull):
        await fetch(place, tmp_path / "another")
    assert files_in(tmp_path) == ["file"]


async def test_files_under_way_count_for_the_room(small_disk: Path) -> None:
    """Each of two files fits, both together do not: one comes whole, the other one is told."""
    body = BODY[: 5 * MIB]
    with hostile(body) as place:
        place.fault = lambda ask: evolve(place.whole(ask), cut=MIB, then="stall") if ask.number == 0 else None
        expected = checksum_bytes(body).wire
        async with engine_of() as engine:
            first = asyncio.create_task(
                fetch_file(engine, place.ask_url, small_disk / "a", name="a", expected=expected)
            )
            await until(lambda: any(part.done for part in engine.parts))
            with pytest.raises(DiskFull, match="are free"):
                await fetch_file(engine, place.ask_url, small_disk / "b", name="b", expected=expected)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            await fetch_file(engine, place.ask_url, small_disk / "b", name="b", expected=expected)
    assert files_in(small_disk) == ["b"]


async def test_a_disk_that_fills_up_leaves_nothing(place: Hostile, small_disk: Path) -> None:
    """The storage does not say how long the file is, so the disk fills up while it comes."""
    place.fault = lambda _ask: Reply(200, BODY, {"Content-Length": None, "Connection": "close"})
    with pytest.raises(DiskFull, match="no space is left"):
        await fetch(place, small_disk / "file")
    assert files_in(small_disk) == []
    assert len(place.asks) == 1, "a full disk is not filled again"


async def test_a_folder_that_is_read_only(place: Hostile, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(TransferError, match="can't be written"):
        await fetch(place, small_disk / "file")
    assert place.asks == []


# Taking up what an earlier download left


async def test_only_what_is_missing_is_fetched(place: Hostile, tmp_path: Path) -> None:
    leave_holes(tmp_path / "file", place, holes=4)
    await fetch(place, tmp_path / "file", settings=SMALL)
    assert (tmp_path / "file").read_bytes() == BODY
    assert place.served() == len(BODY) // 2
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "changes",
    [{"promise": "AAAAAA=="}, {"version": 2}, {"total": 5}, {"spans": []}, {"promise": None, "etag": None}],
    ids="+".join,
)
async def test_a_record_of_another_file_is_not_used(
    place: Hostile, tmp_path: Path, changes: dict[str, object]
) -> None:
    leave_holes(tmp_path / "file", place, holes=2, **changes)
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert [ask.first for ask in place.asks] == [None]


async def test_a_file_without_a_promise_is_resumed_by_its_etag(place: Hostile, tmp_path: Path) -> None:
    leave_holes(tmp_path / "same", place, holes=1, promise=None)
    await fetch(place, tmp_path / "same", expected=None)
    assert place.served() == len(BODY) // 2
    leave_holes(tmp_path / "other", place, holes=1, promise=None, etag='"another"')
    await fetch(place, tmp_path / "other", expected=None)
    for name in ("same", "other"):
        assert (tmp_path / name).read_bytes() == BODY


async def test_what_failed_late_is_kept_and_what_failed_early_is_not(place: Hostile, tmp_path: Path) -> None:
    for cut, kept in ((9 * MIB, True), (MIB, False)):
        place.asks.clear()
        place.fault = lambda ask, cut=cut: (  # type: ignore[misc]
            evolve(place.whole(ask), cut=cut) if ask.number == 0 else Reply(500)
        )
        with pytest.raises(TransferInterrupted, match="answered 500"):
            await fetch(place, tmp_path / "file")
        assert part_path(tmp_path / "file").exists() is kept
        part_path(tmp_path / "file").unlink(missing_ok=True)
        record_path(tmp_path / "file").unlink(missing_ok=True)
    assert files_in(tmp_path) == []


async def test_two_downloads_of_one_file_don_t_mix(place: Hostile, tmp_path: Path) -> None:
    place.fault = lambda ask: evolve(place.whole(ask), cut=MIB, then="stall") if ask.number == 0 else None
    async with engine_of() as engine:
        first = asyncio.create_task(
            fetch_file(engine, place.ask_url, tmp_path / "file", name="file", expected=CRC)
        )
        await until(lambda: bool(place.asks))
        with pytest.raises(TransferError, match="another download of it is under way"):
            await fetch(place, tmp_path / "file")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_download_under_way_ends_with_its_client(place: Hostile, tmp_path: Path) -> None:
    place.fault = lambda ask: evolve(place.whole(ask), cut=MIB, then="stall")
    async with engine_of() as engine:
        task = asyncio.create_task(
            fetch_file(engine, place.ask_url, tmp_path / "file", name="file", expected=CRC)
        )
        await until(lambda: bool(place.asks))
    with pytest.raises(UsageError, match="closed"):
        await asyncio.wait_for(task, 30)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("there", ["nothing", "bytes", "the file"])
async def test_a_small_file_takes_one_call_unless_bytes_have_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    content = b"small"
    digest = checksum_bytes(content)
    target = tmp_path / "file"
    if there != "nothing":
        (target if there == "the file" else part_path(target)).write_bytes(content)
    with hostile(content) as place:
        async with engine_of() as engine:
            lanes: list[Lane | None] = []
            start = engine._threads.start

            def counted(*args: Any, lane: Lane | None = None) -> Any:
                lanes.append(lane)
                return start(*args, lane=lane)

            monkeypatch.setattr(engine._threads, "start", counted)
            fetched = await fetch_file(
                engine,
                place.ask_url,
                target,
                name="file",
                expected=digest.wire,
                listed=SecretText(place.url),
                find=lambda: digest,
            )
    assert fetched == FetchedFile(len(content), digest.wire, verified=True, is_new=there != "the file")
    expected = {
        "nothing": [engine._connection_calls],
        "bytes": [engine._connection_calls, engine._file_calls, engine._connection_calls],
        "the file": [engine._connection_calls, engine._file_calls],
    }
    assert lanes == expected[there]
    assert files_in(tmp_path) == ["file"]


# What else is in the folder


@pytest.mark.parametrize("what", ["folder", "loop"])
def test_what_can_t_be_cleared_stops_no_download(tmp_path: Path, what: str) -> None:
    entry = record_path(tmp_path / "other")
    if what == "folder":
        entry.mkdir()
    else:
        entry.symlink_to(entry)
    part_path(tmp_path / "z").write_bytes(b"old")
    record_path(tmp_path / "z").write_bytes(Record(None, 3, '"1"', (Span(0, 3),)).to_bytes())
    for each in tmp_path.iterdir():
        os.utime(each, (0, 0), follow_symlinks=False)
    clear_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [entry]


def test_a_file_of_the_user_s_is_not_cleared(tmp_path: Path) -> None:
    for name in (".notes.part", ".notes.part.json", ".other.part", ".other.part.json.new"):
        (tmp_path / name).write_bytes(b"mine")
        os.utime(tmp_path / name, (0, 0))
    clear_abandoned(tmp_path)
    assert len(files_in(tmp_path)) == 4


async def test_a_record_that_was_half_written_goes_with_its_file(place: Hostile, tmp_path: Path) -> None:
    """A process was killed, or the disk full, while it wrote the record."""
    half = record_path(tmp_path / "file").with_suffix(".json.new")
    half.write_bytes(b"{")
    await fetch(place, tmp_path / "file")
    assert files_in(tmp_path) == ["file"]
    half.write_bytes(b"{")
    place.fault = lambda _ask: Reply(403)
    with pytest.raises(UrlRefused):
        await fetch(place, tmp_path / "file")
    assert files_in(tmp_path) == ["file"]


async def test_a_pipe_is_no_file(place: Hostile, tmp_path: Path) -> None:
    """Opening one waits for a writer, for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert ChecksumCache().checksum(pipe) is None
    async with engine_of() as engine:
        for send in (put_file(engine, place.url, pipe, name="pipe"), file_size(pipe)):
            with pytest.raises(TransferError, match="no regular file"):
                await send


# What is planted in the target folder


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("name", [".file.part", ".file.part.json", ".file.part.json.new"])
async def test_no_link_leads_a_download_to_another_file(
    place: Hostile, tmp_path: Path, name: str, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_partial_file, "_SAVE_INTERVAL", 0.0)  # a record for each piece
    (tmp_path / "of the user").write_bytes(b"mine")
    getattr(tmp_path / name, link)(tmp_path / "of the user")
    if (name, link) == (".file.part", "symlink_to"):
        with pytest.raises(TransferError, match="symbolic links"):
            await fetch(place, tmp_path / "file")
    else:
        await fetch(place, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
    assert (tmp_path / "of the user").read_bytes() == b"mine"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "link"])
async def test_what_stands_for_a_record_is_not_waited_for(
    place: Hostile, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Nobody writes to the pipe, and the device has no end."""
    part_path(tmp_path / "file").write_bytes(b"of an earlier download")
    make(record_path(tmp_path / "file"))
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
async def test_only_files_are_replaced(place: Hostile, tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Root could replace a device, too."""
    make(tmp_path / "file")
    with pytest.raises(TransferError, match="is in its place; move that away"):
        await fetch(place, tmp_path / "file")
    assert place.asks == []
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize("status", [201, 202, 204, 205])
async def test_a_success_without_a_file(place: Hostile, tmp_path: Path, status: int) -> None:
    place.fault = lambda _ask: Reply(status)
    with pytest.raises(UrlRefused, match="without a file"):
        await fetch(place, tmp_path / "file", expected=None)
    assert files_in(tmp_path) == []


# File systems without locks


@pytest.fixture(
    params=[errno.ENOSYS, errno.ENOLCK, errno.EINVAL, 0], ids=["ENOSYS", "ENOLCK", "EINVAL", "all"]
)
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lock fail as on Lustre and on NFS without a lock daemon, or exclude nobody."""

    def flock(_descriptor: int, _operation: int) -> None:
        if request.param:
            raise OSError(request.param, "told by the file system")

    monkeypatch.setattr("fcntl.flock", flock)
    _partial_file._warn_of_missing_locks.cache_clear()


@pytest.mark.usefixtures("without_locks")
async def test_downloads_go_on_without_locks(
    place: Hostile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once; what an earlier download left is resumed, and what fails late is kept."""
    for name in ("a", "b"):
        leave_holes(tmp_path / name, place, holes=4)
        await fetch(place, tmp_path / name, settings=SMALL)
        assert (tmp_path / name).read_bytes() == BODY
    assert place.served() == len(BODY)
    place.fault = lambda ask: (
        evolve(place.whole(ask), cut=9 * MIB) if ask.first is None else Reply(500, b"in trouble")
    )
    with pytest.raises(TransferInterrupted, match="in trouble"):
        await fetch(place, tmp_path / "c")
    assert files_in(tmp_path) == [".c.part", ".c.part.json", "a", "b"]
    place.asks.clear()
    place.fault = lambda _ask: None
    await fetch(place, tmp_path / "c")
    assert [ask.first for ask in place.asks] == [9 * MIB]
    assert files_in(tmp_path) == ["a", "b", "c"]
    assert [record.message for record in caplog.records if "no file locks" in record.message] == [ANY]


@pytest.mark.usefixtures("without_locks")
async def test_downloads_of_one_file_without_locks_don_t_mix(place: Hostile, tmp_path: Path) -> None:
    async with engine_of() as engine:
        await asyncio.gather(
            *(fetch_file(engine, place.ask_url, tmp_path / "file", name="a", expected=CRC) for _ in range(5))
        )
    assert (tmp_path / "file").read_bytes() == BODY
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "statvfs"])
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
async def test_downloads_go_on_without_a_call_that_nothing_depends_on(
    place: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(number, "told by the file system")

    monkeypatch.setattr(os, call, refuse)
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize(("blocks", "free"), [(0, 0), (-1, -1)])
async def test_a_file_system_of_unknown_size_is_not_full(
    place: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, free: int
) -> None:
    """As sshfs and other file systems of users and of networks say."""
    told = SimpleNamespace(f_blocks=blocks, f_bavail=free, f_bfree=free, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _path: told)
    await fetch(place, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_file_system_with_other_inodes_at_each_look_ends(
    place: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_partial_file, "_is_at", lambda _descriptor, _path: False)
    with pytest.raises(TransferInterrupted, match="choose another folder"):
        await fetch(place, tmp_path / "file")


async def test_a_partial_file_that_was_taken_away_is_no_file(place: Hostile, tmp_path: Path) -> None:
    """Another host, where the file system has no locks, claims it; what it became is not used."""
    taken = tmp_path / "taken"

    def take(ask: Ask) -> None:
        if ask.number == 0:
            part_path(tmp_path / "file").rename(taken)
            part_path(tmp_path / "file").write_bytes(b"of another process")

    place.fault = take
    with pytest.raises(TransferError, match="taken its partial file away"):
        await fetch(place, tmp_path / "file")
    assert not (tmp_path / "file").exists()
