"""From rounds to a verdict: ratios per round, their median, and how sure it is."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

_SAMPLES = 4000


@frozen
class Figure:
    """A median of ratios, one per round, with the bounds of its bootstrap 90 % interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Figure:
        """Return the figure of some rounds' ratios; the same ones give the same figure."""
        dice = random.Random(len(ratios))
        medians = sorted(statistics.median(dice.choices(ratios, k=len(ratios))) for _ in range(_SAMPLES))
        return cls(statistics.median(ratios), medians[_SAMPLES // 20], medians[-_SAMPLES // 20])

    def __str__(self) -> str:
        return f"{self.median:5.2f} [{self.low:.2f}, {self.high:.2f}]"


def at_least(figure: Figure, target: float, low: float | None = None) -> str:
    """Return the verdict on a ratio that should be `target` or more, its lower bound `low` or more."""
    floor = target if low is None else low
    if figure.median >= target and figure.low >= floor:
        return "reached"
    return "missed" if figure.high < target else "inconclusive"


def at_most(figure: Figure, target: float) -> str:
    """Return the verdict on a ratio that should be `target` or less."""
    if figure.high <= target:
        return "reached"
    return "missed" if figure.low > target else "inconclusive"


def stolen() -> tuple[int, int]:
    """Return the processors' stolen and whole time so far, in ticks."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def steal(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return the share of the processors' time that other machines took."""
    return f"{100 * (after[0] - before[0]) / max(1, after[1] - before[1]):.1f} % of the CPU stolen"


def idle_ticks() -> tuple[int, int]:
    """Return the processors' idle and whole time so far, in ticks."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the share of the processors' time in which they were not idle."""
    return 1 - (after[0] - before[0]) / max(1, after[1] - before[1])
