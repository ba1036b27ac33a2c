"""What a mark says, and what keeps a second run from being cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from aignostics_async.bulk.database._queries import Attempt
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.reconciliation._matching import ReferenceMatch, RunQuery
from aignostics_async.bulk.reconciliation._ownership import SecondRun
from aignostics_async.submission._marks import RunMark, new_mark

MARK = RunMark(attempt="one", holder="here", job="job", intent="chunk")
VALUES = st.none() | st.text(max_size=3) | st.integers() | st.lists(st.none())


@given(st.dictionaries(st.sampled_from([*MARK.as_json(), "claimed", "withdrawn", "more"]), VALUES) | VALUES)
def test_whatever_is_stored_there_is_a_mark_or_none(stored: Any) -> None:
    mark = RunMark.read(stored)
    assert mark is None or RunMark.read(mark.as_json()) == mark
    assert (mark is None) or (mark.attempt and mark.holder)


def test_a_mark_survives_its_way() -> None:
    for mark in (MARK, new_mark(), MARK.claimed_by("x"), MARK.withdrawn_by("y")):
        assert RunMark.read({**mark.as_json(), "of a later release": [1]}) == mark
    assert new_mark().attempt != new_mark().attempt


def run(mark: RunMark | None, *, user: str = "me", size: int | None = 2, run_id: str = "run") -> ObservedRun:
    return ObservedRun(run_id, 0.0, "RUNNING", "a:v1", mark, user, size)


QUERY = RunQuery(
    references=frozenset("ab"),
    version="a:v1",
    since=0.0,
    known=frozenset(),
    job="job",
    intent="chunk",
    holder="here",
    attempts=frozenset({"one"}),
    other_attempts=frozenset({"two"}),
    is_marked=True,
    user="me",
)
READ = None


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (run(None), READ),
        (run(MARK), ReferenceMatch.SAME),
        (run(MARK, size=3), READ),
        (run(evolve(MARK, holder="an earlier process")), READ),
        (run(MARK, user="somebody else"), ReferenceMatch.POSSIBLE),
        (run(MARK.withdrawn_by("x")), ReferenceMatch.OTHER),
        (run(MARK.claimed_by("x")), ReferenceMatch.SAME),
        (run(evolve(MARK, attempt="a copy's")), READ),
        (run(evolve(MARK, attempt="a copy's").withdrawn_by("x")), ReferenceMatch.OTHER),
        (run(evolve(MARK, attempt="a copy's", intent="another")), READ),
        (run(evolve(MARK, attempt="two", intent="another")), ReferenceMatch.OTHER),
        (run(evolve(MARK, attempt="x", job="another")), ReferenceMatch.OTHER),
        (run(evolve(MARK, attempt="x", job=None, intent=None)), ReferenceMatch.OTHER),
    ],
    ids=lambda value: value.name if isinstance(value, ReferenceMatch) else None,
)
def test_what_a_mark_says_of_a_run(seen: ObservedRun, said: ReferenceMatch | None) -> None:
    assert QUERY.by_mark(seen) is said


SECOND = SecondRun(
    run=run(MARK, run_id="second"),
    first=run(evolve(MARK, attempt="three"), run_id="first"),
    sent=Attempt(1, "one", "here", "UNKNOWN"),
    holder="here",
    is_alone=True,
    is_whole=True,
)


def test_a_second_run_of_this_process_is_cancelled() -> None:
    assert SECOND.is_cancellable
    assert evolve(SECOND, holder="its heir", run=run(MARK.withdrawn_by("here"))).is_cancellable


@pytest.mark.parametrize(
    "change",
    [
        {"run": run(None)},
        {"run": run(MARK.claimed_by("a copy"))},
        {"run": run(MARK, user="somebody else")},
        {"run": run(evolve(MARK, holder="another process"))},
        {"first": None},
        {"first": run(None)},
        {"first": run(MARK, run_id="first")},
        {"sent": None},
        {"sent": Attempt(1, "one", "here", "CREATED")},
        {"sent": Attempt(1, "one", "here", None)},
        {"sent": Attempt(1, "one", "another process", "UNKNOWN")},
        {"holder": "another process"},
        {"is_alone": False},
        {"is_whole": False},
    ],
    ids=str,
)
def test_each_doubt_leaves_it_to_a_person(change: dict[str, Any]) -> None:
    assert not evolve(SECOND, **change).is_cancellable
