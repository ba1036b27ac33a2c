"""When to ask next, and whose turn it is."""

from __future__ import annotations

from math import inf

from aignostics_async.watch._schedule import Budget, Pace, Turns


def test_a_round_follows_after_the_interval_less_some_jitter() -> None:
    pace = Pace(30)
    assert pace.next_round(100, 101, 0) == 130
    assert pace.next_round(100, 101, 1) == 128.5
    assert pace.next_round(100, 190, 1) == 190, "one that takes longer is followed at once"


def test_trouble_makes_the_interval_longer_and_answers_make_it_shorter_again() -> None:
    pace = Pace(30)
    for _ in range(20):
        pace.failed(100, None, 0.5, 0)
    assert pace.next_round(100, 101, 0) == 100 + 8 * 30
    for _ in range(30):
        pace.succeeded()
    assert pace.next_round(100, 101, 0) == 130


def test_waits_grow_from_failure_to_failure_up_to_the_interval() -> None:
    pace = Pace(30)
    waits = []
    for _ in range(8):
        pace.failed(0, None, 0.5, 0)
        waits.append(pace.paused_until)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]
    pace.succeeded()
    pace.failed(100, None, 0.5, 1)
    assert pace.paused_until == 100 + 0.5 * 0.75


def test_retry_after_is_kept_by_all_and_taken_back_by_none() -> None:
    pace = Pace(30)
    pace.failed(100, 20.0, 0.5, 0)
    pace.failed(101, None, 0.5, 0)
    pace.succeeded()
    assert pace.paused_until == 120


def test_the_budget_is_spread_evenly() -> None:
    budget = Budget(480, 0)
    taken = 0
    for eighth in range(60 * 8 + 1):
        while budget.has_one(eighth / 8):
            budget.take()
            taken += 1
    assert taken == 480 + 8, "the first second's comes on top"
    assert budget.next_at() == 60.125
    assert not budget.has_one(60.0625)
    assert budget.has_one(3600)
    for _ in range(8):
        budget.take()
    assert not budget.has_one(3600), "what an idle hour leaves is lost"


def test_a_small_budget_gives_one_at_a_time() -> None:
    budget = Budget(6, 0)
    budget.take()
    assert not budget.has_one(9.9)
    assert budget.has_one(10)


def test_turns_go_round() -> None:
    turns = Turns()
    for number, run_id in enumerate("abc"):
        turns.put(run_id, number)
    order = []
    for now in range(10, 16):
        turn = turns.pop(now)
        assert turn is not None
        order.append(turn)
        turns.put(turn, now)
    assert order == [*"abcabc"]


def test_urgent_ones_do_not_wait_for_the_others_and_nobody_comes_before_time() -> None:
    turns = Turns()
    turns.put("a", 1)
    turns.put("b", 5, urgent=True)
    assert turns.next_at() == 1
    assert turns.pop(0) is None
    assert [turns.pop(5), turns.pop(5), turns.pop(5)] == ["b", "a", None]
    assert turns.next_at() == inf


def test_urgent_ones_take_half_of_the_turns_at_most() -> None:
    turns = Turns()
    for number in range(4):
        turns.put(f"urgent {number}", number, urgent=True)
    for number in range(2):
        turns.put(f"other {number}", 10 + number)
    order = [turns.pop(20) for _ in range(6)]
    assert order == ["urgent 0", "other 0", "urgent 1", "other 1", "urgent 2", "urgent 3"]


def test_a_run_has_one_turn() -> None:
    turns = Turns()
    turns.put("a", 1)
    turns.put("a", 3)
    assert turns.pop(2) is None
    turns.put("a", 0, urgent=True)
    assert [turns.pop(9), turns.pop(9)] == ["a", None]
