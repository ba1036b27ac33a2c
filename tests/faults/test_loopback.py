"""The page that a browser brings the code to: whatever else comes there ends nothing and learns nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from attrs import define, evolve, field
from identity import Fault, Identity, identity
from support import has_ipv6

from aignostics_async import (
    ConfigurationError,
    IdentityProvider,
    LoginDenied,
    LoginRequired,
    LoginTimeout,
    MemoryStore,
    StoredLogin,
    TokenEndpointUnavailable,
    TokenKey,
    TokenSet,
    TokenStoreError,
    login_browser,
)
from aignostics_async.auth import _loopback

REFUSED = "404"


@define
class Browser:
    """What a browser does with a login under way, request by request."""

    asked: dict[str, str]
    port: int
    login: asyncio.Task[StoredLogin]
    opened: list[asyncio.StreamWriter] = field(factory=list)

    async def connect(self, raw: bytes = b"", address: str = "127.0.0.1") -> asyncio.StreamReader:
        """Send these bytes on a new connection."""
        reader, writer = await asyncio.open_connection(address, self.port)
        self.opened.append(writer)
        writer.write(raw)
        return reader

    async def send(self, raw: bytes, address: str = "127.0.0.1") -> bytes:
        """Send these bytes and return all that comes back."""
        reader = await self.connect(raw, address)
        try:
            return await reader.read()
        except ConnectionError:  # closed before our bytes were read
            return b""

    async def close(self) -> None:
        """Close what was opened."""
        for writer in self.opened:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def bring(
        self,
        query: dict[str, str] | str,
        *,
        method: str = "GET",
        path: str = "/callback",
        hosts: tuple[str, ...] | None = None,
        address: str = "127.0.0.1",
    ) -> str:
        """Request the page with a query, and return status and page."""
        text = query if isinstance(query, str) else urlencode(query)
        named = (f"localhost:{self.port}",) if hosts is None else hosts
        fields = "".join(f"Host: {host}\r\n" for host in named)
        answer = await self.send(f"{method} {path}?{text} HTTP/1.1\r\n{fields}\r\n".encode(), address)
        head, _, page = answer.decode().partition("\r\n\r\n")
        for wanted in ("Cache-Control: no-store", "Referrer-Policy: no-referrer", "default-src 'none'"):
            assert wanted in head
        return head.split(" ")[1] + " " + page

    def good(self, **changes: str) -> dict[str, str]:
        return {"code": "PLANTED", "state": self.asked["state"], **changes}

    async def finish(self) -> StoredLogin:
        """Bring a good code after all, and return the login."""
        assert not self.login.done()
        assert "Signed in" in await self.bring(self.good())
        return await self.login


@asynccontextmanager
async def signing_in(
    place: Identity,
    *,
    redirect: str = "http://localhost:0/callback",
    timeout: float = 30,  # noqa: ASYNC109 - the login's
    asked: Mapping[str, str] | None = None,
) -> AsyncIterator[Browser]:
    """Give a login under way, its browser not yet back."""
    shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    provider = evolve(place.provider, redirect_url=redirect, **(asked or {}))
    login = asyncio.create_task(
        login_browser(
            provider, show=shown.set_result, open_browser=None, timeout=timeout, store=MemoryStore()
        )
    )
    login.add_done_callback(lambda _: shown.done() or shown.cancel())
    try:
        address = await shown
    except asyncio.CancelledError:
        address = ""
        await login
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    browser = Browser(query, urlsplit(query["redirect_uri"]).port or 0, login)
    try:
        yield browser
    finally:
        login.cancel()
        await asyncio.wait([login])
        await browser.close()


@pytest.fixture
async def place() -> AsyncIterator[Identity]:
    async with identity() as place:
        yield place


async def test_what_the_provider_is_asked_for(place: Identity) -> None:
    more = {"audience": "https://api.example.com", "organization": "org_1", "scope": "offline_access extra"}
    seen = []
    for _ in range(2):
        async with signing_in(place, asked=more) as browser:
            seen.append(browser.asked)
            await browser.finish()
    for asked, form in zip(seen, place.forms, strict=True):
        assert {name: asked[name] for name in more} == more
        assert asked["client_id"] == form["client_id"] == "client"
        assert asked["redirect_uri"] == form["redirect_uri"]
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert len(form["code_verifier"]) >= 43
    for name in ("state", "code_challenge"):
        assert seen[0][name] != seen[1][name], "each login has its own"


async def test_a_code_becomes_a_login(place: Identity) -> None:
    async with signing_in(place) as browser:
        login = await browser.finish()
        assert (await login.get_token()).text == "small-access-1"
        assert browser.asked["code_challenge_method"] == "S256"
        assert browser.asked["scope"] == "offline_access"
    assert place.counted == {"token": 1}


@pytest.mark.parametrize(
    "changes",
    [
        lambda good: {**good, "state": "wrong"},
        lambda good: {**good, "state": ""},
        lambda good: {"code": "PLANTED"},
        lambda good: {"state": good["state"]},
        lambda good: {**good, "code": ""},
        lambda good: {**good, "error": "access_denied"},
        lambda good: urlencode(good) + f"&state={good['state']}",
        lambda good: urlencode(good) + "&code=other",
        lambda good: "",
        lambda good: {**good, "state": good["state"].swapcase()},
    ],
    ids=[
        "wrong state", "empty state", "no state", "no code", "empty code", "code and error", "state twice",
        "code twice", "nothing", "other case",
    ],
)  # fmt: skip
async def test_another_answer_ends_nothing(
    place: Identity, changes: Callable[[dict[str, str]], dict[str, str] | str]
) -> None:
    async with signing_in(place) as browser:
        answer = await browser.bring(changes(browser.good()))
        assert answer.startswith(REFUSED)
        assert "PLANTED" not in answer
        await browser.finish()
    assert place.counted == {"token": 1}


async def test_another_request_ends_nothing(place: Identity) -> None:
    async with signing_in(place) as browser:
        good = browser.good()
        assert (await browser.bring("", path="/favicon.ico")).startswith(REFUSED)
        assert (await browser.bring(good, path="/")).startswith(REFUSED)
        assert (await browser.bring(good, method="POST")).startswith(REFUSED)
        assert (await browser.bring(good, method="HEAD")).startswith(REFUSED)
        for hosts in (
            ("rebound.example.com",),
            (f"rebound.example.com:{browser.port}",),
            (),
            ("localhost:1",),
        ):
            assert (await browser.bring(good, hosts=hosts)).startswith(REFUSED)
        twice = (f"localhost:{browser.port}", "rebound.example.com")
        assert (await browser.bring(good, hosts=twice)).startswith(REFUSED)
        await browser.finish()


async def test_both_addresses_of_localhost_are_listened_on(place: Identity) -> None:
    for address, host in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        if address == "::1" and not has_ipv6():
            pytest.skip("this machine has no IPv6 loopback")
        async with signing_in(place) as browser:
            page = await browser.bring(browser.good(), address=address, hosts=(f"{host}:{browser.port}",))
            assert "Signed in" in page
            await browser.login


def test_a_redirect_url_is_sent_as_it_is_registered() -> None:
    for url in (
        "http://localhost/",
        "http://127.0.0.1:8989/",
        "http://[::1]:8989/back",
        "http://localhost:80/",
    ):
        assert _loopback.Loopback(url, 80, []).redirect_url == url
    assert _loopback.Loopback("http://[::1]:0/a", 4711, []).redirect_url == "http://[::1]:4711/a"
    assert "localhost" in _loopback.Loopback("http://localhost/", 80, [])._hosts, "browsers leave port 80 out"


async def test_an_address_is_listened_on_alone(place: Identity) -> None:
    async with signing_in(place, redirect="http://127.0.0.1:0/callback") as browser:
        assert browser.asked["redirect_uri"] == f"http://127.0.0.1:{browser.port}/callback"
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await browser.send(b"", "::1")
        await browser.finish()


async def test_connections_that_bring_nothing(place: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's early connection, one that drips, one that breaks off, a megabyte of header."""
    monkeypatch.setattr(_loopback, "_REQUEST_SECONDS", 0.3)
    async with signing_in(place) as browser:
        idle = await browser.connect()
        slow = await browser.connect(b"GET /callback HTTP/1.1\r\nHost: ")
        await browser.connect(b"GET")
        browser.opened[-1].transport.abort()
        assert await browser.send(b"x" * 1_000_000) == b""
        assert await browser.send(b"\x00\xff\r\n\r\n") != b""
        assert [await idle.read(), await slow.read()] == [b"", b""], "closed after their time"
        await browser.finish()


async def test_an_idle_connection_does_not_hold_up_the_end(place: Identity) -> None:
    async with signing_in(place) as browser:
        await browser.connect()
        await browser.finish()


async def test_the_second_answer_comes_too_late(place: Identity) -> None:
    held = asyncio.Event()
    place.faults.append(Fault(held=held))
    async with signing_in(place) as browser:
        first = asyncio.create_task(browser.bring(browser.good()))
        await place.asked.wait()
        assert (await browser.bring(browser.good(code="other"))).startswith(REFUSED)
        held.set()
        assert "Signed in" in await first
        await browser.login
    assert place.counted == {"token": 1}


async def test_a_person_who_refuses(place: Identity) -> None:
    async with signing_in(place) as browser:
        said = "<script>alert(1)</script>"
        answer = {"error": "access_denied", "error_description": said, "state": browser.asked["state"]}
        page = await browser.bring(answer)
        assert page.startswith("400")
        assert "Not signed in" in page
        assert "script" not in page, "nothing of a request is shown"
        with pytest.raises(LoginDenied, match="access_denied"):
            await browser.login
    assert not place.counted


async def test_an_answer_of_another_provider(place: Identity) -> None:
    async with signing_in(place) as browser:
        assert "Not signed in" in await browser.bring(browser.good(iss="https://evil.example.com/"))
        with pytest.raises(LoginDenied, match="another identity provider than"):
            await browser.login
    assert not place.counted
    async with signing_in(place) as browser:
        assert "Signed in" in await browser.bring(browser.good(iss=f"{place.origin}/"))
        await browser.login


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(status=403, body={"error": "invalid_grant"}), LoginRequired),
        (Fault(status=503, body=b""), TokenEndpointUnavailable),
        (Fault(cut=0), TokenEndpointUnavailable),
    ],
)
async def test_a_code_that_is_refused_is_told_in_the_browser_too(
    place: Identity, fault: Fault, expected: type[Exception]
) -> None:
    place.faults.append(fault)
    async with signing_in(place) as browser:
        assert "Not signed in" in await browser.bring(browser.good())
        with pytest.raises(expected):
            await browser.login
    assert place.counted["token"] == 1, "a code is sent once"


async def test_nobody_comes(place: Identity) -> None:
    async with signing_in(place, timeout=0.1) as browser:
        with pytest.raises(LoginTimeout, match="start the login again"):
            await browser.login
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await browser.send(b"")


async def test_a_port_that_is_taken(place: Identity) -> None:
    """By another login, or by whoever wants to have the code: neither is joined."""
    async with signing_in(place) as browser:
        with pytest.raises(ConfigurationError, match=f"port {browser.port}.*another login"):
            async with signing_in(place, redirect=f"http://localhost:{browser.port}/callback"):
                pass
        await browser.finish()
    if has_ipv6():
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigurationError, match="can't listen on ::1"):
                async with signing_in(place, redirect=f"http://localhost:{port}/"):
                    pass
            # What was opened before is closed.
            socket.create_server(("127.0.0.1", port)).close()


async def test_a_browser_that_does_not_open(place: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = evolve(place.provider, redirect_url="http://127.0.0.1:0/")
    shown: list[str] = []
    tried: list[str] = []

    def fail(address: str) -> None:
        tried.append(address)
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "open", fail)
    with pytest.raises(LoginTimeout):
        await login_browser(provider, show=shown.append, timeout=0.2, store=MemoryStore())
    assert shown == tried
    assert shown[0].startswith(f"{place.origin}/authorize?")


async def test_a_store_that_cant_keep_a_login_is_found_before_it(place: Identity) -> None:
    class Broken(MemoryStore):
        async def check(self) -> None:
            raise TokenStoreError("no")

        async def save(self, key: TokenKey, tokens: TokenSet) -> None:
            raise AssertionError("nothing was to be saved")

    with pytest.raises(TokenStoreError):
        await login_browser(place.provider, show=_never, open_browser=None, store=Broken())


def _never(_address: str) -> None:
    raise AssertionError("nobody was to be asked")


async def test_a_provider_without_a_page() -> None:
    provider = IdentityProvider(token_url="https://idp.example.com/token", client_id="c")
    with pytest.raises(ConfigurationError, match="no authorize URL"):
        await login_browser(provider, show=_never, store=MemoryStore())
