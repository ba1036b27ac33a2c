"""A password in an address is refused, or sent only where it belongs; no traceback shows it."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from raw_server import Peer, raw_server
from shown_variables import shown

from aignostics_async import (
    GCS,
    S3,
    AignosticsError,
    Azure,
    Client,
    ConfigurationError,
    IdentityProvider,
    Item,
    Presigned,
    RefreshToken,
    Retries,
    Settings,
    Timeouts,
    check_contract,
)
from aignostics_async.bulk import JobPlan
from aignostics_async.emulator.process import IMPATIENT

ROOT = "https://platform.example.com"
TOKEN_URL = "https://login.example.com/oauth/token"
VERSION = "he-tme:v1.0.0"
ADDRESSES = (
    "https://user:PLANTED@host.example.com",
    "https://:PLANTED@host.example.com:8443/path",
    "https://PLANTED@host.example.com",
    "HTTPS://user:PLANTED@[::1]:99999",
    "https://user:PLAN/PLANTED@host.example.com",
    "https://user:#PLANTED@host.example.com",
    "https://user:PLANTED@host.example.com:port",
    "https://user:PLANTED @host.example.com",
    "https://user:PLANTED@",
    "user:PLANTED@host.example.com",
    "//user:PLANTED@host.example.com",
    "user:PLANTED://word@host.example.com",
)


def leaks(error: BaseException) -> list[str]:
    return sorted({place for place, text in shown(error) if "PLANTED" in text})


Build = Callable[[str], object]


def builders() -> Iterator[tuple[str, Build]]:
    """Give what takes an address, by name."""

    def field(name: str) -> Build:
        fields = {"token_url": TOKEN_URL, "client_id": "client"}
        return lambda address: IdentityProvider(**{**fields, name: address})

    def store(make: Callable[[str], Any]) -> Build:
        return lambda address: Client(ROOT, "token").store(make(address))

    yield "client", lambda address: Client(address, "token")
    for name in ("token_url", "authorize_url", "device_url", "revoke_url", "redirect_url"):
        yield name, field(name)
    yield "beside", lambda address: IdentityProvider.beside(address, client_id="client")
    yield "preset", lambda address: IdentityProvider.preset("dev", client_id="client", device_url=address)
    yield "plan", lambda address: JobPlan(api_root=address, application_version=VERSION, store="s3://b")
    yield (
        "store of a plan",
        lambda address: JobPlan(api_root=ROOT, application_version=VERSION, store=address),
    )
    yield "store", store(str)
    yield "bucket", store(lambda address: address.replace("https", "s3"))
    yield "s3", store(lambda address: S3(bucket="b", endpoint=address))
    yield "gcs", store(lambda address: GCS(bucket="b", endpoint=address, hmac=("a", "b")))
    yield "azure", store(lambda address: Azure(container="c", account="a", key="a2V5", endpoint=address))
    yield "endpoint", lambda address: Client(ROOT, "token").store("s3://bucket", endpoint=address)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.sampled(test=24, fast=8)
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("build", [pytest.param(build, id=name) for name, build in builders()])
def test_an_address_with_a_password_is_refused_and_not_shown(build: Build, address: str) -> None:
    with pytest.raises(AignosticsError) as caught:
        build(address)
    assert leaks(caught.value) == []


@pytest.mark.sampled(test=5, fast=2)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_call_with_such_an_address_does_not_show_it(address: str) -> None:
    async with Client(ROOT, "token") as client:
        for call in (
            check_contract(address),
            client.runs.submit(VERSION, [Item("a", slide="a.svs")], store=address),
        ):
            with pytest.raises(ConfigurationError) as caught:
                await call
            assert leaks(caught.value) == []


@pytest.mark.sampled(test=8, fast=4)
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", ["API_ROOT", "TOKEN_URL", "DEVICE_URL", "AUTHORIZE_URL", "REDIRECT_URL"])
def test_a_variable_with_such_an_address_is_named(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"API_ROOT": ROOT, "TOKEN_URL": TOKEN_URL, "CLIENT_ID": "client", name: address}
    for each, value in given.items():
        monkeypatch.setenv(f"AIGNOSTICS_{each}", value)
    with pytest.raises(ConfigurationError, match=f"^AIGNOSTICS_{name}: ") as caught:
        Client.from_env()
    assert leaks(caught.value) == []


@pytest.mark.sampled(test=5, fast=2)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_signed_url_with_a_password_is_refused_and_not_shown(address: str, tmp_path: Path) -> None:
    def sign(_key: str) -> str:
        return address

    (tmp_path / "source").write_bytes(b"bytes")
    async with Client(ROOT, "token", settings=IMPATIENT) as client:
        store = client.store(Presigned(put_url=sign, get_url=sign, head_url=sign))
        for call in (
            store.put("key", tmp_path / "source"),
            store.stat("key"),
            store.presign_get("key", 60),
        ):
            with pytest.raises(AignosticsError) as caught:
                await call
            assert leaks(caught.value) == []


def test_the_repr_of_a_store_shows_no_password() -> None:
    address = "https://user:PLANTED@host.example.com:9000"
    stores = (
        S3(bucket="b", endpoint=address),
        GCS(bucket="b", endpoint=address),
        Azure(container="c", endpoint=address),
    )
    for store in stores:
        assert "endpoint='https://host.example.com:9000'" in repr(store)


# Proxies: their password is sent to them, and shown nowhere.

NAME = "user:PLAN/TED@PLANTED"
PAIR = base64.b64encode(NAME.encode()).decode()


def hang_up(_peer: Peer) -> None:
    pass


def refuse(peer: Peer) -> None:
    peer.answer(f"Basic {PAIR} is wrong, https://user:PLANTED@proxy".encode(), status=407)


def speak_nonsense(peer: Peer) -> None:
    peer.write(b"SSH-2.0-Server\r\n\r\n")


def connect_to_nothing(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    peer.stall()


def say_nothing(peer: Peer) -> None:
    peer.stall()


async def ask_api(client: Client, _folder: Path) -> object:
    return await client.applications.list().to_list()


async def ask_for_token(client: Client, _folder: Path) -> object:
    provider = IdentityProvider(token_url=TOKEN_URL, client_id="client")
    source = RefreshToken("refresh", provider=provider, settings=client.settings)
    return await source.get_token()


async def upload(client: Client, folder: Path, scheme: str = "https") -> object:
    (folder / "source").write_bytes(b"bytes")
    store = client.store(Presigned(put_url=lambda _: f"{scheme}://b.example.com/k", get_url=str))
    return await store.put("key", folder / "source")


async def upload_in_the_open(client: Client, folder: Path) -> object:
    return await upload(client, folder, "http")


CALLS = [ask_api, ask_for_token, upload, upload_in_the_open]
TROUBLES = [hang_up, refuse, speak_nonsense, connect_to_nothing, say_nothing]
Call = Callable[[Client, Path], Awaitable[object]]
Trouble = Callable[[Peer], None]


def settings_for(port: int, seconds: float) -> Settings:
    timeouts = Timeouts(connect=seconds, read=seconds, write=seconds)
    proxy = f"http://{NAME}@127.0.0.1:{port}"
    return evolve(IMPATIENT, proxy=proxy, retries=Retries(attempts=1), timeouts=timeouts)


def check(error: BaseException) -> None:
    told = {place: text for place, text in shown(error) if "PLANTED" in text or PAIR in text}
    assert told == {}


@pytest.mark.sampled(test=10, fast=3)
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("call", CALLS)
async def test_a_proxy_that_fails(call: Call, trouble: Trouble, tmp_path: Path) -> None:
    heads: list[str] = []

    def serve(peer: Peer) -> None:
        heads.append(peer.read_head())
        trouble(peer)

    with raw_server(serve) as server:
        async with Client(ROOT, "token", settings=settings_for(server.port, 0.3)) as client:
            with pytest.raises(AignosticsError) as caught:
                await call(client, tmp_path)
    check(caught.value)
    assert f"proxy-authorization: basic {PAIR}".lower() in heads[0].lower()


@pytest.mark.sampled(test=5, fast=2)
@pytest.mark.parametrize("trouble", [connect_to_nothing, say_nothing])
@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_is_cancelled_behind_a_proxy(call: Call, trouble: Trouble, tmp_path: Path) -> None:
    asked = threading.Event()

    def serve(peer: Peer) -> None:
        is_connecting = peer.read_head().startswith("CONNECT")
        asked.set()
        # In the open the answer of a proxy is the store's, and the call may be over before it is cancelled.
        (trouble if is_connecting else say_nothing)(peer)

    with raw_server(serve) as server:
        async with Client(ROOT, "token", settings=settings_for(server.port, 2)) as client:
            task = asyncio.ensure_future(call(client, tmp_path))
            assert await asyncio.to_thread(asked.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
    check(caught.value)


@pytest.mark.parametrize("given", ["setting", "variable"])
@pytest.mark.parametrize(
    "proxy",
    [
        "socks9://user:PLANTED@127.0.0.1:1",
        "http://user:PLANTED@127.0.0.1:port",
        "http://user:PLANTED@:1",
        "user:PLANTED@127.0.0.1:port",
        "user:PLANTED://word@127.0.0.1:port",
        "127.0.0.1:1:user:PLANTED",
    ],
)
async def test_a_proxy_that_cant_be_used(given: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    settings = Settings(proxy=proxy) if given == "setting" else Settings()
    with pytest.raises(ConfigurationError, match="prox") as caught:
        async with Client(ROOT, "token", settings=settings) as client:
            sign = "https://b.example.com/{}".format
            await client.store(Presigned(put_url=sign, get_url=sign, head_url=sign)).stat("k")
    assert leaks(caught.value) == []
