"""The one rule of backoff."""

from __future__ import annotations

from hypothesis import given, strategies as st

from aignostics_async._core._backoff import Backoff

BACKOFF = Backoff(initial=1, maximum=30)


def test_waits_double_up_to_the_maximum() -> None:
    waits = [BACKOFF.wait(failures, 0) for failures in range(1, 8)]
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert [*BACKOFF.pauses(8, lambda: 0)] == [0, *waits]
    assert [*BACKOFF.pauses(1)] == [0]


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_jitter_only_shortens_and_by_a_quarter_at_most(failures: int, draw: float) -> None:
    full = BACKOFF.wait(failures, 0)
    assert 0.75 * full <= BACKOFF.wait(failures, draw) <= full


@given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1000))
def test_retry_after_only_lengthens(failures: int, draw: float, retry_after: float) -> None:
    waited = BACKOFF.wait(failures, draw, retry_after=retry_after)
    assert waited == max(retry_after, BACKOFF.wait(failures, draw))
