"""Which requests show how runs stand: pages of the list, or single runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aignostics_async import Page, RunDetails, RunStatus
from aignostics_async.watch._run_scan import Question, survey

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def runs(count: int) -> list[RunDetails]:
    """Return runs, the newest first, one a minute."""
    return [
        RunDetails(f"{age}", "a:v1.0.0", "org", RunStatus.RUNNING, BEGIN - timedelta(minutes=age), "me")
        for age in range(count)
    ]


def drive(
    listed: list[RunDetails],
    wanted: list[str],
    *,
    pages: int = 1,
    since: datetime | None = None,
    are_known: bool = True,
    after: Callable[[int], None] = lambda _number: None,
) -> tuple[list[Question], int]:
    """Return what is asked for, and the number of pages that it says."""
    ages = {run_id: BEGIN - timedelta(minutes=int(run_id)) if are_known else None for run_id in wanted}
    asking = survey(ages, since=since, pages=pages)
    asked: list[Question] = []
    answer = None
    while True:
        try:
            question = asking.send(answer)
        except StopIteration as end:
            return asked, end.value
        asked.append(question if isinstance(question, str) else str(question.number) + ".")
        answer = None
        if not isinstance(question, str):
            start = (question.number - 1) * question.size
            answer = Page(question.number, tuple(listed[start : start + question.size]))
            after(question.number)


def test_one_run_is_asked_for_by_its_id() -> None:
    assert drive(runs(1000), ["700"]) == (["700"], 1)


def test_many_are_listed_a_hundred_at_a_time_until_the_oldest_is_found() -> None:
    wanted = [str(age) for age in range(250)]
    assert drive(runs(1000), wanted) == (["1.", "2.", "3."], 3)
    assert drive(runs(250), wanted) == (["1.", "2.", "3."], 3)


def test_nothing_is_asked_for_nothing() -> None:
    assert drive(runs(10), []) == ([], 1)


def test_a_run_that_is_not_where_it_should_be_is_asked_for_by_its_id() -> None:
    listed = runs(1000)
    del listed[20]
    wanted = [str(age) for age in range(200)]
    assert drive(listed, wanted) == (["1.", "2.", "20"], 2)


def test_a_run_that_slides_to_a_page_that_was_read_is_asked_for_by_its_id() -> None:
    listed = runs(300)
    wanted = [str(age) for age in range(300)]

    def delete_some(number: int) -> None:
        if number == 1:
            del listed[:3]

    asked, _ = drive(listed, wanted, after=delete_some)
    # The three that were deleted were found before that; those that slid past were not.
    assert asked == ["1.", "2.", "3.", "100", "101", "102"]


def test_old_runs_are_not_searched_for_in_the_list_for_longer_than_asking_for_each_takes() -> None:
    wanted = [str(age) for age in range(9000, 9005)]
    asked, pages = drive(runs(10_000), wanted)
    assert asked == ["1.", "2.", "3.", "4.", "5.", *wanted]
    assert drive(runs(10_000), wanted, pages=pages)[0] == wanted, "the next time it is known to be cheaper"


def test_runs_of_unknown_age_may_be_anywhere() -> None:
    assert drive(runs(1000), ["150", "250"], are_known=False)[0] == ["1.", "2.", "3."]


def test_since_lists_all_that_is_newer() -> None:
    since = BEGIN - timedelta(minutes=240)
    assert drive(runs(1000), [], since=since) == (["1.", "2.", "3."], 3)
    assert drive(runs(1000), ["350"], since=since)[0] == ["1.", "2.", "3.", "350"]
    assert drive(runs(40), [], since=since)[0] == ["1."]
    assert drive([], [], since=since)[0] == ["1."]
