"""Which runs may belong to an intent: by version, time and what is known of them."""

from __future__ import annotations

import pytest

from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.reconciliation._matching import CLOCK_SKEW, RunQuery

QUERY = RunQuery(references=frozenset({"a"}), version="a:v1.0.0", since=10_000.0, known=frozenset({"known"}))


def observed(
    run_id: str = "new", *, triggered_at: float = 10_000.0, version: str = "a:v1.0.0"
) -> ObservedRun:
    return ObservedRun(run_id=run_id, triggered_at=triggered_at, status="RUNNING", version=version)


@pytest.mark.parametrize(
    ("run", "is_candidate"),
    [
        (observed(), True),
        (observed(triggered_at=10_000.0 - CLOCK_SKEW), True),
        (observed(triggered_at=10_000.0 - CLOCK_SKEW - 1), False),
        (observed(triggered_at=10_000.0 + 1e6), True),
        (observed(version="a:v1.0.1"), False),
        (observed("known"), False),
    ],
    ids=["same time", "clock behind", "clock too far behind", "later", "other version", "known before"],
)
def test_a_run_of_another_clock_may_still_be_the_one(run: ObservedRun, is_candidate: bool) -> None:
    assert QUERY.may_be(run) is is_candidate


def test_the_allowance_for_clocks_is_minutes() -> None:
    assert 60 <= CLOCK_SKEW <= 3600, "less loses runs to a skewed clock, more reads the items of every run"
