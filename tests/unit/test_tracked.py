"""What the poller has seen of a run, and what follows: when its end is told, and when it is read next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from aignostics_async import ItemResult, ItemStatus, Page, RunDetails, RunStatus
from aignostics_async.models import InvalidItem
from aignostics_async.watch._run_state import Tracked

if TYPE_CHECKING:
    from aignostics_async.watch._transitions import Look
    from aignostics_async.watch._watcher import Watcher

PENDING, SUCCEEDED = ItemStatus.PENDING, ItemStatus.SUCCEEDED
GRACE, INTERVAL = 60, 30


class Somebody:
    """Who watches it; a set of weak references needs no more."""

    wants_items = True


def details(status: RunStatus) -> RunDetails:
    return RunDetails("r", "a:v1.0.0", "org", status, datetime(2026, 1, 1, tzinfo=UTC), "me")


def items(*statuses: ItemStatus) -> tuple[ItemResult, ...]:
    return tuple(
        ItemResult(str(number), "r", f"case-{number}", status, None, ())
        for number, status in enumerate(statuses)
    )


class Case:
    """A run that is watched, and one who watches it."""

    def __init__(self) -> None:
        self.somebody = Somebody()
        self.run = Tracked("r")
        self.join(self.somebody)

    def join(self, somebody: Somebody) -> None:
        self.run.join(cast("Watcher", somebody))

    def see(self, status: RunStatus, now: float) -> Look | None:
        return self.run.see(details(status), now)

    def read(self, now: float, *statuses: ItemStatus) -> Look | None:
        """Read to the end, from a server where the items are as they are given."""
        while True:
            ask = self.run.begin(now)
            answer = [
                item
                for item in items(*statuses)
                if (not ask.statuses or item.status in ask.statuses)
                and (not ask.item_ids or item.item_id in ask.item_ids)
            ]
            look = self.run.take(Page(1, tuple(answer)), now, GRACE)
            if self.run.ask is None:
                return look


def told(look: Look | None) -> tuple[list[str], str | None, bool]:
    """Return the items that are told, the run's state if it is, and whether the items are incomplete."""
    assert look is not None
    run = None if look.holds_run else look.details.status
    return [item.item_id for item in look.items], run, look.items_incomplete


def wants_items(case: Case) -> bool:
    return case.run.wants_items


def test_items_are_read_from_running_on() -> None:
    case = Case()
    assert told(case.see(RunStatus.RECEIVED, 0)) == ([], "RECEIVED", False)
    assert wants_items(case) is False
    assert case.see(RunStatus.RECEIVED, 1) is None
    case.see(RunStatus.RUNNING, 2)
    assert wants_items(case) is True
    assert told(case.read(2, PENDING, PENDING)) == (["0", "1"], None, False)
    assert told(case.read(32, PENDING, SUCCEEDED)) == (["1"], None, False)
    assert told(case.read(62, PENDING, PENDING)) == ([], None, False), "a stale answer is no news"


def test_a_final_run_is_held_until_a_reading_that_began_after_it() -> None:
    case = Case()
    case.see(RunStatus.RUNNING, 0)
    case.run.begin(1)
    assert told(case.see(RunStatus.COMPLETED, 2)) == ([], None, False)
    before = case.run.take(Page(1, items(SUCCEEDED, SUCCEEDED)), 3, GRACE)
    assert told(before) == (["0", "1"], None, False), "complete, but it began before"
    assert case.run.next_reading(3, INTERVAL, GRACE) == 3, "at once"
    assert told(case.read(3, SUCCEEDED, SUCCEEDED)) == ([], "COMPLETED", False)
    assert not case.run.wants_items


def test_a_stale_reading_of_a_final_run_is_not_complete() -> None:
    case = Case()
    case.see(RunStatus.RUNNING, 0)
    case.read(1, SUCCEEDED, SUCCEEDED)
    case.see(RunStatus.COMPLETED, 2)
    assert told(case.read(3, SUCCEEDED, PENDING)) == ([], None, False)
    assert told(case.read(4, SUCCEEDED)) == ([], None, False)
    assert told(case.read(5, SUCCEEDED, SUCCEEDED)) == ([], "COMPLETED", False)


def test_the_grace_ends() -> None:
    case = Case()
    case.see(RunStatus.COMPLETED, 0)
    assert told(case.read(59.9, SUCCEEDED, PENDING)) == (["0", "1"], None, False)
    assert told(case.read(60, SUCCEEDED, PENDING)) == ([], "COMPLETED", True)


def test_the_grace_ends_where_nothing_can_be_read() -> None:
    case = Case()
    case.see(RunStatus.COMPLETED, 0)
    case.run.begin(1)
    assert case.run.give_up(30, GRACE) is None
    assert told(case.run.give_up(60, GRACE)) == ([], "COMPLETED", True)


def test_an_item_that_can_t_be_read_is_not_known_to_be_final() -> None:
    case = Case()
    case.see(RunStatus.COMPLETED, 0)
    broken = Page(1, items(SUCCEEDED), (InvalidItem(1, "no id", ""),))
    case.run.begin(1)
    assert told(case.run.take(broken, 1, GRACE)) == (["0"], None, False)
    case.run.begin(60)
    assert told(case.run.take(broken, 60, GRACE)) == (["0"], "COMPLETED", True)


def test_a_run_without_items_is_complete_only_where_it_was_rejected() -> None:
    for status, is_told in ((RunStatus.COMPLETED, None), (RunStatus.REJECTED, "REJECTED")):
        case = Case()
        case.see(status, 0)
        assert told(case.read(1)) == ([], is_told, False)


def test_who_comes_later_is_told_everything_and_waits_for_a_reading_of_his_own() -> None:
    case = Case()
    case.see(RunStatus.RUNNING, 0)
    case.read(1, SUCCEEDED, PENDING)
    case.run.begin(31)
    later = Somebody()
    case.join(later)
    moved = case.run.take(Page(1, items(SUCCEEDED)), 32, GRACE)
    assert told(moved) == (["0"], None, False), "the reading that was under way may show a part"
    assert case.run.next_reading(32, INTERVAL, GRACE) == 32
    assert told(case.read(32, SUCCEEDED, PENDING)) == (["0", "1"], None, False)
    assert case.run.next_reading(32, INTERVAL, GRACE) == 62


def test_a_final_run_that_is_over_is_read_again_for_who_comes_later() -> None:
    case = Case()
    case.see(RunStatus.COMPLETED, 0)
    case.read(1, SUCCEEDED)
    later = Somebody()
    case.join(later)
    assert told(case.run.picture()) == ([], None, False)
    assert case.run.wants_items
    assert told(case.read(2, SUCCEEDED)) == (["0"], "COMPLETED", False)


def test_a_run_near_completion_is_read_twice_as_often() -> None:
    case = Case()
    case.see(RunStatus.RUNNING, 0)
    case.read(0, *[SUCCEEDED] * 8, *[PENDING] * 2)
    assert case.run.next_reading(0, INTERVAL, GRACE) == 30
    case.read(30, *[SUCCEEDED] * 9, PENDING)
    assert case.run.next_reading(30, INTERVAL, GRACE) == 45


def test_late_results_are_looked_for_soon_then_less_often_and_when_the_grace_ends() -> None:
    case = Case()
    case.see(RunStatus.COMPLETED, 0)
    now, times = 0.0, []
    while case.run.wants_items:
        assert case.run.is_urgent, "it does not wait for thousands that are RUNNING"
        look = case.read(now, PENDING)
        now = case.run.next_reading(now, 16, GRACE)
        times.append(now)
    assert times[:-1] == [1, 3, 7, 15, 31, 60]
    assert told(look) == ([], "COMPLETED", True)


def test_it_is_missing_since_it_was_missed_first() -> None:
    case = Case()
    doubts = [case.run.is_doubtful]
    case.see(RunStatus.RUNNING, 0)
    doubts.append(case.run.is_doubtful)
    assert [case.run.miss(10), case.run.miss(14)] == [0, 4]
    doubts.append(case.run.is_doubtful)
    case.see(RunStatus.RUNNING, 15)
    doubts.append(case.run.is_doubtful)
    assert doubts == [True, False, True, False]
    assert case.run.miss(20) == 0
