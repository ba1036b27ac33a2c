"""Which runs may belong to an intent: by version, time and what is known of them."""

from __future__ import annotations

import pytest

from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.reconciliation._matching import CLOCK_SKEW, RunQuery

SKEW = CLOCK_SKEW

QUERY = RunQuery(references=frozenset({"a"}), version="a:v1.0.0", since=1e6, known=frozenset({"known"}))


def observed(run_id: str = "new", *, triggered_at: float = 1e6, version: str = "a:v1.0.0") -> ObservedRun:
    return ObservedRun(run_id=run_id, triggered_at=triggered_at, status="RUNNING", version=version)


@pytest.mark.parametrize(
    ("run", "is_candidate"),
    [
        (observed(), True),
        (observed(triggered_at=1e6 - SKEW), True),
        (observed(triggered_at=1e6 - SKEW - 1), False),
        (observed(triggered_at=2e6), True),
        (observed(version="a:v1.0.1"), False),
        (observed("known"), False),
    ],
    ids=["same time", "clock behind", "clock too far behind", "later", "other version", "known before"],
)
def test_a_run_of_another_clock_may_still_be_the_one(run: ObservedRun, is_candidate: bool) -> None:
    assert QUERY.may_be(run) is is_candidate


def test_the_allowance_for_clocks_is_that_of_a_wrong_time_zone() -> None:
    assert 14 * 3600 <= SKEW <= 86_400, "less loses runs, more reads the items of every run"
