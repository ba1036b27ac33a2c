"""Signing in at a certified identity provider, and staying signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from browser import open_browser
from identity import Clock
from joserfc import jwt
from joserfc.jwk import KeySet
from real_provider import AUDIENCE, FormBrowser, RealProvider, real_provider

from aignostics_async import (
    ClientCredentials,
    DeviceCode,
    FileStore,
    LoginDenied,
    LoginRequired,
    MemoryStore,
    RefreshToken,
    StoredLogin,
    Token,
    TokenStore,
    login_browser,
    login_device,
    logout,
)
from aignostics_async._core._secret import Secret
from aignostics_async.auth import _login_device
from aignostics_async.auth._endpoint import read_claims

REFRESH, CODE, DEVICE = "refresh_token", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"
REFUSED = (REFRESH, "invalid_grant")

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def running_provider() -> Iterator[RealProvider]:
    with real_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: RealProvider) -> RealProvider:
    return running_provider


async def sign_in(provider: RealProvider, store: TokenStore | None = None) -> StoredLogin:
    """Sign in with forms that are sent without a browser."""
    return await login_browser(
        provider.client(),
        show=lambda _: None,
        open_browser=FormBrowser().open,
        store=store or MemoryStore(),
        timeout=60,
    )


async def refresh_token_of(provider: RealProvider, store: TokenStore) -> str:
    tokens = await store.load(provider.client().key)
    assert tokens is not None
    assert tokens.refresh is not None
    return tokens.refresh.reveal()


def checked(provider: RealProvider, token: Token) -> dict[str, object]:
    """Return the claims of a token, after the check that an API makes of it."""
    keys = KeySet.import_key_set(requests.get(f"{provider.origin}/.well-known/jwks.json", timeout=30).json())
    decoded = jwt.decode(token.text, keys, algorithms=["RS256"])
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": provider.origin}, aud={"essential": True, "value": AUDIENCE}
    )
    registry.validate(decoded.claims)
    return dict(decoded.claims)


async def test_a_person_signs_in_with_a_browser(provider: RealProvider) -> None:
    """A real one: the person types a name and a password, and says yes."""
    opened: asyncio.Queue[str] = asyncio.Queue()
    login = asyncio.create_task(
        login_browser(
            provider.client(), show=opened.put_nowait, open_browser=None, store=MemoryStore(), timeout=90
        )
    )
    async with open_browser() as browser:
        page = await browser.new_page()
        await page.goto(await opened.get())
        await page.fill("input[name=login]", "person")
        await page.fill("input[name=password]", "anything")
        await page.click("button[type=submit]")
        await page.click("button[type=submit]")
        await page.get_by_role("heading", name="Signed in").wait_for()
        assert "127.0.0.1" in page.url
        token = await (await login).get_token()
    assert checked(provider, token)["sub"] == "person"


async def test_a_login_gives_a_token_that_the_api_takes(provider: RealProvider) -> None:
    before = len(provider.grants())
    token = await (await sign_in(provider)).get_token()
    claims = checked(provider, token)
    assert claims["client_id"] == "public-client"
    assert 3500 < token.seconds_left <= 3600
    said = read_claims(Secret(token.text))
    assert (said.subject, said.lifetime) == ("person", 3600)
    assert provider.grants()[before:] == [(CODE, None)]


async def test_refresh_tokens_rotate(provider: RealProvider, clock: Clock) -> None:
    store = MemoryStore()
    login = await sign_in(provider, store)
    before = len(provider.grants())
    seen = {await refresh_token_of(provider, store)}
    for _ in range(3):
        clock.advance(3600)
        checked(provider, await login.get_token())
        seen.add(await refresh_token_of(provider, store))
    assert len(seen) == 4
    assert provider.grants()[before:] == [(REFRESH, None)] * 3


async def test_a_hundred_calls_refresh_once(provider: RealProvider, clock: Clock) -> None:
    login = await sign_in(provider)
    before = len(provider.grants())
    clock.advance(3600)
    tokens = await asyncio.gather(*(login.get_token() for _ in range(100)))
    assert len({each.text for each in tokens}) == 1
    assert provider.grants()[before:] == [(REFRESH, None)]


async def test_a_refresh_token_that_is_used_again_ends_the_login(
    provider: RealProvider, clock: Clock
) -> None:
    store = MemoryStore()
    login = await sign_in(provider, store)
    stolen = await refresh_token_of(provider, store)
    clock.advance(3600)
    await login.get_token()
    before = len(provider.grants())
    with pytest.raises(LoginRequired):
        await RefreshToken(stolen, provider=provider.client()).get_token()
    clock.advance(3600)
    for _ in range(3):
        with pytest.raises(LoginRequired, match=r"invalid_grant.*sign in with"):
            await login.get_token()
        clock.advance(60)
    assert provider.grants()[before:] == [REFUSED] * 2, "once by who stole it, once by us, and never again"


async def test_a_cancelled_call_keeps_the_login(provider: RealProvider, clock: Clock) -> None:
    login = await sign_in(provider)
    clock.advance(3600)
    call = asyncio.create_task(login.get_token())
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    checked(provider, await login.get_token())
    clock.advance(3600)
    checked(provider, await login.get_token())


async def test_a_device_signs_in(
    provider: RealProvider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_login_device, "_DEFAULT_INTERVAL", 0.05)  # this provider says none, which is allowed
    answers: list[requests.Response] = []

    def show(code: DeviceCode) -> None:
        answers.append(FormBrowser().open(code.verification_url, user_code=code.user_code))

    before = len(provider.grants())
    login = await login_device(provider.client(), show=show, store=MemoryStore())
    assert checked(provider, await login.get_token())["sub"] == "person"
    assert provider.grants()[before:] == [(DEVICE, None)]
    clock.advance(3600)
    checked(provider, await login.get_token())


async def test_a_device_waits(provider: RealProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_login_device, "_DEFAULT_INTERVAL", 0.05)
    shown: asyncio.Queue[DeviceCode] = asyncio.Queue()
    before = len(provider.grants())
    login = asyncio.create_task(login_device(provider.client(), show=shown.put_nowait, store=MemoryStore()))
    code = await shown.get()
    while len(provider.grants()) < before + 2:
        await asyncio.wait([login], timeout=0.05)
    await asyncio.to_thread(FormBrowser().open, code.verification_url_complete or "")
    await login
    assert set(provider.grants()[before:-1]) == {(DEVICE, "authorization_pending")}
    assert provider.grants()[-1] == (DEVICE, None)


async def test_a_service_signs_in_by_itself(provider: RealProvider) -> None:
    token = await ClientCredentials(provider.service()).get_token()
    assert checked(provider, token)["client_id"] == "service-client"
    with pytest.raises(LoginDenied, match="invalid_client"):
        await ClientCredentials(provider.service("wrong")).get_token()


async def test_a_logout_gives_the_login_back(provider: RealProvider, tmp_path: Path, clock: Clock) -> None:
    store = FileStore(tmp_path)
    await sign_in(provider, store)
    refresh = await refresh_token_of(provider, store)
    assert await logout(provider.client(), store=store) == 1
    assert await store.load(provider.client().key) is None
    with pytest.raises(LoginRequired):
        await RefreshToken(refresh, provider=provider.client()).get_token()
    assert await logout(provider.client(), store=store) == 0


async def test_a_provider_that_forgot_everything(clock: Clock) -> None:
    """It keeps logins in memory, and another one starts in its place."""
    store = MemoryStore()
    with real_provider() as first:
        await sign_in(first, store)
        refresh = await refresh_token_of(first, store)
    with real_provider() as second:
        source = RefreshToken(refresh, provider=second.client())
        for _ in range(2):
            with pytest.raises(LoginRequired):
                await source.get_token()
        assert second.grants() == [REFUSED]


async def test_tokens_that_live_a_second(clock: Clock) -> None:
    with real_provider(AT_TTL="1") as provider:
        login = await sign_in(provider)
        before = len(provider.grants())
        for _ in range(5):
            clock.advance(1)
            await asyncio.gather(*(login.get_token() for _ in range(20)))
        assert provider.grants()[before:] == [(REFRESH, None)] * 5, "none was used twice"
