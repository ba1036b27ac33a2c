"""A row of the table of transfers: who took how long, and the figures with their targets."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import Estimate, Results, Target

from .contestants import MIB
from .machine import steal, stolen

GIB = 1024 * MIB
WITHOUT_TARGET = ("aria2c", "aiohttp", "obstore", "httpx")
Measured = dict[str, list[dict[str, Any]]]
"""What each round took, by who did it."""


def faster(measured: Measured, name: str) -> Estimate:
    """Return how many times as fast as somebody ours is."""
    pairs = zip(measured["ours"], measured[name], strict=False)
    return Estimate.of([other["seconds"] / mine["seconds"] for mine, other in pairs])


def dearer(measured: Measured, name: str) -> Estimate:
    """Return how many times as much CPU as somebody ours takes."""
    pairs = zip(measured["ours"], measured[name], strict=False)
    return Estimate.of([mine["cpu"] / other["cpu"] for mine, other in pairs])


class Row:
    """A row of the table: what was done, and how it went."""

    def __init__(self, results: Results) -> None:
        self._results = results

    def table(self, measured: Measured, size: int) -> None:
        """Print speed and CPU of each, and how many times as fast ours is."""
        for name, rounds in measured.items():
            speed = statistics.median(size / each["seconds"] for each in rounds) / GIB
            cpu = statistics.median(each["cpu"] for each in rounds) * GIB / size
            ratio = "" if name == "ours" else f"   ours is {faster(measured, name)} times as fast"
            print(f"  {name:16}{speed:6.2f} GiB/s {cpu:6.2f} CPU s/GiB{ratio}   ({len(rounds)} rounds)")
            if name == "ours":
                self._results.add("own speed", speed, "GiB/s")
            elif name in WITHOUT_TARGET:
                self._results.add(f"speed / {name}", faster(measured, name))

    def verdict(
        self, what: str, value: Estimate, target: Target, ours: list[dict[str, Any]], unit: str = ""
    ) -> None:
        """Keep and print a figure, and for one that does not reach its target what was in the way."""
        figure = self._results.add(what, value, unit, target=target)
        if figure.verdict != "reached":
            cores = os.cpu_count() or 1
            busy = statistics.median(each["busy"] for each in ours)
            mine = statistics.median(each["cpu"] / each["seconds"] / cores for each in ours)
            print(
                f"    while ours ran, {busy:.0%} of the {cores} cores were busy: {mine:.0%} with ours, "
                f"{max(0, busy - mine):.0%} with the server and with others on this machine",
                flush=True,
            )

    def memory(self, what: str, used: float, most: float) -> None:
        """Keep and print how much memory something took, in bytes."""
        self._results.add(what, used / MIB, "MiB", target=Target(at_most=round(most / MIB)))


@contextmanager
def row(results: Results, title: str) -> Iterator[Row]:
    """Print the title of a row of the table, and how much of the machine was there for it."""
    results.row(title)
    before = stolen()
    yield Row(results)
    print(f"  {steal(before, stolen())}", flush=True)
