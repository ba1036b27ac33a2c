"""What snapshots of a run change for an observer."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

from attrs import evolve
from hypothesis import given, strategies as st

from aignostics_async import Change, ItemResult, ItemStatus, RunDetails, RunStatus
from aignostics_async.watch._status_order import is_later, rank
from aignostics_async.watch._transitions import ObservedState, Snapshot, changes

RUNS = [RunStatus("received"), *RunStatus, RunStatus("POLISHING"), RunStatus("polishing")]
ITEMS = [ItemStatus("pending"), *ItemStatus, ItemStatus("PROCESSING")]


def snapshot(run: RunStatus, *, holds_run: bool = False, **items: ItemStatus) -> Snapshot:
    details = RunDetails("r", "app:v1", "org", run, datetime(2026, 1, 1, tzinfo=UTC), "me")
    results = tuple(ItemResult(name, "r", name, status, None, ()) for name, status in items.items())
    return Snapshot(details, results, holds_run=holds_run)


def report(
    observed: ObservedState, shown: Snapshot
) -> tuple[list[tuple[str | None, str | None, str]], ObservedState]:
    reported: list[tuple[str | None, str | None, str]] = []
    for change in changes(observed, shown):
        reported.append((change.reference, change.old, change.new))
        observed = observed.apply(change)
    return reported, observed


def test_the_current_state_comes_first_then_only_changes() -> None:
    pending = snapshot(RunStatus.RUNNING, a=ItemStatus.PENDING, b=ItemStatus.PENDING)
    first, observed = report(ObservedState(), pending)
    assert first == [(None, None, "RUNNING"), ("a", None, "PENDING"), ("b", None, "PENDING")]
    assert report(observed, pending)[0] == []
    moved = snapshot(RunStatus.RUNNING, a=ItemStatus.SUCCEEDED, b=ItemStatus.PENDING)
    assert report(observed, moved)[0] == [("a", "PENDING", "SUCCEEDED")]


def test_a_final_run_comes_after_its_items() -> None:
    _, observed = report(ObservedState(), snapshot(RunStatus.RUNNING, a=ItemStatus.PENDING))
    done = snapshot(RunStatus.COMPLETED, a=ItemStatus.SUCCEEDED)
    assert report(observed, done)[0] == [("a", "PENDING", "SUCCEEDED"), (None, "RUNNING", "COMPLETED")]


def test_a_held_run_is_not_reported() -> None:
    late = snapshot(RunStatus.COMPLETED, holds_run=True, a=ItemStatus.PENDING)
    assert report(ObservedState(), late)[0] == [("a", None, "PENDING")]


@given(st.lists(st.sampled_from(RUNS)), st.lists(st.sampled_from(ITEMS)))
def test_ranks_only_rise_and_no_status_comes_twice(runs: list[RunStatus], items: list[ItemStatus]) -> None:
    observed = ObservedState()
    seen: dict[str | None, list[str]] = {None: [], "a": []}
    for index in range(max(len(runs), len(items))):
        run = runs[index % len(runs)] if runs else RunStatus.RECEIVED
        one = snapshot(run, a=items[index % len(items)]) if items else snapshot(run)
        reported, observed = report(observed, one)
        for reference, old, new in reported:
            assert old == (seen[reference][-1] if seen[reference] else None)
            seen[reference].append(new)
    for states in seen.values():
        ranks = [rank(state) for state in states]  # type: ignore[arg-type]
        assert ranks == sorted(set(ranks))


def test_an_unknown_status_ranks_below_the_final_ones() -> None:
    unknown = RunStatus("POLISHING")
    assert is_later(RunStatus.RUNNING, unknown)
    assert not is_later(unknown, RunStatus.RUNNING)
    assert is_later(unknown, RunStatus.COMPLETED)
    assert not is_later(RunStatus.COMPLETED, RunStatus.CANCELED_USER), "the first final status stays"


def test_snapshots_that_were_not_pulled_are_merged() -> None:
    older = snapshot(RunStatus.SCHEDULED, a=ItemStatus.SUCCEEDED, b=ItemStatus.PENDING)
    newer = snapshot(RunStatus.COMPLETED, holds_run=True, a=ItemStatus.PENDING, c=ItemStatus.PENDING)
    both = newer.merge(older)
    assert {item.reference: item.status for item in both.items} == {
        "a": "SUCCEEDED",
        "b": "PENDING",
        "c": "PENDING",
    }
    assert (both.details.status, both.holds_run) == ("SCHEDULED", False), "a held status replaces nothing"
    final = evolve(newer, holds_run=False, items=()).merge(both)
    assert report(ObservedState(), final)[0][-1] == (None, None, "COMPLETED")


def test_the_id_of_a_change_identifies_the_status() -> None:
    run, item = changes(ObservedState(), snapshot(RunStatus("running"), a=ItemStatus.PENDING))
    assert (run.id, item.id) == ("r/RUNNING", "r/a/PENDING")


def test_a_change_pickles_with_its_cursor() -> None:
    (change,) = changes(ObservedState(), snapshot(RunStatus.RUNNING))
    change = evolve(change, cursor=lambda: "w1.place")
    for other in (pickle.loads(pickle.dumps(change)), copy.deepcopy(change)):
        assert isinstance(other, Change)
        assert (other, other.cursor) == (change, "w1.place")
