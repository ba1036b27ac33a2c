"""Which requests show the state of runs: pages of the list, or single runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aignostics_async import Page, RunDetails, RunStatus
from aignostics_async.watch._run_scan import ScanRequest, scan_runs

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def runs(count: int) -> list[RunDetails]:
    """Return runs, the newest first, one a minute."""
    return [
        RunDetails(f"{age}", "a:v1.0.0", "org", RunStatus.RUNNING, BEGIN - timedelta(minutes=age), "me")
        for age in range(count)
    ]


def drive(
    listed: list[RunDetails],
    targets: list[str],
    *,
    pages: int = 1,
    since: datetime | None = None,
    are_known: bool = True,
    after: Callable[[int], None] = lambda _number: None,
    size: int | None = None,
) -> tuple[list[ScanRequest], int]:
    """Return the requests of a scan, and the number of pages that it returns."""
    ages = {run_id: BEGIN - timedelta(minutes=int(run_id)) if are_known else None for run_id in targets}
    scan = scan_runs(ages, since=since, pages=pages)
    requests: list[ScanRequest] = []
    page = None
    while True:
        try:
            request = scan.send(page)
        except StopIteration as end:
            return requests, end.value
        requests.append(request if isinstance(request, str) else str(request.number) + ".")
        page = None
        if not isinstance(request, str):
            given = size or request.size
            start = (request.number - 1) * given
            page = Page(request.number, tuple(listed[start : start + given]))
            after(request.number)


def test_one_run_is_requested_by_its_id() -> None:
    assert drive(runs(1000), ["700"]) == (["700"], 1)


def test_many_runs_are_listed_until_the_oldest_is_found() -> None:
    targets = [str(age) for age in range(250)]
    assert drive(runs(1000), targets) == (["1.", "2.", "3."], 3)
    assert drive(runs(250), targets) == (["1.", "2.", "3."], 3)


def test_all_runs_are_listed_where_the_page_size_is_ignored() -> None:
    targets = [str(age) for age in range(120)]
    assert drive(runs(1000), targets, size=50) == (["1.", "2.", "3."], 3)


def test_no_targets_take_no_requests() -> None:
    assert drive(runs(10), []) == ([], 1)


def test_a_run_that_no_page_shows_is_requested_by_its_id() -> None:
    listed = runs(1000)
    del listed[20]
    targets = [str(age) for age in range(200)]
    assert drive(listed, targets) == (["1.", "2.", "20"], 2)


def test_a_run_that_moves_to_an_earlier_page_is_requested_by_its_id() -> None:
    listed = runs(300)
    targets = [str(age) for age in range(300)]

    def delete_some(number: int) -> None:
        if number == 1:
            del listed[:3]

    requests, _ = drive(listed, targets, after=delete_some)
    # The three that were deleted were found before that; those that moved past were not.
    assert requests == ["1.", "2.", "3.", "100", "101", "102"]


def test_old_runs_are_listed_only_while_that_is_cheaper() -> None:
    targets = [str(age) for age in range(9000, 9005)]
    requests, pages = drive(runs(10_000), targets)
    assert requests == ["1.", "2.", "3.", "4.", "5.", *targets]
    assert drive(runs(10_000), targets, pages=pages)[0] == targets, "the next scan knows which way is cheaper"


def test_runs_of_unknown_age_may_be_on_any_page() -> None:
    assert drive(runs(1000), ["150", "250"], are_known=False)[0] == ["1.", "2.", "3."]


def test_since_lists_every_later_run() -> None:
    since = BEGIN - timedelta(minutes=240)
    assert drive(runs(1000), [], since=since) == (["1.", "2.", "3."], 3)
    assert drive(runs(1000), ["350"], since=since)[0] == ["1.", "2.", "3.", "350"]
    assert drive(runs(40), [], since=since)[0] == ["1."]
    assert drive([], [], since=since)[0] == ["1."]


def test_a_server_that_ignores_the_number_of_the_page_is_asked_for_each_run() -> None:
    same = runs(100) * 9
    assert drive(same, ["700"], since=BEGIN - timedelta(days=1)) == (["1.", "2.", "3.", "700"], 3)
