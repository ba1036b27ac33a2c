"""A login with a code on another device, whatever provider and network do meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import requests
from identity import Fault, identity
from support import count

from aignostics_async import (
    AuthenticationError,
    ConfigurationError,
    DeviceCode,
    IdentityProvider,
    LoginDenied,
    LoginRequired,
    LoginTimeout,
    MemoryStore,
    StoredLogin,
    TokenEndpointUnavailable,
    login_device,
)
from aignostics_async.auth import _login_device
from aignostics_async.auth._login_device import longer_interval
from aignostics_async.emulator.process import Emulator

TOKEN = "/oauth/token"
CODE = "/oauth/device/code"


@pytest.fixture
def quick(emulator: Emulator) -> Emulator:
    """Give an emulator that may be asked a hundred times a second."""
    emulator.reset(device_interval=0.01)
    return emulator


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the seconds that are waited between two questions; no time passes."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(_login_device, "anyio", SimpleNamespace(sleep=sleep))
    return waited


def decide(emulator: Emulator, code: DeviceCode, decision: str) -> None:
    form = {"user_code": code.user_code, "decision": decision}
    requests.post(code.verification_url, data=form, timeout=30).raise_for_status()


async def login(emulator: Emulator, decision: str | None = "approve") -> StoredLogin:
    """Sign in; the person decides as soon as the code is shown."""
    provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
    shown: list[DeviceCode] = []

    def show(code: DeviceCode) -> None:
        shown.append(code)
        if decision is not None:
            decide(emulator, code, decision)

    return await login_device(provider, show=show, store=MemoryStore())


async def test_what_the_provider_is_asked_for() -> None:
    async with identity() as place:
        more = {
            "audience": "https://api.example.com",
            "organization": "org_1",
            "client_secret": "small-secret-x",
        }
        url = f"{place.origin}/oauth/token"
        provider = IdentityProvider(token_url=url, device_url=url, client_id="client", **more)
        place.always = Fault(body=DEVICE, works=False)
        login = asyncio.create_task(login_device(provider, show=lambda _: None, store=MemoryStore()))
        await place.asked.wait()
        login.cancel()
        await asyncio.wait([login])
        assert place.forms == [{"scope": "offline_access", "client_id": "client", **more}]


async def test_a_code_becomes_a_login(quick: Emulator) -> None:
    source = await login(quick)
    assert (await source.get_token()).text.startswith("emulator-access-")
    assert count(quick, method="POST", path=TOKEN) == 1, "the token of the login itself serves first"


async def test_a_person_who_refuses(quick: Emulator) -> None:
    with pytest.raises(LoginDenied, match="access_denied"):
        await login(quick, "deny")


@pytest.mark.parametrize("status", [400, 403])
async def test_waiting_for_the_person(quick: Emulator, status: int) -> None:
    pending = {"status": status, "body": {"error": "authorization_pending"}}
    quick.set_faults({"path": TOKEN, "times": 3, **pending})
    await login(quick)
    assert count(quick, method="POST", path=TOKEN) == 4


@pytest.mark.parametrize("status", [400, 429])
async def test_slowing_down_is_for_good(quick: Emulator, status: int, waits: list[float]) -> None:
    quick.set_faults(
        {"path": TOKEN, "times": 2, "status": status, "body": {"error": "slow_down"}},
        {"path": TOKEN, "times": 1, "status": 403, "body": {"error": "authorization_pending"}},
        {"path": TOKEN, "status": 403, "body": {"error": "access_denied"}},
    )
    with pytest.raises(LoginDenied):
        await login(quick)
    assert waits == [0.01, 5.01, 10.01, 10.01]


async def test_a_network_that_fails_ends_nothing(quick: Emulator, waits: list[float]) -> None:
    quick.set_faults(
        {"path": TOKEN, "times": 1, "drop": "before"},
        {"path": TOKEN, "times": 1, "status": 503, "headers": {"Retry-After": "7"}},
        {"path": TOKEN, "times": 1, "status": 502, "body": "<html>"},
        {"path": TOKEN, "status": 403, "body": {"error": "access_denied"}},
    )
    with pytest.raises(LoginDenied):
        await login(quick)
    assert waits == [0.01, 0.02, 7, 14]


@pytest.mark.parametrize("expected", [[5, 10, 20, 40, 60, 60, 60], [90, 90]])
def test_waiting_longer_has_an_end(expected: list[float]) -> None:
    failure = TokenEndpointUnavailable("no")
    intervals = expected[:1]
    for _ in expected[1:]:
        intervals.append(longer_interval(intervals[-1], failure))
    assert intervals == expected


async def test_a_code_that_nobody_enters(quick: Emulator) -> None:
    quick.set_faults({"path": TOKEN, "status": 403, "body": {"error": "expired_token"}})
    with pytest.raises(LoginTimeout, match="start the login again"):
        await login(quick)


DEVICE = {
    "device_code": "PLANTED",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://idp.example.com/activate",
}


def told(**changes: object) -> dict[str, Any]:
    body = {name: value for name, value in {**DEVICE, **changes}.items() if value is not None}
    return {"path": CODE, "status": 200, "body": body}


async def shown(emulator: Emulator, answer: dict[str, Any]) -> DeviceCode:
    """Return what a person is shown for an answer, after a login that expires or is refused at once."""
    emulator.set_faults(answer, {"path": TOKEN, "status": 403, "body": {"error": "access_denied"}})
    provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
    codes: list[DeviceCode] = []
    with pytest.raises(AuthenticationError):
        await login_device(provider, show=codes.append, store=MemoryStore())
    (code,) = codes
    assert "PLANTED" not in repr(code)
    return code


async def test_the_provider_says_when_it_expires(quick: Emulator) -> None:
    quick.set_faults(
        told(expires_in=0.2, interval=0.01),
        {"path": TOKEN, "status": 403, "body": {"error": "authorization_pending"}},
    )
    provider = IdentityProvider.beside(quick.token_url, client_id=quick.client_id)
    with pytest.raises(LoginTimeout, match="nobody signed in"):
        await login_device(provider, show=lambda _: None, store=MemoryStore())


async def test_what_the_provider_may_leave_out(quick: Emulator, waits: list[float]) -> None:
    code = await shown(quick, told())
    assert code == DeviceCode("ABCD-EFGH", DEVICE["verification_uri"], None, 600)
    assert waits == [5.0], "the interval of RFC 8628"


@pytest.mark.parametrize("value", ["soon", 0, -1, None, pytest.param(10**400, id="huge")])
async def test_numbers_that_are_none(quick: Emulator, waits: list[float], value: object) -> None:
    code = await shown(quick, told(interval=value, expires_in=value))
    assert (code.lifetime, waits) == (600, [5.0])


async def test_a_terminal_is_not_told_what_to_do(quick: Emulator, waits: list[float]) -> None:
    code = await shown(quick, told(user_code="\x1b[2JABCD\r\n"))
    assert code.user_code == "[2JABCD"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (told(device_code=None), TokenEndpointUnavailable),
        (told(user_code=3), TokenEndpointUnavailable),
        ({"path": CODE, "status": 200, "body": "<html>"}, TokenEndpointUnavailable),
        ({"path": CODE, "status": 500}, TokenEndpointUnavailable),
        ({"path": CODE, "drop": "before"}, TokenEndpointUnavailable),
        ({"path": CODE, "status": 403, "body": {"error": "unauthorized_client"}}, LoginDenied),
        ({"path": TOKEN, "status": 403, "body": {"error": "invalid_grant"}}, LoginRequired),
    ],
)
async def test_what_ends_a_login_at_once(
    quick: Emulator, answer: dict[str, Any], expected: type[AuthenticationError]
) -> None:
    quick.set_faults(answer)
    with pytest.raises(expected) as caught:
        await login(quick, None)
    assert "PLANTED" not in str(caught.value)


async def test_a_login_can_be_cancelled(emulator: Emulator) -> None:
    """In the five seconds before it asks the first time."""
    provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
    is_shown = asyncio.Event()
    waiting = asyncio.create_task(login_device(provider, show=lambda _: is_shown.set(), store=MemoryStore()))
    await is_shown.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert count(emulator, method="POST", path=TOKEN) == 0


async def test_a_provider_without_devices(tmp_path: Path) -> None:
    provider = IdentityProvider(token_url="https://idp.example.com/token", client_id="c")
    with pytest.raises(ConfigurationError, match="no device URL"):
        await login_device(provider, show=lambda _: None, store=MemoryStore())
