"""What two looks at a run tell."""

from __future__ import annotations

from datetime import UTC, datetime

from aignostics_async import ItemResult, ItemStatus, RunDetails, RunStatus
from aignostics_async.watch._transitions import Look, Seen, changes


def look(run: RunStatus, **items: ItemStatus) -> Look:
    details = RunDetails("r", "app:v1", "org", run, datetime(2026, 1, 1, tzinfo=UTC), "me")
    results = tuple(ItemResult(name, "r", name, status, None, ()) for name, status in items.items())
    return Look(details, results)


def told(seen: Seen, new: Look, **options: bool) -> list[tuple[str | None, str | None, str]]:
    return [(change.reference, change.old, change.new) for change in changes(seen, new, **options)]


def test_the_current_state_comes_first_then_only_what_changed() -> None:
    first = look(RunStatus.RUNNING, a=ItemStatus.PENDING, b=ItemStatus.PENDING)
    assert told(Seen(), first) == [
        ("a", None, "PENDING"),
        ("b", None, "PENDING"),
        (None, None, "RUNNING"),
    ]
    seen = Seen().after(first)
    assert told(seen, first) == []
    second = look(RunStatus.RUNNING, a=ItemStatus.SUCCEEDED, b=ItemStatus.PENDING)
    assert told(seen, second) == [("a", "PENDING", "SUCCEEDED")]


def test_a_final_run_comes_after_its_items() -> None:
    seen = Seen().after(look(RunStatus.RUNNING, a=ItemStatus.PENDING))
    done = look(RunStatus.COMPLETED, a=ItemStatus.SUCCEEDED)
    assert told(seen, done)[-1] == (None, "RUNNING", "COMPLETED")


def test_a_final_run_can_be_held_back() -> None:
    late = look(RunStatus.COMPLETED, a=ItemStatus.PENDING)
    assert not late.is_complete
    assert told(Seen(), late, hold_final=True) == [("a", None, "PENDING")]


def test_a_stale_answer_takes_nothing_back() -> None:
    seen = Seen().after(look(RunStatus.RUNNING, a=ItemStatus.SUCCEEDED))
    stale = look(RunStatus.RUNNING, a=ItemStatus.PENDING)
    assert told(seen, stale) == []
    assert seen.after(stale).items == {"a": ItemStatus.SUCCEEDED}
