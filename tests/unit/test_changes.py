"""What looks at a run tell, to somebody who knows some of it already."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

from attrs import evolve
from hypothesis import given, strategies as st

from aignostics_async import Change, ItemResult, ItemStatus, RunDetails, RunStatus
from aignostics_async.watch._status_order import is_later, rank
from aignostics_async.watch._transitions import Known, Look, changes

RUNS = [RunStatus("received"), *RunStatus, RunStatus("POLISHING"), RunStatus("polishing")]
ITEMS = [ItemStatus("pending"), *ItemStatus, ItemStatus("PROCESSING")]


def look(run: RunStatus, *, holds_run: bool = False, **items: ItemStatus) -> Look:
    details = RunDetails("r", "app:v1", "org", run, datetime(2026, 1, 1, tzinfo=UTC), "me")
    results = tuple(ItemResult(name, "r", name, status, None, ()) for name, status in items.items())
    return Look(details, results, holds_run=holds_run)


def told(known: Known, seen: Look) -> tuple[list[tuple[str | None, str | None, str]], Known]:
    given_out: list[tuple[str | None, str | None, str]] = []
    for change in changes(known, seen):
        given_out.append((change.reference, change.old, change.new))
        known = known.after(change)
    return given_out, known


def test_the_current_state_comes_first_then_only_what_changed() -> None:
    pending = look(RunStatus.RUNNING, a=ItemStatus.PENDING, b=ItemStatus.PENDING)
    first, known = told(Known(), pending)
    assert first == [(None, None, "RUNNING"), ("a", None, "PENDING"), ("b", None, "PENDING")]
    assert told(known, pending)[0] == []
    moved = look(RunStatus.RUNNING, a=ItemStatus.SUCCEEDED, b=ItemStatus.PENDING)
    assert told(known, moved)[0] == [("a", "PENDING", "SUCCEEDED")]


def test_a_final_run_comes_after_its_items() -> None:
    _, known = told(Known(), look(RunStatus.RUNNING, a=ItemStatus.PENDING))
    done = look(RunStatus.COMPLETED, a=ItemStatus.SUCCEEDED)
    assert told(known, done)[0] == [("a", "PENDING", "SUCCEEDED"), (None, "RUNNING", "COMPLETED")]


def test_a_run_is_held_back_where_the_look_says_so() -> None:
    late = look(RunStatus.COMPLETED, holds_run=True, a=ItemStatus.PENDING)
    assert told(Known(), late)[0] == [("a", None, "PENDING")]


@given(st.lists(st.sampled_from(RUNS)), st.lists(st.sampled_from(ITEMS)))
def test_ranks_never_go_down_and_no_state_comes_twice(runs: list[RunStatus], items: list[ItemStatus]) -> None:
    known = Known()
    seen: dict[str | None, list[str]] = {None: [], "a": []}
    for index in range(max(len(runs), len(items))):
        run = runs[index % len(runs)] if runs else RunStatus.RECEIVED
        one = look(run, a=items[index % len(items)]) if items else look(run)
        given_out, known = told(known, one)
        for reference, old, new in given_out:
            assert old == (seen[reference][-1] if seen[reference] else None)
            seen[reference].append(new)
    for states in seen.values():
        ranks = [rank(state) for state in states]  # type: ignore[arg-type]
        assert ranks == sorted(set(ranks))


def test_a_status_of_a_later_release_is_between() -> None:
    unknown = RunStatus("POLISHING")
    assert is_later(RunStatus.RUNNING, unknown)
    assert not is_later(unknown, RunStatus.RUNNING)
    assert is_later(unknown, RunStatus.COMPLETED)
    assert not is_later(RunStatus.COMPLETED, RunStatus.CANCELED_USER), "the first final state stays"


def test_a_look_on_top_of_one_that_nobody_took() -> None:
    older = look(RunStatus.SCHEDULED, a=ItemStatus.SUCCEEDED, b=ItemStatus.PENDING)
    newer = look(RunStatus.COMPLETED, holds_run=True, a=ItemStatus.PENDING, c=ItemStatus.PENDING)
    both = newer.over(older)
    assert {item.reference: item.status for item in both.items} == {
        "a": "SUCCEEDED",
        "b": "PENDING",
        "c": "PENDING",
    }
    assert (both.details.status, both.holds_run) == ("SCHEDULED", False), "what is held takes nothing away"
    final = evolve(newer, holds_run=False, items=()).over(both)
    assert told(Known(), final)[0][-1] == (None, None, "COMPLETED")


def test_the_id_of_a_change_is_that_of_the_state() -> None:
    run, item = changes(Known(), look(RunStatus("running"), a=ItemStatus.PENDING))
    assert (run.id, item.id) == ("r/RUNNING", "r/a/PENDING")


def test_a_change_pickles_with_its_cursor() -> None:
    (change,) = changes(Known(), look(RunStatus.RUNNING))
    change = evolve(change, cursor=lambda: "w1.place")
    for other in (pickle.loads(pickle.dumps(change)), copy.deepcopy(change)):
        assert isinstance(other, Change)
        assert (other, other.cursor) == (change, "w1.place")
