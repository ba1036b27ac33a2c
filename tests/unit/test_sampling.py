"""The samples of large tables."""

from __future__ import annotations

from itertools import product

from sampling import spread

CASES = list(product("abcdefg", [("use", n) for n in range(4)]))


def test_a_sample_has_each_value_as_early_as_it_can() -> None:
    first = [CASES[index] for index in spread(CASES, "some test")]
    assert {use for _, use in first[:4]} == {use for _, use in CASES}
    assert {letter for letter, _ in first[:7]} == set("abcdefg")


def test_the_order_has_all_cases_once_and_is_the_same_each_time() -> None:
    order = spread(CASES, "some test")
    assert sorted(order) == list(range(len(CASES)))
    assert spread(CASES, "some test") == order != spread(CASES, "another test")
