"""Which cases of a large table run: a sample in `make test`, and a smaller one in `make test-fast`.

`@pytest.mark.sampled(test=25, fast=5)` says how many; `make test-slow` runs the others. A sample is the same
each time, and has each value of each parameter if it is large enough. A case that is named on the command
line alone always runs.

`@pytest.mark.both_contracts` is a table of two: `make test` runs the contract of the live platform, and
`make test-slow` the reference. `both_contracts(test=2)` runs both in `make test`. A test that is
`sampled`, too, has the contract among its parameters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from random import Random

import pytest

from aignostics_async.contracts._lines import OLDEST


def mark_samples(items: Sequence[pytest.Item]) -> None:
    """Mark what `make test` leaves out as `slow`, and what `make test-fast` leaves out as `long`."""
    tables: dict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("slow"):
            continue
        if item.get_closest_marker("sampled"):
            tables[item.nodeid.partition("[")[0]].append(item)
        elif _is_second_contract(item):
            item.add_marker("slow")
    for name, cases in tables.items():
        marker = cases[0].get_closest_marker("sampled")
        assert marker is not None
        order = spread([_values(case) for case in cases], name)
        for size, mark in ((marker.kwargs.get("test"), "slow"), (marker.kwargs.get("fast"), "long")):
            for index in order[size:] if size is not None else ():
                cases[index].add_marker(mark)


def _is_second_contract(item: pytest.Function) -> bool:
    """Whether a test runs under the older contract what it also runs under the one of the live platform."""
    marker = item.get_closest_marker("both_contracts")
    if marker is None or marker.kwargs.get("test", 1) > 1:
        return False
    return hasattr(item, "callspec") and item.callspec.params.get("contract") == OLDEST


def _values(case: pytest.Function) -> list[Hashable]:
    # By identity: not every value can be hashed, and the cases of a table share theirs.
    return [(name, id(value)) for name, value in case.callspec.params.items()]


def spread(cases: Sequence[Sequence[Hashable]], seed: str) -> list[int]:
    """Return the indices of all cases, such that each beginning of them has as many values as it can."""
    rest = Random(seed).sample(range(len(cases)), len(cases))
    seen: Counter[Hashable] = Counter()
    order: list[int] = []
    while rest:
        best = min(rest, key=lambda index: _staleness(cases[index], seen))
        rest.remove(best)
        order.append(best)
        seen.update(cases[best])
    return order


def _staleness(values: Sequence[Hashable], seen: Counter[Hashable]) -> tuple[int, int]:
    counts = [seen[value] for value in values]
    return sum(map(bool, counts)), sum(counts)
