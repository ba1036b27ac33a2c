"""How long a token is good for, by clocks that are set and stand still, and what it says of itself."""

from __future__ import annotations

import base64
import json
import pickle
from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any

import pytest
from attrs import asdict
from identity import Clock

from aignostics_async import Token, TokenSet
from aignostics_async._core import _token
from aignostics_async._core._secret import Secret
from aignostics_async.auth._endpoint import read_claims
from aignostics_async.auth._refresher import ahead, margin
from aignostics_async.errors import ConfigurationError


def jwt(**claims: object) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


def now() -> float:
    """Return the time of the clock that tokens read."""
    moment: float = vars(_token)["time"].time()
    return moment


def test_a_token_without_a_lifetime_never_ends_by_itself() -> None:
    assert Token("a").seconds_left > 1e9


def test_a_lifetime_is_seconds_or_a_timedelta() -> None:
    assert Token("a", lifetime=timedelta(minutes=2)).lifetime == 120
    assert Token("a", lifetime=-3).seconds_left <= 0
    assert Token("a", lifetime=10, issued_at=10**400).seconds_left <= 10


@pytest.mark.parametrize(
    "times",
    [
        {"lifetime": nan},
        {"lifetime": True},
        {"issued_at": nan},
        {"issued_at": True},
        {"issued_at": datetime.now(UTC)},
    ],
)
def test_a_time_that_is_no_number_is_refused(times: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="a number of seconds"):
        Token("a", **times)


@pytest.mark.parametrize(
    ("wall", "monotonic", "gone"),
    [
        (60, 60, 60),  # awake
        (60, 0, 60),  # asleep, where the monotonic clock stands still
        (3600 + 60, 60, 3660),  # the wall clock was set forward: rather too early than too late
        (-3600 + 60, 60, 60),  # set back: the other clock knows
        (0, 60, 60),  # set back by just as long
    ],
)
def test_no_clock_makes_an_old_token_young(clock: Clock, wall: float, monotonic: float, gone: float) -> None:
    token = Token("a", lifetime=10_000)
    clock.wall, clock.monotonic = wall, monotonic
    assert 10_000 - gone - 1 < token.seconds_left <= 10_000 - gone


@pytest.mark.parametrize("wall", [-3600.0, 0.0, 3600.0])
def test_a_kept_token_is_no_younger_than_it_is(clock: Clock, wall: float) -> None:
    """Read back from a file after the wall clock was set."""
    issued_at = now() - 100
    clock.wall = wall
    left = Token("a", lifetime=1000, issued_at=issued_at).seconds_left
    assert left <= 1000 - max(0, min(100, 100 + wall))
    assert left == pytest.approx(1000 - max(0, 100 + wall), abs=1)


@pytest.mark.parametrize(
    ("lifetime", "when"),
    [(None, (300, 30)), (86_400, (300, 30)), (600, (120, 30)), (30, (6, 1.5)), (1, (0.2, 0.05))],
)
def test_margins_are_parts_of_a_short_life(lifetime: float | None, when: tuple[float, float]) -> None:
    token = Token("a", lifetime=lifetime)
    assert (ahead(token), margin(token)) == when


def test_what_a_jwt_says_of_itself() -> None:
    # Two times of one clock: that this machine's clock is another does not matter.
    claims = read_claims(Secret(jwt(sub="auth0|1", org_id="org_1", iat=1000, exp=4600)))
    assert (claims.subject, claims.organization, claims.lifetime) == ("auth0|1", "org_1", 3600)
    assert read_claims(Secret(jwt(exp=4600))).lifetime == pytest.approx(4600 - now(), abs=5)


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b.c",
        "..",
        jwt(sub=3),
        jwt(exp="soon"),
        f"a.{base64.b64encode(b'[]').decode()}.c",
        "a.é.c",
    ],
)
def test_any_other_token_says_nothing(text: str) -> None:
    claims = read_claims(Secret(text))
    assert (claims.subject, claims.lifetime) == (None, None)


def test_tokens_are_compared_by_identity_or_by_text() -> None:
    token = Token("a")
    assert token != Token("a")
    assert token.is_same(Token("a"))
    assert not token.is_same(Token("b"))
    assert not token.is_same(None)


def test_a_token_shows_nowhere() -> None:
    tokens = TokenSet(access=Token("PLANTED", lifetime=5), refresh=Secret("PLANTED"))
    for shown in (repr(tokens), str(tokens.access), repr(asdict(tokens)), repr(vars(type(tokens.access)))):
        assert "PLANTED" not in shown
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(tokens)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"access": "PLANTED"}, r"access takes Token\(...\), not str"),
        ({"access": Token("a"), "refresh": "PLANTED"}, r"refresh takes Secret\(...\), not str"),
    ],
)
def test_a_token_set_has_tokens_of_their_kinds(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        TokenSet(**fields)
    assert "PLANTED" not in str(caught.value)
