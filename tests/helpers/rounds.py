"""How many examples a property test tries: few in `make test-fast`, all of them in `make test-slow`.

A busy machine is no fault, so there is no deadline. What gates a change (`.ci/run` sets CI) tries the same
examples every time; elsewhere the slow profile draws other ones each time, and prints how to try one again.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

_SAMPLED = {"fast": 0.02, "test": 0.1}
_LEAST = {"fast": 10, "test": 20}


def register_profiles() -> None:
    """Register the profiles that `--hypothesis-profile` names, and load the one of `make test`."""
    same = settings(deadline=None, derandomize=True, database=None)
    settings.register_profile("fast", same, max_examples=_LEAST["fast"])
    settings.register_profile("test", same, max_examples=100)
    drawn = same if "CI" in os.environ else settings(deadline=None, database=None, print_blob=True)
    settings.register_profile("slow", drawn, max_examples=1_000)
    settings.load_profile("test")


def is_long() -> bool:
    """Whether all examples are to be tried."""
    return settings.get_current_profile_name() == "slow"


def sizes(sample: int, whole: int) -> list[Any]:
    """Return the sizes of a test as parameters: a sample, and the whole in `make test-slow`."""
    return [sample, pytest.param(whole, marks=pytest.mark.slow)]


def rounds(whole: int, *, sample: int | None = None) -> int:
    """Return how many examples to try, of as many as are tried in `make test-slow`.

    `sample` is how many `make test` tries at least, by default a tenth of them.
    """
    if is_long():
        return whole
    profile = settings.get_current_profile_name()
    least = sample if sample is not None and profile == "test" else _LEAST[profile]
    return min(whole, max(least, int(whole * _SAMPLED[profile])))
