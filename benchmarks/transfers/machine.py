"""How busy the machine is, with whose work."""

from __future__ import annotations

from pathlib import Path


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
