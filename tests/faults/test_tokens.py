"""Access tokens from a refresh token: one refresh for all, and no secret in any failure."""

from __future__ import annotations

import asyncio
import pickle
import time
import traceback
from functools import partial
from types import SimpleNamespace

import pytest
from support import count

from aignostics_async import (
    CallableToken,
    Client,
    ConfigurationError,
    LoginRequired,
    RefreshToken,
    TokenEndpointUnavailable,
)
from aignostics_async.auth import _sources
from aignostics_async.emulator.process import IMPATIENT, Emulator

TOKEN_PATH = "/oauth/token"


def source(emulator: Emulator, refresh_token: str | None = None) -> RefreshToken:
    return RefreshToken(
        refresh_token or emulator.refresh_token, token_url=emulator.token_url, client_id=emulator.client_id
    )


async def listed(client: Client) -> int:
    return len([application async for application in client.applications.list()])


async def test_many_calls_share_one_refresh(emulator: Emulator) -> None:
    async with Client(emulator.api_root, source(emulator), settings=IMPATIENT) as client:
        assert await asyncio.gather(*(listed(client) for _ in range(100))) == [2] * 100
    assert count(emulator, "POST", TOKEN_PATH) == 1


async def test_many_401s_share_one_refresh(emulator: Emulator) -> None:
    async with Client(emulator.api_root, source(emulator), settings=IMPATIENT) as client:
        await listed(client)
        emulator.set_faults({"path": "/api/.*", "status": 401, "times": 8})
        assert await asyncio.gather(*(listed(client) for _ in range(50))) == [2] * 50
    # Eight were in flight with the old token; each that comes later finds the new one.
    assert count(emulator, "POST", TOKEN_PATH) == 1


async def test_a_token_is_renewed_before_it_ends(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"access_token": emulator.access_token, "expires_in": 100}
    emulator.set_faults({"path": TOKEN_PATH, "status": 200, "body": body})
    tokens = source(emulator)
    first = await tokens.get_token()
    for elapsed, renewed in ((80, False), (91, True)):
        later = time.monotonic() + elapsed
        monkeypatch.setattr(_sources, "time", SimpleNamespace(monotonic=partial(float, later)))
        assert (await tokens.get_token() is not first) == renewed
    assert count(emulator, "POST", TOKEN_PATH) == 2


async def test_a_failing_endpoint_is_asked_once(emulator: Emulator) -> None:
    headers = {"Retry-After": "7"}
    emulator.set_faults({"path": TOKEN_PATH, "status": 503, "headers": headers})
    async with Client(emulator.api_root, source(emulator), settings=IMPATIENT) as client:
        outcomes = await asyncio.gather(*(listed(client) for _ in range(50)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {TokenEndpointUnavailable}
        assert outcomes[0].retry_after == 7  # type: ignore[union-attr]
        with pytest.raises(TokenEndpointUnavailable):
            await listed(client)
    assert count(emulator, "POST", TOKEN_PATH) == 1
    assert count(emulator, "GET", "/api/v1/applications") == 0


async def test_a_refused_refresh_token_is_not_sent_again(emulator: Emulator) -> None:
    async with Client(emulator.api_root, source(emulator, "CANARY"), settings=IMPATIENT) as client:
        for _ in range(3):
            with pytest.raises(LoginRequired, match="sign in again") as caught:
                await listed(client)
            shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            assert "CANARY" not in shown
            assert b"CANARY" not in pickle.dumps(caught.value)
    assert count(emulator, "POST", TOKEN_PATH) == 1


@pytest.mark.parametrize("body", ["<html>", None, [], {"access_token": 3}, {"access_token": ""}])
async def test_an_answer_that_is_none(emulator: Emulator, body: object) -> None:
    emulator.set_faults({"path": TOKEN_PATH, "status": 200, "body": body})
    with pytest.raises(TokenEndpointUnavailable):
        await source(emulator).get_token()


async def test_a_connection_that_breaks(emulator: Emulator) -> None:
    emulator.set_faults({"path": TOKEN_PATH, "drop": "before"})
    with pytest.raises(TokenEndpointUnavailable, match="gave no answer") as caught:
        await source(emulator, "CANARY").get_token()
    # A transport error would hold the request, whose body is the refresh token.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_cancelled_caller_loses_nothing(emulator: Emulator) -> None:
    rotated = {"access_token": emulator.access_token, "expires_in": 60, "refresh_token": "rotated"}
    emulator.set_faults({"path": TOKEN_PATH, "status": 200, "body": rotated, "delay_s": 0.2})
    tokens = source(emulator)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tokens.get_token()
    assert (await tokens.get_token()).text == emulator.access_token
    assert count(emulator, "POST", TOKEN_PATH) == 1
    await tokens.aclose()


async def test_tokens_of_one_s_own(emulator: Emulator) -> None:
    given = ["wrong", emulator.access_token]

    async def provide() -> str:
        return given.pop(0) if len(given) > 1 else given[0]

    async with Client(emulator.api_root, CallableToken(provide), settings=IMPATIENT) as client:
        assert await listed(client) == 2
    assert count(emulator, "GET", "/api/v1/applications") == 2

    async def nothing() -> str:
        return ""

    async with Client(emulator.api_root, CallableToken(nothing), settings=IMPATIENT) as client:
        with pytest.raises(LoginRequired, match="returned nothing"):
            await listed(client)


def test_a_source_needs_its_parts() -> None:
    with pytest.raises(ConfigurationError, match="client id"):
        RefreshToken("r", token_url="https://host/token", client_id="")


async def test_a_token_never_goes_over_a_plain_connection() -> None:
    tokens = RefreshToken("r", token_url="http://idp.example.com/token", client_id="c")
    with pytest.raises(ConfigurationError, match="must be https"):
        await tokens.get_token()
