"""The state of a run: what is published, when its end is, and when it is scanned next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from attrs import evolve

from aignostics_async import ItemResult, ItemStatus, Page, RunDetails, RunStatistics, RunStatus
from aignostics_async.models import InvalidItem
from aignostics_async.watch._run_state import RunState

if TYPE_CHECKING:
    from aignostics_async.watch._transitions import Snapshot
    from aignostics_async.watch._watcher_state import Subscription

PENDING, SUCCEEDED = ItemStatus.PENDING, ItemStatus.SUCCEEDED
TIMEOUT, INTERVAL = 60, 30


class FakeSubscription:
    """A subscriber; the state of a run only asks whether it wants items."""

    wants_items = True


def details(status: RunStatus) -> RunDetails:
    return RunDetails("r", "a:v1.0.0", "org", status, datetime(2026, 1, 1, tzinfo=UTC), "me")


def items(*statuses: ItemStatus) -> tuple[ItemResult, ...]:
    return tuple(
        ItemResult(str(number), "r", f"case-{number}", status, None, ())
        for number, status in enumerate(statuses)
    )


class Case:
    """A run with one subscriber."""

    def __init__(self) -> None:
        self.subscriber = FakeSubscription()
        self.run = RunState("r")
        self.join(self.subscriber)

    def join(self, subscriber: FakeSubscription) -> None:
        self.run.add(cast("Subscription", subscriber))

    def observe(self, status: RunStatus, now: float) -> Snapshot | None:
        return self.run.observe(details(status), now)

    def scan(self, now: float, *statuses: ItemStatus) -> Snapshot | None:
        """Scan to the end, with a server that has items of these statuses."""
        while True:
            request = self.run.next_request(now)
            found = [
                item
                for item in items(*statuses)
                if (not request.statuses or item.status in request.statuses)
                and (not request.item_ids or item.item_id in request.item_ids)
            ]
            snapshot = self.run.record_page(Page(1, tuple(found)), now, TIMEOUT)
            if self.run.request is None:
                return snapshot


def published(snapshot: Snapshot | None) -> tuple[list[str], str | None, bool]:
    """Return the published items, the run's status if it is, and whether items are incomplete."""
    assert snapshot is not None
    run = None if snapshot.holds_run else snapshot.details.status
    return [item.item_id for item in snapshot.items], run, snapshot.items_incomplete


def wants_items(case: Case) -> bool:
    return case.run.wants_items


def test_items_are_scanned_once_the_run_is_running() -> None:
    case = Case()
    assert published(case.observe(RunStatus.RECEIVED, 0)) == ([], "RECEIVED", False)
    assert wants_items(case) is False
    assert case.observe(RunStatus.RECEIVED, 1) is None
    case.observe(RunStatus.RUNNING, 2)
    assert wants_items(case) is True
    assert published(case.scan(2, PENDING, PENDING)) == (["0", "1"], None, False)
    assert published(case.scan(32, PENDING, SUCCEEDED)) == (["1"], None, False)
    assert published(case.scan(62, PENDING, PENDING)) == ([], None, False), "a stale response changes nothing"


def test_a_final_run_is_held_until_a_scan_that_began_after_it() -> None:
    case = Case()
    case.observe(RunStatus.RUNNING, 0)
    case.run.next_request(1)
    assert published(case.observe(RunStatus.COMPLETED, 2)) == ([], None, False)
    before = case.run.record_page(Page(1, items(SUCCEEDED, SUCCEEDED)), 3, TIMEOUT)
    assert published(before) == (["0", "1"], None, False), "complete, but it began before"
    assert case.run.next_scan_at(3, INTERVAL, TIMEOUT) == 3, "at once"
    assert published(case.scan(3, SUCCEEDED, SUCCEEDED)) == ([], "COMPLETED", False)
    assert not case.run.wants_items


def test_a_stale_scan_of_a_final_run_is_not_complete() -> None:
    case = Case()
    case.observe(RunStatus.RUNNING, 0)
    case.scan(1, SUCCEEDED, SUCCEEDED)
    case.observe(RunStatus.COMPLETED, 2)
    assert published(case.scan(3, SUCCEEDED, PENDING)) == ([], None, False)
    assert published(case.scan(4, SUCCEEDED)) == ([], None, False)
    assert published(case.scan(5, SUCCEEDED, SUCCEEDED)) == ([], "COMPLETED", False)


def test_the_results_timeout_ends() -> None:
    case = Case()
    case.observe(RunStatus.COMPLETED, 0)
    assert published(case.scan(59.9, SUCCEEDED, PENDING)) == (["0", "1"], None, False)
    assert published(case.scan(60, SUCCEEDED, PENDING)) == ([], "COMPLETED", True)


def test_the_results_timeout_ends_without_results() -> None:
    case = Case()
    case.observe(RunStatus.COMPLETED, 0)
    case.run.next_request(1)
    assert case.run.give_up(30, TIMEOUT) is None
    assert published(case.run.give_up(60, TIMEOUT)) == ([], "COMPLETED", True)


def test_an_invalid_item_is_not_final() -> None:
    case = Case()
    case.observe(RunStatus.COMPLETED, 0)
    broken = Page(1, items(SUCCEEDED), (InvalidItem(1, "no id", ""),))
    case.run.next_request(1)
    assert published(case.run.record_page(broken, 1, TIMEOUT)) == (["0"], None, False)
    case.run.next_request(60)
    assert published(case.run.record_page(broken, 60, TIMEOUT)) == (["0"], "COMPLETED", True)


def test_only_a_rejected_run_is_complete_without_items() -> None:
    for status, end in ((RunStatus.COMPLETED, None), (RunStatus.REJECTED, "REJECTED")):
        case = Case()
        case.observe(status, 0)
        assert published(case.scan(1)) == ([], end, False)


def test_a_late_subscriber_gets_everything_by_a_scan_of_its_own() -> None:
    case = Case()
    case.observe(RunStatus.RUNNING, 0)
    case.scan(1, SUCCEEDED, PENDING)
    case.run.next_request(31)
    later = FakeSubscription()
    case.join(later)
    moved = case.run.record_page(Page(1, items(SUCCEEDED)), 32, TIMEOUT)
    assert published(moved) == (["0"], None, False), "the scan that had begun may show a part"
    assert case.run.next_scan_at(32, INTERVAL, TIMEOUT) == 32
    assert published(case.scan(32, SUCCEEDED, PENDING)) == (["0", "1"], None, False)
    assert case.run.next_scan_at(32, INTERVAL, TIMEOUT) == 62


def test_a_run_that_is_over_is_scanned_again_for_a_late_subscriber() -> None:
    case = Case()
    case.observe(RunStatus.COMPLETED, 0)
    case.scan(1, SUCCEEDED)
    later = FakeSubscription()
    case.join(later)
    assert published(case.run.snapshot()) == ([], None, False)
    assert case.run.wants_items
    assert published(case.scan(2, SUCCEEDED)) == (["0"], "COMPLETED", False)


def test_a_nearly_done_run_is_scanned_twice_as_often() -> None:
    case = Case()
    case.observe(RunStatus.RUNNING, 0)
    case.scan(0, *[SUCCEEDED] * 8, *[PENDING] * 2)
    assert case.run.next_scan_at(0, INTERVAL, TIMEOUT) == 30
    case.scan(30, *[SUCCEEDED] * 9, PENDING)
    assert case.run.next_scan_at(30, INTERVAL, TIMEOUT) == 45


def test_late_results_are_requested_with_growing_waits_until_the_timeout() -> None:
    case = Case()
    case.observe(RunStatus.COMPLETED, 0)
    now, times = 0.0, []
    while case.run.wants_items:
        assert case.run.is_final, "its scans are urgent"
        snapshot = case.scan(now, PENDING)
        now = case.run.next_scan_at(now, 16, TIMEOUT)
        times.append(now)
    assert times[:-1] == [1, 3, 7, 15, 31, 60]
    assert published(snapshot) == ([], "COMPLETED", True)


def test_a_run_is_missing_since_the_first_time() -> None:
    case = Case()
    doubts = [case.run.is_doubtful]
    case.observe(RunStatus.RUNNING, 0)
    doubts.append(case.run.is_doubtful)
    assert [case.run.record_missing(10), case.run.record_missing(14)] == [0, 4]
    doubts.append(case.run.is_doubtful)
    case.observe(RunStatus.RUNNING, 15)
    doubts.append(case.run.is_doubtful)
    assert doubts == [True, False, True, False]
    assert case.run.record_missing(20) == 0


def counted(*statuses: ItemStatus) -> RunDetails:
    """Return the details of a run whose list carries counts of its items."""
    counts = [statuses.count(each) for each in RunStatistics(0, 0, 0, 0, 0, 0, 0).by_status()]
    return evolve(details(RunStatus.RUNNING), statistics=RunStatistics(len(statuses), *counts))


def test_items_are_read_where_the_counts_have_moved() -> None:
    def moved() -> bool:
        return case.run.counts_moved

    case = Case()
    case.run.observe(counted(PENDING, PENDING), 0)
    assert moved(), "nothing was read yet"
    case.scan(0, PENDING, PENDING)
    assert not moved()
    quiet = case.run.next_scan_at(0, INTERVAL, TIMEOUT)
    assert INTERVAL < quiet < 20 * INTERVAL, "read again all the same, in case the counts are wrong"
    assert case.run.observe(counted(PENDING, SUCCEEDED), 30) is None
    assert moved()
    assert published(case.scan(30, PENDING, PENDING)) == ([], None, False), "a listing that lags behind"
    assert moved()
    assert case.run.next_scan_at(30, INTERVAL, TIMEOUT) == 30 + INTERVAL
    assert published(case.scan(60, PENDING, SUCCEEDED)) == (["1"], None, False)
    assert not moved()


def test_counts_are_in_the_order_of_their_names() -> None:
    assert RunStatistics(21, 1, 2, 3, 4, 5, 6).by_status() == {
        ItemStatus.PENDING: 1,
        ItemStatus.PROCESSING: 2,
        ItemStatus.SUCCEEDED: 3,
        ItemStatus.ERROR_USER: 4,
        ItemStatus.ERROR_SYSTEM: 5,
        ItemStatus.SKIPPED: 6,
    }
