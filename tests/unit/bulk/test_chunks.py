"""Which items become a run together, and whose a run is that a listing shows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from aignostics_async.bulk.database._ownership_queries import Ownership
from aignostics_async.bulk.database._queries import Waiting
from aignostics_async.bulk.reconciliation._chunking import chunks
from aignostics_async.bulk.reconciliation._ownership import duplicate_of, overlapped_by, owned_items
from aignostics_async.bulk.reconciliation._tags import plain, tag_of

JOB = "0a1b2c3d-4e5f-4a6b-8c7d-8e9f0a1b2c3d"


@given(st.lists(st.integers(0, 12)), st.integers(1, 500), st.booleans())
def test_chunks_hold_every_item_once_and_none_is_too_large(
    refusals: list[int], size: int, is_last: bool
) -> None:
    items = [Waiting(number, attempts) for number, attempts in enumerate(refusals)]
    made = list(chunks(items, size, is_last=is_last))
    given_out = [each.number for chunk in made for each in chunk]
    assert len(given_out) == len(set(given_out))
    for chunk in made:
        (attempts,) = {each.attempts for each in chunk}
        assert 1 <= len(chunk) <= max(1, size // 2**attempts)
    left = [each for each in items if each.number not in given_out]
    assert not left if is_last else len(left) < size
    assert not [each for each in left if each.attempts], "what was refused waits for nobody"


def test_a_refused_chunk_is_halved_until_the_bad_one_is_alone() -> None:
    sizes = [
        [len(chunk) for chunk in chunks([Waiting(number, attempts) for number in range(5)], 5, is_last=False)]
        for attempts in range(4)
    ]
    assert sizes == [[5], [2, 2, 1], [1] * 5, [1] * 5]


def test_the_order_of_work_is_kept() -> None:
    items = [Waiting(number, 0) for number in (7, 3, 9, 1)]
    assert [[each.number for each in chunk] for chunk in chunks(items, 2, is_last=True)] == [[7, 3], [9, 1]]


@given(st.text(min_size=1), st.integers(1, 10**9))
def test_a_mark_is_put_on_and_taken_off(reference: str, number: int) -> None:
    tag = tag_of(JOB)
    assert plain(f"{reference}{tag}.{number}", tag) == reference
    assert plain(reference, "") == reference


def test_a_mark_of_another_job_stays() -> None:
    tag = tag_of(JOB)
    other = f"a{tag_of('f' * 32)}.1"
    for reference in (other, f"a{tag}", f"a{tag}.", f"a{tag}.x", f"a{tag}.1 ", f"a{tag}.1\n"):
        assert plain(reference, tag) == reference
    assert plain(f"a{tag}.1{tag}.2", tag) == f"a{tag}.1", "only the last one was put on here"


def ownership(**told: Any) -> Ownership:
    mappings: dict[str, Any] = {"intents": {}, "dissolved": {}, "items": {}, "asked": {}}
    known = {**mappings, "open": (), "runs": (), "placed": (), "decided": (), **told}
    return Ownership(
        intents=known["intents"],
        dissolved=known["dissolved"],
        open=set(known["open"]),
        runs=set(known["runs"]),
        items=known["items"],
        placed=set(known["placed"]),
        asked=known["asked"],
        decided=set(known["decided"]),
    )


AB = frozenset("ab")


def test_a_second_run_is_one_of_an_intent_that_has_another() -> None:
    known = ownership(intents={AB: 1}, runs=["first"])
    assert duplicate_of("second", AB, known) == 1
    assert duplicate_of("first", AB, known) is None, "it is the intent's own by now"
    assert duplicate_of("second", frozenset("a"), known) is None


def test_a_run_that_an_open_intent_may_have_asked_for_is_no_second_one() -> None:
    """Items that failed were submitted again: the same references, another run, and its answer is lost."""
    assert duplicate_of("new", AB, ownership(intents={AB: 1}, runs=["first"], open=[AB])) is None


def test_a_run_of_the_job_that_has_some_items_again_is_one_of_their_intent() -> None:
    known = ownership(intents={AB: 1}, runs=["first"], items={"a": 1, "b": 2, "c": 3}, placed=[1, 2])
    assert overlapped_by("second", frozenset("ax"), known, "") == 1
    assert overlapped_by("first", AB, known, "") is None, "it is the intent's own by now"
    assert overlapped_by("second", frozenset("bc"), known, "") is None, "c has no run yet, and is held"
    assert overlapped_by("second", frozenset("x"), known, "") is None
    asked = ownership(intents={AB: 1}, open=[frozenset("a")])
    assert overlapped_by("new", frozenset("a"), asked, "") is None, "it was submitted again"


def test_a_late_run_of_a_dissolved_intent_is_a_second_one_of_its_items() -> None:
    assert (
        duplicate_of("late", AB, ownership(intents={frozenset("a"): 2}, dissolved={AB: 1}, runs=["first"]))
        == 1
    )
    assert duplicate_of("late", AB, ownership(intents={AB: 3}, dissolved={AB: 1})) == 3
    assert duplicate_of("new", AB, ownership(dissolved={AB: 1}, open=[AB])) is None


def test_a_run_is_adopted_whole_or_not_at_all() -> None:
    items = {"a": 1, "b": 2, "c": 3}
    assert owned_items(AB, ownership(items=items), "") == [1, 2]
    assert owned_items(frozenset("abx"), ownership(items=items), "") == [], "one item is not the job's"
    assert owned_items(AB, ownership(items=items, placed=[2]), "") == [], "one of its items has a run"
    assert owned_items(frozenset(), ownership(items=items), "") == []


def test_a_run_without_the_mark_of_a_job_that_has_one_is_somebody_else_s() -> None:
    tag = tag_of(JOB)
    items = {"a": 1, "b": 2}
    assert owned_items(frozenset({f"a{tag}.4", f"b{tag}.4"}), ownership(items=items), tag) == [1, 2]
    assert owned_items(AB, ownership(items=items), tag) == []
    assert owned_items(frozenset({f"a{tag}.4", "b"}), ownership(items=items), tag) == []
