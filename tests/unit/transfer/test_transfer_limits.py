"""How many connections, how fast, and in which pieces: decisions that need no network."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aignostics_async.transfer._limits import (
    MAX_PIECE,
    MIN_PIECE,
    BandwidthLimiter,
    ConcurrencyLimit,
    next_piece,
)

IDLE = 0.1


def test_it_grows_while_that_pays() -> None:
    """Ten megabytes per second for each connection, without an end: all that are allowed."""
    pace = ConcurrencyLimit(maximum=64, cores=8)
    for _ in range(10):
        pace.observe(pace.connections * 10e6, IDLE, is_full=True)
    assert pace.connections == 64


def test_it_stops_where_the_network_ends() -> None:
    pace = ConcurrencyLimit(maximum=64, cores=8)
    for _ in range(30):
        pace.observe(min(pace.connections * 10e6, 100e6), IDLE, is_full=True)
    assert 10 <= pace.connections <= 25
    for _ in range(200):  # and it finds a faster one
        pace.observe(pace.connections * 10e6, IDLE, is_full=True)
    assert pace.connections == 64


def test_connections_that_nobody_uses_say_nothing() -> None:
    pace = ConcurrencyLimit(maximum=64, cores=8)
    pace.observe(1e9, IDLE, is_full=False)
    assert pace.connections == 8


def test_busy_processors_get_two_each() -> None:
    pace = ConcurrencyLimit(maximum=64, cores=2)
    for _ in range(5):
        pace.observe(pace.connections * 10e6, IDLE, is_full=True)
    assert pace.observe(1e9, 0.9, is_full=True) == 4
    assert pace.observe(2e9, 0.9, is_full=True) == 4
    assert pace.observe(3e9, IDLE, is_full=True) == 5, "they are free again"


def test_after_a_rest_it_begins_anew() -> None:
    pace = ConcurrencyLimit(maximum=16, cores=2)
    pace.observe(1e9, 0.9, is_full=True)
    assert pace.connections == 4
    assert pace.rest() == 8
    assert pace.observe(1e6, IDLE, is_full=True) == 16


def test_it_halves_when_a_storage_asks_and_comes_back() -> None:
    pace = ConcurrencyLimit(maximum=16, cores=8)
    assert [pace.slow_down() for _ in range(5)] == [4, 2, 1, 1, 1]
    for _ in range(20):
        pace.observe(pace.connections * 10e6, IDLE, is_full=True)
    assert pace.connections == 16


@given(
    st.lists(
        st.tuples(st.floats(0, 1e12), st.floats(0, 1), st.booleans()) | st.just("slow down"), max_size=50
    ),
    st.integers(1, 100),
)
def test_it_stays_in_its_bounds(steps: list[tuple[float, float, bool] | str], most: int) -> None:
    pace = ConcurrencyLimit(maximum=most, cores=2)
    for step in steps:
        if isinstance(step, str):
            pace.slow_down()
        else:
            pace.observe(step[0], step[1], is_full=step[2])
        assert 1 <= pace.connections <= most


@given(st.lists(st.integers(1, MAX_PIECE), min_size=1, max_size=50), st.floats(1e4, 1e9))
def test_a_limit_is_held_by_all_together(pieces: list[int], rate: float) -> None:
    """Who waits as told has moved no more than the limit allows, however many there are."""
    throttle = BandwidthLimiter(rate)
    free = 0.0
    for number, piece in enumerate(pieces):
        wait = throttle.take(piece, 0.0)
        assert wait == pytest.approx(sum(pieces[:number]) / rate)
        free = wait + piece / rate
    assert free == pytest.approx(sum(pieces) / rate)
    assert throttle.take(1, free + 100) == 0.0, "what was not used is not saved up"


@given(st.integers(1, 64), st.floats(1e3, 1e9))
def test_nobody_is_silent_for_long_while_others_have_their_turns(connections: int, rate: float) -> None:
    """A storage hangs up after some 20 s without a byte."""
    limit = BandwidthLimiter(rate)
    waits = [limit.take(limit.piece(MAX_PIECE), 0.0) for _ in range(connections + 1)]
    assert max(waits) <= connections / 8


def test_without_a_limit_nobody_waits() -> None:
    assert BandwidthLimiter(None).take(10**9, 0.0) == 0.0
    assert BandwidthLimiter(None).piece(MAX_PIECE) == MAX_PIECE


def test_pieces_follow_the_link() -> None:
    piece = MAX_PIECE
    for _ in range(20):
        piece = next_piece(piece, seconds=2)
    assert piece == MIN_PIECE
    for _ in range(20):
        piece = next_piece(piece, seconds=0.01)
    assert piece == MAX_PIECE
    assert next_piece(piece, seconds=0.3) == piece
