"""Tokens are renewed once for all who wait, ahead of need, whatever the token endpoint does."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import pickle
import subprocess
import sys
import threading
import time
import traceback
from typing import Any

import pytest
from attrs import evolve
from identity import Clock, Fault, Identity, identity
from rounds import sizes
from support import METADATA, count, signed_in

from aignostics_async import (
    AuthenticationError,
    CallableToken,
    Client,
    ClientCredentials,
    ConfigurationError,
    IdentityProvider,
    InputArtifact,
    Item,
    LoginDenied,
    LoginRequired,
    MemoryStore,
    RefreshToken,
    StaticToken,
    StoredLogin,
    Token,
    TokenEndpointUnavailable,
    TokenSet,
    Unauthorized,
)
from aignostics_async._core._secret import Secret
from aignostics_async._http import _token_request
from aignostics_async.auth import _memory_sources
from aignostics_async.emulator.process import IMPATIENT, Emulator

each_size = pytest.mark.parametrize("many", sizes(500, 5000))


async def listed(client: Client) -> int:
    return len([application async for application in client.applications.list()])


def client_of(place: Identity, source: RefreshToken | None = None) -> Client:
    return Client(place.origin, source or place.source(), settings=IMPATIENT)


async def outcomes(place: Identity, calls: int = 50) -> set[type | int]:
    """Return how N concurrent calls end: their results, or the classes of their errors."""
    async with client_of(place) as client:
        ended = await asyncio.gather(*(listed(client) for _ in range(calls)), return_exceptions=True)
    return {type(each) if isinstance(each, BaseException) else each for each in ended}


# One renewal for all


@each_size
async def test_thousands_of_calls_with_an_expired_token_share_one_refresh(many: int) -> None:
    async with identity() as place:
        assert await outcomes(place, many) == {0}
        assert place.counted == {"token": 1, "200": many}


@each_size
async def test_thousands_of_401s_share_one_refresh(many: int) -> None:
    async with identity() as place:
        source = place.source()
        token = await source.get_token()
        renewed = await asyncio.gather(*(source.get_token(rejected=token) for _ in range(many)))
        assert len(set(map(id, renewed))) == 1
        assert renewed[0] is not token
        assert place.counted == {"token": 2}


async def test_a_token_that_the_api_forgot_is_replaced_under_way() -> None:
    async with identity() as place, client_of(place) as client:
        await listed(client)
        place.expire_access()
        assert await asyncio.gather(*(listed(client) for _ in range(500))) == [0] * 500
        assert place.counted["token"] == 2
        in_flight = 8 * 5  # each of 8 connections has some answers before the renewal is done
        assert 1 <= place.counted["401"] <= in_flight


async def test_some_wait_and_some_were_rejected() -> None:
    async with identity() as place:
        source = place.source()
        token = await source.get_token()
        held = asyncio.Event()
        place.faults.append(Fault(held=held))
        place.asked.clear()
        rejected = [asyncio.create_task(source.get_token(rejected=token)) for _ in range(20)]
        await place.asked.wait()
        others = [asyncio.create_task(source.get_token(rejected=token)) for _ in range(20)]
        held.set()
        assert len({id(each) for each in await asyncio.gather(*rejected, *others)}) == 1
        assert (await source.get_token(rejected=token)) is rejected[0].result(), "its rejection is old news"
        assert place.counted["token"] == 2


async def test_a_token_endpoint_that_is_down_is_asked_once() -> None:
    async with identity(always=Fault(status=503, body=b"<html>", headers={"Retry-After": "7"})) as place:
        async with client_of(place) as client:
            failures = await asyncio.gather(*(listed(client) for _ in range(100)), return_exceptions=True)
            assert {type(each) for each in failures} == {TokenEndpointUnavailable}
            assert len(set(map(id, failures))) == 100, (
                "to each its own: a traceback grows where an error is raised"
            )
            assert all(0 < (each.retry_after or 0) <= 7 for each in failures)  # type: ignore[union-attr]
            with pytest.raises(TokenEndpointUnavailable) as caught:
                await listed(client)
            assert 0 < (caught.value.retry_after or 0) < 7, "what is left of it"
        assert place.counted == {"token": 1}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(status=500, body={"detail": "no"}), TokenEndpointUnavailable),
        (Fault(status=503, body={"error": "temporarily_unavailable"}), TokenEndpointUnavailable),
        (Fault(status=429, body=b""), TokenEndpointUnavailable),
        (Fault(status=429, body={"error": "too_many_requests"}), TokenEndpointUnavailable),
        (Fault(status=200, body=b"<html>"), TokenEndpointUnavailable),
        (Fault(status=200, body=b""), TokenEndpointUnavailable),
        (Fault(status=200, body=None), TokenEndpointUnavailable),
        (Fault(status=200, body=[]), TokenEndpointUnavailable),
        (Fault(status=200, body={"access_token": 3}), TokenEndpointUnavailable),
        (Fault(status=200, body={"access_token": "two words"}), TokenEndpointUnavailable),
        (Fault(status=200, granted={"token_type": "mac"}), TokenEndpointUnavailable),
        (
            Fault(status=307, body=b"", headers={"Location": "https://elsewhere.example.com"}),
            TokenEndpointUnavailable,
        ),
        (Fault(status=404, body=b"<html>"), TokenEndpointUnavailable),
        (Fault(status=403, body={"error": "invalid_grant"}), LoginRequired),
        (Fault(status=400, body={"error": "invalid_grant"}), LoginRequired),
        (Fault(status=401, body={"error": "invalid_client"}), LoginDenied),
        (Fault(status=403, body={"error": "unauthorized_client"}), LoginDenied),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{value.status} {value.body!s:.30}",
)
async def test_what_the_token_endpoint_says_is_one_error_for_all(
    fault: Fault, expected: type[AuthenticationError]
) -> None:
    async with identity(always=fault) as place:
        assert await outcomes(place) == {expected}
        assert place.counted["token"] == 1
        assert place.counted["200"] == place.counted["401"] == 0, "nothing is sent without a token"


async def test_an_answer_that_never_comes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_token_request, "_MAX_SECONDS", 0.3)
    async with identity(always=Fault(held=asyncio.Event())) as place:
        assert await outcomes(place) == {TokenEndpointUnavailable}
        assert place.counted == {"token": 1}


async def test_an_answer_that_drips_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_token_request, "_MAX_SECONDS", 0.3)
    async with identity(always=Fault(drip=0.05)) as place:
        assert await outcomes(place) == {TokenEndpointUnavailable}


@pytest.mark.parametrize("cut", [0, 60], ids=["no answer", "after headers"])
async def test_a_lost_answer_is_asked_for_once_more(cut: int) -> None:
    """The request was not carried out: the refresh token is still good."""
    async with identity() as place:
        place.faults.append(Fault(cut=cut, works=False))
        assert await outcomes(place) == {0}
        assert place.counted == {"token": 2, "200": 50}


async def test_a_lost_answer_after_rotation_without_overlap_needs_a_login() -> None:
    """The refresh token was used up, and the next one lost with the answer: the family is over, said once."""
    async with identity() as place:
        place.faults.append(Fault(cut=0))
        async with client_of(place) as client:
            for _ in range(2):
                with pytest.raises(LoginRequired, match="sign in with"):
                    await listed(client)
        assert place.counted == {"token": 2, "replays": 1}


async def test_answers_that_stay_lost_are_asked_for_twice_and_no_more() -> None:
    async with identity(always=Fault(cut=0, works=False)) as place:
        assert await outcomes(place) == {TokenEndpointUnavailable}
        assert place.counted == {"token": 2}


async def test_an_answer_without_end_is_cut() -> None:
    body = b'{"access_token": "' + b"x" * 3_000_000
    async with identity(always=Fault(body=body, works=False)) as place:
        with pytest.raises(TokenEndpointUnavailable):
            await place.source().get_token()


async def test_a_provider_s_words_do_not_reach_the_terminal_as_orders() -> None:
    body = {"error": "access_denied", "error_description": "\x1b[2J\x1b]0;owned\x07no"}
    async with identity(always=Fault(status=403, body=body, works=False)) as place:
        with pytest.raises(LoginDenied) as caught:
            await place.source().get_token()
    assert str(caught.value).isprintable()


async def test_nobody_listens() -> None:
    async with identity() as place:
        source = place.source()
    with pytest.raises(TokenEndpointUnavailable, match="gave no answer") as caught:
        await source.get_token()
    # A transport error would hold the request, whose body is the refresh token.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_the_cool_down_ends_and_grows(clock: Clock) -> None:
    async with identity(always=Fault(status=500, body=None, works=False)) as place:
        source = place.source()
        waits = []
        for _ in range(8):
            with pytest.raises(TokenEndpointUnavailable):
                await source.get_token()
            with pytest.raises(TokenEndpointUnavailable) as caught:
                await source.get_token()
            waits.append(caught.value.retry_after or 0)
            clock.advance(waits[-1] + 0.001)
        assert place.counted["token"] == 8
        assert all(0.7 * 2**n < wait <= 2**n for n, wait in enumerate(waits[:5]))
        assert all(22 < wait <= 30 for wait in waits[5:])
        place.always = Fault()
        assert (await source.get_token()).text == "small-access-1"


async def test_a_retry_after_of_an_hour_is_not_waited_for(clock: Clock) -> None:
    async with identity(
        always=Fault(status=429, body=None, headers={"Retry-After": "3600"}, works=False)
    ) as place:
        source = place.source()
        with pytest.raises(TokenEndpointUnavailable):
            await source.get_token()
        place.always = Fault()
        clock.advance(121)
        await source.get_token()


@pytest.mark.parametrize("status", [403, 500])
async def test_a_failure_that_stays_grows_nothing(clock: Clock, status: int) -> None:
    body = {"error": "invalid_grant"} if status == 403 else None
    async with identity(always=Fault(status=status, body=body, works=False)) as place:
        source = place.source()
        lengths = set()
        for _ in range(20):
            with pytest.raises(AuthenticationError) as caught:
                await source.get_token()
            failure = source._refresher._failure
            assert failure is not None
            lengths.add((len(caught.traceback), len(traceback.extract_tb(failure.__traceback__))))
            clock.advance(31)
    assert len(lengths) == 1


async def test_an_outage_that_nobody_waits_for_is_told_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with identity(lifetime=1000) as place:
        source = place.source()
        await source.get_token()
        place.always = Fault(status=500, body=None, works=False)
        clock.advance(850)
        for _ in range(3):
            await source.get_token()
            await source.aclose()
            clock.advance(31)
        assert place.counted["token"] == 4
    warnings = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len([each for each in warnings if each.startswith("no new access token: ")]) == 1


# Ahead of need


async def test_a_token_is_renewed_in_the_background_before_it_ends(clock: Clock) -> None:
    async with identity(lifetime=1000) as place:
        source = place.source()
        first = await source.get_token()
        clock.advance(799)
        assert await source.get_token() is first
        assert place.counted["token"] == 1
        clock.advance(45)  # past 200 s before the end, less a fifth of jitter
        held = asyncio.Event()
        place.faults.append(Fault(held=held))
        place.asked.clear()
        for _ in range(10):
            assert await source.get_token() is first, "the old token serves while the new one is fetched"
        await place.asked.wait()
        assert await source.get_token() is first
        held.set()
        await source.aclose()
        assert (await source.get_token()).text == "small-access-2"
        assert place.counted["token"] == 2


async def test_a_token_serves_as_long_as_it_can_while_the_endpoint_is_down(clock: Clock) -> None:
    async with identity(lifetime=1000) as place:
        source = place.source()
        first = await source.get_token()
        place.always = Fault(status=503, body=None, works=False)
        clock.advance(900)
        assert await source.get_token() is first
        await source.aclose()
        assert place.counted["token"] == 2
        assert await source.get_token() is first
        await source.aclose()
        assert place.counted["token"] == 2, "in the cool-down nobody asks"
        clock.advance(75)  # the last 30 s, or twentieth
        with pytest.raises(TokenEndpointUnavailable):
            await source.get_token()


@pytest.mark.parametrize("lifetime", [1, 30])
async def test_a_short_life_is_not_renewed_for_ever(lifetime: float, clock: Clock) -> None:
    async with identity(lifetime=lifetime) as place:
        source = place.source()
        for _ in range(5):
            token = await source.get_token()
            for _ in range(10):
                assert await source.get_token() is token
            clock.advance(lifetime)
        assert place.counted == {"token": 5}, "and no refresh token was used twice"


@pytest.mark.parametrize(
    ("told", "lifetime"),
    [
        (1, 1),
        (2.5, 2.5),
        ("3600", 3600),
        (0, 300),
        (-5, 300),
        ("soon", 300),
        (None, 300),
        ([], 300),
        (True, 1),
        (10**12, 366 * 24 * 3600),
        (10**400, 300),
        ("Infinity", 300),
    ],
)
async def test_the_lifetime_that_is_told(told: object, lifetime: float) -> None:
    async with identity(always=Fault(granted={"expires_in": told})) as place:
        token = await place.source().get_token()
    assert token.lifetime == lifetime
    assert lifetime - 5 < token.seconds_left <= lifetime


async def test_a_token_s_life_begins_when_it_was_asked_for(clock: Clock) -> None:
    async with identity(lifetime=1000) as place:
        source, held = place.source(), asyncio.Event()
        place.faults.append(Fault(held=held))
        asking = asyncio.create_task(source.get_token())
        await place.asked.wait()
        clock.advance(100)
        held.set()
        assert 895 < (await asking).seconds_left <= 900


# Rotation


async def test_a_reply_without_a_refresh_token_keeps_the_old_one(clock: Clock) -> None:
    """Some providers do not rotate them."""
    async with identity(always=Fault(granted={"refresh_token": None})) as place:
        refresh, store = place.sign_in(), MemoryStore()
        ended = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(refresh))
        await store.save(place.provider.key, ended)
        source = StoredLogin(place.provider, store=store)
        for number in (1, 2, 3):
            assert (await source.get_token()).text == f"small-access-{number}"
            place._live[refresh] = place._used[refresh]
            place._used[f"{refresh}-{number}"] = place._used.pop(refresh)
            clock.advance(3600)
        assert place.counted == {"token": 3}


async def test_each_refresh_token_is_used_once(clock: Clock) -> None:
    async with identity() as place:
        source = place.source()
        for expected in range(1, 6):
            assert (await source.get_token()).text == f"small-access-{expected}"
            clock.advance(3600)
        assert place.counted == {"token": 5}


@pytest.mark.parametrize(
    "error", ["consent_required", "interaction_required", "login_required", "mfa_required"]
)
async def test_what_only_a_person_can_do_needs_a_login(error: str) -> None:
    async with identity() as place:
        place.faults.append(Fault(status=400, body={"error": error}, works=False))
        with pytest.raises(LoginRequired, match=f"{error}.*sign in"):
            await place.source().get_token()


async def test_a_refused_refresh_token_is_not_sent_again(clock: Clock) -> None:
    async with identity() as place:
        source = place.source("PLANTED")
        for _ in range(3):
            with pytest.raises(LoginRequired, match="sign in with") as caught:
                await source.get_token()
            shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            # The server repeats in its error what it was sent.
            assert "Unknown token [redacted]" in shown
            assert "PLANTED" not in shown
            assert b"PLANTED" not in pickle.dumps(caught.value)
            clock.advance(60)
        assert place.counted == {"token": 1, "unknown": 1}


# What the API answers


async def test_an_api_that_answers_401_for_ever_gets_two_requests() -> None:
    async with identity(refuse_all=True) as place, client_of(place) as client:
        with pytest.raises(Unauthorized):
            await listed(client)
        assert place.counted == {"token": 2, "401": 2}
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await listed(client)
        assert place.counted == {"token": 2, "401": 7}, "a token that was just made is not renewed again"


async def test_a_403_renews_nothing(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/.*", "status": 403})
    async with Client(emulator.api_root, signed_in(emulator), settings=IMPATIENT) as client:
        with pytest.raises(Exception, match="403"):
            await listed(client)
    assert count(emulator, method="POST", path="/oauth/token") == 1


async def test_the_body_of_a_post_is_sent_again_whole(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "create_run", "status": 401, "times": 1})
    async with Client(emulator.api_root, signed_in(emulator), settings=IMPATIENT) as client:
        artifact = InputArtifact("slide", "http://127.0.0.1:9/slide.tiff", METADATA)
        run = await client.runs.create("he-tme:v1.0.0", [Item("replayed", artifacts=[artifact])])
        assert [each.reference async for each in run.results()] == ["replayed"]
    sizes = [asked["body_size"] for asked in emulator.requests() if asked["path"] == "/api/v1/runs"]
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


# Other sources


async def test_tokens_of_one_s_own(emulator: Emulator) -> None:
    given = ["wrong", emulator.access_token]
    asked = 0

    async def provide() -> str:
        nonlocal asked
        asked += 1
        return given.pop(0) if len(given) > 1 else given[0]

    async with Client(emulator.api_root, CallableToken(provide), settings=IMPATIENT) as client:
        assert await asyncio.gather(*(listed(client) for _ in range(20))) == [2] * 20
    assert asked == 2
    async with Client(emulator.api_root, CallableToken(_nothing), settings=IMPATIENT) as client:
        with pytest.raises(LoginRequired, match="returned nothing"):
            await listed(client)


async def _nothing() -> str:
    return ""


async def test_tokens_of_one_s_own_live_as_they_say(clock: Clock) -> None:
    made = 0

    async def provide() -> Token:
        nonlocal made
        made += 1
        return Token(f"token-{made}", lifetime=600)

    source = CallableToken(provide)
    assert len({id(each) for each in await asyncio.gather(*(source.get_token() for _ in range(50)))}) == 1
    clock.advance(400)
    assert (await source.get_token()).text == "token-1"
    clock.advance(200)
    assert (await source.get_token()).text == "token-2"


async def test_a_callable_that_fails_fails_for_all_who_wait(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0
    held = asyncio.Event()

    async def provide() -> str:
        nonlocal calls
        calls += 1
        await held.wait()
        raise ZeroDivisionError

    source = CallableToken(provide)
    waiting = [asyncio.create_task(source.get_token()) for _ in range(20)]
    await asyncio.sleep(0)
    held.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in ended} == {TokenEndpointUnavailable}
    assert isinstance(ended[0], BaseException)
    assert len(set(map(id, ended))) == 20
    for _ in range(50):
        with pytest.raises(
            TokenEndpointUnavailable, match=r"the token source failed \(ZeroDivisionError; see `__cause__`\)"
        ) as caught:
            await source.get_token()
    assert calls == 1, "in the cool-down nobody asks"
    clock.advance(caught.value.retry_after or 0)
    with pytest.raises(TokenEndpointUnavailable) as caught:
        await source.get_token()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert calls == 2


async def test_a_callable_that_hangs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def provide() -> str:
        await asyncio.Event().wait()
        return "never"

    monkeypatch.setattr(_memory_sources, "_MAX_CALL_SECONDS", 0.1)
    with pytest.raises(TokenEndpointUnavailable, match="gave nothing within"):
        await CallableToken(provide).get_token()


async def test_a_callable_that_hangs_does_not_hold_up_the_end(emulator: Emulator) -> None:
    hanging = asyncio.Event()
    cancelled: list[bool] = []

    async def provide() -> str:
        hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        return "never"

    with pytest.raises(TimeoutError):
        async with (
            asyncio.timeout(None) as deadline,
            Client(emulator.api_root, CallableToken(provide), settings=IMPATIENT) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(listed(client))
            await hanging.wait()
            deadline.reschedule(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert cancelled == [True]


@pytest.mark.parametrize("given", [b"bytes", 3, {"access_token": "x"}])
async def test_a_callable_that_gives_something_else(given: Any) -> None:
    async def provide() -> Any:
        return given

    with pytest.raises(ConfigurationError, match="make it a str or a Token"):
        await CallableToken(provide).get_token()


async def test_a_callable_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="make it `async def`"):
        await CallableToken(lambda: "text").get_token()  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigurationError, match="async function"):
        CallableToken("text")  # type: ignore[arg-type]


async def test_a_cached_jwt_is_as_old_as_it_is(clock: Clock) -> None:
    now = time.time()

    async def provide() -> str:
        claims = json.dumps({"iat": now - 3500, "exp": now + 100}).encode()
        return f"a.{base64.urlsafe_b64encode(claims).decode()}.c"

    token = await CallableToken(provide).get_token()
    assert token.lifetime == 3600
    assert 95 < token.seconds_left <= 100


async def test_a_service_s_own_tokens(emulator: Emulator) -> None:
    client_id, secret = emulator.service
    provider = IdentityProvider.beside(emulator.token_url, client_id=client_id, client_secret=secret)
    async with Client(emulator.api_root, ClientCredentials(provider), settings=IMPATIENT) as client:
        assert await asyncio.gather(*(listed(client) for _ in range(20))) == [2] * 20
    assert count(emulator, method="POST", path="/oauth/token") == 1

    wrong = IdentityProvider.beside(emulator.token_url, client_id=client_id, client_secret="PLANTED")
    with pytest.raises(LoginDenied, match="are client id, client secret, audience") as caught:
        await ClientCredentials(wrong).get_token()
    assert "PLANTED" not in repr(ClientCredentials(wrong)) + repr(wrong) + str(caught.value)
    with pytest.raises(ConfigurationError, match="give client_secret"):
        ClientCredentials(IdentityProvider.beside(emulator.token_url, client_id=client_id))


async def test_what_a_service_asks_for() -> None:
    async with identity() as place:
        more = {
            "audience": "https://api.example.com",
            "organization": "org_1",
            "client_secret": "small-secret-x",
        }
        await ClientCredentials(evolve(place.provider, **more)).get_token()
        assert place.forms == [{"grant_type": "client_credentials", "client_id": "client", **more}]


def test_a_source_needs_its_parts() -> None:
    with pytest.raises(ConfigurationError, match="support gives one"):
        IdentityProvider(token_url="https://host/token", client_id="")
    with pytest.raises(ConfigurationError, match="is empty"):
        RefreshToken("", provider=IdentityProvider(token_url="https://host/token", client_id="c"))


@pytest.mark.parametrize("around", ["{}", "{}\n", " {}\r\n", "\t{} "])
async def test_whitespace_around_a_given_token_is_removed(around: str) -> None:
    """A token that is read from a file ends with a line break."""
    assert (await StaticToken(around.format("text")).get_token()).text == "text"
    async with identity() as place:
        refresh = place.sign_in()
        await place.source(around.format(refresh)).get_token()
        assert place.forms[0]["refresh_token"] == refresh


@pytest.mark.parametrize("nothing", ["", " \n", None])
def test_a_token_that_is_nothing_is_told(nothing: Any) -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        RefreshToken(nothing, provider=IdentityProvider.preset("dev", client_id="c"))
    with pytest.raises(ConfigurationError, match="token"):
        StaticToken(nothing)


def test_a_token_never_goes_over_a_plain_connection() -> None:
    for name in ("token_url", "authorize_url", "device_url", "revoke_url"):
        urls = {"token_url": "https://idp.example.com/token", name: "http://idp.example.com/token"}
        with pytest.raises(ConfigurationError, match="must be https"):
            IdentityProvider(client_id="c", **urls)


# Throttling


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 529])
@pytest.mark.parametrize(
    "error", ["access_denied", "invalid_grant", "invalid_client", "rate_limit_exceeded", "expired_token"]
)
async def test_a_throttled_refresh_passes_whatever_its_body_says(
    clock: Clock, status: int, error: str
) -> None:
    """A gateway that throttles repeats any error: it says nothing of the login, which must not end."""
    headers = {"Retry-After": "5"}
    async with identity(
        always=Fault(status=status, body={"error": error}, headers=headers, works=False)
    ) as place:
        source = place.source()
        with pytest.raises(TokenEndpointUnavailable) as caught:
            await source.get_token()
        assert caught.value.retry_after == 5
        assert caught.value.is_transient
        place.always = Fault()
        clock.advance(6)
        await source.get_token()
        assert place.counted["token"] == 2, "the refresh token is still good"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        ("rate_limit_exceeded", {}),
        ("too_many_attempts", {}),
        ("request_throttled", {}),
        ("access_denied", {"Retry-After": "5"}),
        ("invalid_grant", {"Retry-After": "5"}),
    ],
)
@pytest.mark.parametrize("status", [400, 403])
async def test_throttling_that_the_status_does_not_tell_passes_too(
    clock: Clock, status: int, error: str, headers: dict[str, str]
) -> None:
    async with identity(
        always=Fault(status=status, body={"error": error}, headers=headers, works=False)
    ) as place:
        source = place.source()
        with pytest.raises(TokenEndpointUnavailable):
            await source.get_token()
        place.always = Fault()
        clock.advance(6)
        await source.get_token()
        assert place.counted["token"] == 2, "the refresh token is still good"


@pytest.mark.parametrize("status", [201, 203, 206])
async def test_a_success_of_another_status_keeps_its_rotated_token(clock: Clock, status: int) -> None:
    async with identity(always=Fault(status=status)) as place:
        source = place.source()
        await source.get_token()
        place.always = Fault()
        clock.advance(100_000)
        await source.get_token()
        assert place.counted["token"] == 2


# Sharing


async def test_closing_one_of_many_clients_disturbs_no_other(emulator: Emulator) -> None:
    """A client for each request, all with one source: each closes while others wait for the same token."""
    called, held = asyncio.Event(), asyncio.Event()

    async def provide() -> str:
        called.set()
        await held.wait()
        return emulator.access_token

    source = CallableToken(provide)

    async def serve() -> int:
        async with Client(emulator.api_root, source, settings=IMPATIENT) as client:
            return await listed(client)

    waiting = [asyncio.create_task(serve()) for _ in range(5)]
    await called.wait()
    async with Client(emulator.api_root, source, settings=IMPATIENT):
        pass  # opened and closed beside them
    waiting.pop().cancel()
    held.set()
    assert await asyncio.gather(*waiting) == [2] * 4


def test_the_end_of_one_event_loop_fails_no_caller_of_another() -> None:
    """The call runs in the loop that asked first. When that loop ends, the other one makes the call."""
    first_called, second_waits, calls = threading.Event(), threading.Event(), []

    async def provide() -> str:
        calls.append(threading.current_thread().name)
        if len(calls) == 1:
            first_called.set()
            await asyncio.Event().wait()
        return "token"

    source = CallableToken(provide)

    async def ask_and_leave() -> None:
        asking = asyncio.create_task(source.get_token())
        await asyncio.to_thread(second_waits.wait, 30)
        asking.cancel()

    async def ask() -> str:
        asking = asyncio.create_task(source.get_token())
        await asyncio.sleep(0)
        assert source._refresher._waiting == 2
        second_waits.set()
        return (await asking).text

    leaving = threading.Thread(target=lambda: asyncio.run(ask_and_leave()), name="first")
    leaving.start()
    assert first_called.wait(30)
    assert asyncio.run(ask()) == "token"
    leaving.join(30)
    assert calls == ["first", threading.current_thread().name]


@pytest.mark.process
def test_a_process_that_forks_during_a_refresh_can_refresh() -> None:
    """The child has neither the loop nor the thread that was refreshing: it must not wait for them."""
    code = """
import asyncio, os
from aignostics_async import CallableToken

async def provide():
    if os.getpid() == parent:
        started.set()
        await asyncio.Event().wait()
    return "token"

async def main():
    global started
    started = asyncio.Event()
    asking = asyncio.create_task(source.get_token())
    await started.wait()
    if (child := os.fork()) == 0:
        asyncio.events._set_running_loop(None)
        token = asyncio.new_event_loop().run_until_complete(source.get_token())
        os._exit(0 if token.text == "token" else 1)
    asking.cancel()
    status = await asyncio.to_thread(os.waitpid, child, 0)
    await source.aclose()
    raise SystemExit(os.waitstatus_to_exitcode(status[1]))

parent, source = os.getpid(), CallableToken(provide)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.process
def test_a_process_that_forks_while_a_login_is_refreshed_neither_waits_nor_stays_locked_out() -> None:
    """Neither for the thread of its parent when it closes the source, nor for the lock that it holds."""
    code = """
import asyncio, os, threading
from aignostics_async import MemoryStore, Token, TokenKey
from aignostics_async._core._uncancellable import start_uncancellable
from aignostics_async.auth._refresher import TokenRefresher
from aignostics_async.auth._memory_sources import RefreshedToken

store, key, parent = MemoryStore(), TokenKey("https://idp.example.com", "client"), os.getpid()
began, may_end = threading.Event(), threading.Event()

async def obtain(_held):
    async with store.lock(key):
        if os.getpid() == parent:
            began.set()
            may_end.wait(60)
        return Token("token")

source = RefreshedToken(TokenRefresher(obtain, start_uncancellable))
asking = threading.Thread(target=lambda: asyncio.run(source.get_token()))
asking.start()
began.wait(60)
if (child := os.fork()) == 0:
    async def use():
        await source.aclose()
        return await source.get_token()
    async def use_soon():
        return await asyncio.wait_for(use(), 20)
    os._exit(0 if asyncio.run(use_soon()).text == "token" else 1)
status = os.waitpid(child, 0)[1]
may_end.set()
asking.join()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=False)
    assert done.returncode == 0
