"""The samples of large tables."""

from __future__ import annotations

from itertools import product

import pytest
from sampling import mark_samples, spread

pytest_plugins = ["pytester"]

CASES = list(product("abcdefg", [("use", n) for n in range(4)]))


def test_a_sample_has_each_value_as_early_as_it_can() -> None:
    first = [CASES[index] for index in spread(CASES, "some test")]
    assert {use for _, use in first[:4]} == {use for _, use in CASES}
    assert {letter for letter, _ in first[:7]} == set("abcdefg")


def test_the_order_has_all_cases_once_and_is_the_same_each_time() -> None:
    order = spread(CASES, "some test")
    assert sorted(order) == list(range(len(CASES)))
    assert spread(CASES, "some test") == order != spread(CASES, "another test")


def test_the_older_contract_is_left_to_the_slow_tests(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nmarkers =\n    both_contracts\n    sampled\n    slow\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    items = pytester.getitems("""
        import pytest
        both = pytest.mark.parametrize("contract", ["1.8", "1.0"])

        @pytest.mark.both_contracts
        @both
        def test_left(contract): ...

        @pytest.mark.both_contracts(test=2)
        @both
        def test_kept(contract): ...

        @pytest.mark.both_contracts
        @pytest.mark.sampled(test=1)
        @both
        def test_sampled(contract): ...

        @both
        def test_of_its_own(contract): ...
    """)
    mark_samples(items)
    slow = [item.name for item in items if item.get_closest_marker("slow")]
    assert slow[0] == "test_left[1.0]"
    assert [name.partition("[")[0] for name in slow[1:]] == ["test_sampled"]
