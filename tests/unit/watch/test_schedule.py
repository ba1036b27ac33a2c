"""When the next request is sent, and for which run."""

from __future__ import annotations

from math import inf

from aignostics_async.watch._schedule import FairQueue, PollSchedule, TokenBucket


def test_a_round_begins_an_interval_after_the_last_one_less_jitter() -> None:
    schedule = PollSchedule(30, initial_wait=0.5)
    assert schedule.next_round(100, 101, 0) == 130
    assert schedule.next_round(100, 101, 1) == 128.5
    assert schedule.next_round(100, 190, 1) == 190, "a long round is followed at once"


def test_failures_stretch_the_interval_and_successes_shorten_it_again() -> None:
    schedule = PollSchedule(30, initial_wait=0.5)
    for _ in range(20):
        schedule.record_failure(100, None, 0)
    assert schedule.next_round(100, 101, 0) == 100 + 8 * 30
    for _ in range(30):
        schedule.record_success()
    assert schedule.next_round(100, 101, 0) == 130


def test_the_backoff_doubles_up_to_the_interval() -> None:
    schedule = PollSchedule(30, initial_wait=0.5)
    assert [schedule.record_failure(0, None, 0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    schedule.record_success()
    assert schedule.record_failure(100, None, 1) == 100 + 0.5 * 0.75


def test_retry_after_pauses_everything_until_it_has_passed() -> None:
    schedule = PollSchedule(30, initial_wait=0.5)
    schedule.paused_until = schedule.record_failure(100, 20.0, 0)
    assert schedule.record_failure(101, None, 0) == 120
    schedule.record_success()
    assert schedule.paused_until == 120


def test_the_rate_limit_is_spread_evenly() -> None:
    bucket = TokenBucket(480, 0)
    taken = 0
    for eighth in range(60 * 8 + 1):
        while bucket.has_token(eighth / 8):
            bucket.take()
            taken += 1
    assert taken == 480 + 8, "plus the tokens of the first second"
    assert bucket.next_at() == 60.125
    assert not bucket.has_token(60.0625)
    assert bucket.has_token(3600)
    for _ in range(8):
        bucket.take()
    assert not bucket.has_token(3600), "an idle hour saves no tokens"


def test_a_low_rate_limit_allows_one_request_at_a_time() -> None:
    bucket = TokenBucket(6, 0)
    bucket.take()
    assert not bucket.has_token(9.9)
    assert bucket.has_token(10)


def test_runs_take_turns() -> None:
    queue = FairQueue()
    for number, run_id in enumerate("abc"):
        queue.put(run_id, number)
    order = []
    for now in range(10, 16):
        turn = queue.pop(now)
        assert turn is not None
        order.append(turn)
        queue.put(turn, now)
    assert order == [*"abcabc"]


def test_urgent_runs_go_first_and_no_run_goes_early() -> None:
    queue = FairQueue()
    queue.put("a", 1)
    queue.put("b", 5, urgent=True)
    assert queue.next_at() == 1
    assert queue.pop(0) is None
    assert [queue.pop(5), queue.pop(5), queue.pop(5)] == ["b", "a", None]
    assert queue.next_at() == inf


def test_urgent_runs_take_at_most_half_of_the_turns() -> None:
    queue = FairQueue()
    for number in range(4):
        queue.put(f"urgent {number}", number, urgent=True)
    for number in range(2):
        queue.put(f"other {number}", 10 + number)
    order = [queue.pop(20) for _ in range(6)]
    assert order == ["urgent 0", "other 0", "urgent 1", "other 1", "urgent 2", "urgent 3"]


def test_a_run_has_one_entry() -> None:
    queue = FairQueue()
    queue.put("a", 3)
    queue.put("a", 5)
    assert queue.pop(2) is None
    queue.put("a", 4, urgent=True)
    assert [queue.pop(3), queue.pop(9)] == ["a", None], "whoever queues it again puts it off no further"
