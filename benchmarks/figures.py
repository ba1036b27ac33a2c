"""What a benchmark has found: figures with their targets, and the file that keeps them for the next release.

A ratio is taken within each round, so a machine whose speed changes from minute to minute harms nobody; of
the rounds' ratios there are the median and a bootstrap 90 % interval. A count or a single measurement is a
number. `benchmarks.compare` reads what two releases have kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, define, evolve, field, frozen

from aignostics_async import __version__

ROOT = Path(__file__).resolve().parent.parent
_SAMPLES = 4000


@frozen
class Estimate:
    """A median with the bounds of its bootstrap 90 % interval, which for one number are the number."""

    median: float
    low: float = field(default=Factory(lambda self: self.median, takes_self=True))
    high: float = field(default=Factory(lambda self: self.median, takes_self=True))

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Estimate:
        """Return the estimate from some rounds' ratios; the same ones give the same estimate."""
        dice = random.Random(len(ratios))
        medians = sorted(statistics.median(dice.choices(ratios, k=len(ratios))) for _ in range(_SAMPLES))
        return cls(statistics.median(ratios), medians[_SAMPLES // 20], medians[-_SAMPLES // 20])

    def __str__(self) -> str:
        if self.low == self.median == self.high:
            return f"{as_text(self.median):>5}"
        return f"{self.median:5.2f} [{self.low:.2f}, {self.high:.2f}]"


def as_text(value: float) -> str:
    """Return a number with four digits, or all of those before the point."""
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


@frozen
class Target:
    """What a figure should be at least, and the lower bound of its interval; or what it should be at most."""

    at_least: float | None = None
    at_most: float | None = None
    low: float | None = None

    def verdict(self, value: Estimate) -> str:
        """Return reached, missed, or inconclusive."""
        if self.at_most is not None:
            if value.high <= self.at_most:
                return "reached"
            return "missed" if value.low > self.at_most else "inconclusive"
        least = self.at_least or 0.0
        floor = least if self.low is None else self.low
        if value.median >= least and value.low >= floor:
            return "reached"
        return "missed" if value.high < least else "inconclusive"

    def __str__(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:,}"
        return f">= {self.at_least:,}" + ("" if self.low is None else f", low >= {self.low:,}")


@frozen
class Figure:
    """A value of one row of a benchmark's table; without a unit it is a ratio or a count."""

    row: str
    name: str
    value: Estimate
    unit: str = ""
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """Return what its target says of it; "" without one."""
        return "" if self.target is None else self.target.verdict(self.value)

    def __str__(self) -> str:
        value = f"{self.value} {self.unit}".rstrip()
        target = "" if self.target is None else f"  target {self.target!s:20}{self.verdict}"
        return f"{self.name:58}{value}{target}"


@define
class Results:
    """The figures of one benchmark, and what they were measured with."""

    bench: str
    version: str = __version__
    commit: str | None = None
    machine: dict[str, Any] = field(factory=dict)
    figures: dict[tuple[str, str], Figure] = field(factory=dict)
    _row: str = ""

    def begin(self, title: str) -> None:
        """Begin a row."""
        self._row = title

    def row(self, title: str) -> None:
        """Begin a row, and print its title."""
        self.begin(title)
        print(f"\n{title}", flush=True)

    def add(
        self, name: str, value: float | Estimate, unit: str = "", *, target: Target | None = None
    ) -> Figure:
        """Keep a figure of this row, and print it if it has a target."""
        key = self._row, name
        if key in self.figures:
            raise ValueError(f"two figures of {self._row!r} are named {name!r}")
        estimate = value if isinstance(value, Estimate) else Estimate(value)
        figure = self.figures[key] = Figure(*key, estimate, unit, target)
        if target is not None:
            print(f"  {figure}", flush=True)
        return figure

    @property
    def missed(self) -> list[str]:
        """Return the names of the figures that miss their targets."""
        return [": ".join(key) for key, figure in self.figures.items() if figure.verdict == "missed"]

    def save(self, path: Path) -> None:
        """Write them, ratios and counts first; nothing tells whose machine it was."""
        ordered = sorted(self.figures.values(), key=lambda figure: bool(figure.unit))
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "bench": self.bench,
            "version": self.version,
            "commit": _commit(),
            "machine": _machine(),
            "figures": [_as_json(figure) for figure in ordered],
        }
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read what `save` has written."""
        read = json.loads(path.read_text(encoding="utf-8"))
        figures = [_from_json(each) for each in read.pop("figures")]
        return cls(**read, figures={(each.row, each.name): each for each in figures})


def _as_json(figure: Figure) -> dict[str, Any]:
    """Return a figure, with four digits of its values."""
    value = figure.value
    rounded = evolve(value, **{name: _rounded(each) for name, each in asdict(value).items()})
    bounds = {} if value.low == value.median == value.high else {"low": rounded.low, "high": rounded.high}
    target = {} if figure.target is None else asdict(figure.target, filter=lambda _, each: each is not None)
    named = {"row": figure.row, "name": figure.name, "value": rounded.median, **bounds}
    told = {"unit": figure.unit, "target": target, "verdict": figure.verdict}
    return named | {name: each for name, each in told.items() if each}


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.4g}")


def _from_json(read: dict[str, Any]) -> Figure:
    value = Estimate(read["value"], read.get("low", read["value"]), read.get("high", read["value"]))
    target = Target(**read["target"]) if "target" in read else None
    return Figure(read["row"], read["name"], value, read.get("unit", ""), target)


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[1], 1),
    }


def _commit() -> str | None:
    """Return the commit that was measured, with a + if files differ from it; None outside of a clone."""
    git = ("git", "-C", str(ROOT))
    try:
        head = subprocess.run((*git, "rev-parse", "HEAD"), capture_output=True, text=True, check=True)
        changed = subprocess.run((*git, "diff", "--quiet", "HEAD"), capture_output=True, check=False)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip()[:12] + ("+" if changed.returncode else "")


def parser_of(text: str | None) -> argparse.ArgumentParser:
    """Return a benchmark's parser, which can be told where to keep the figures."""
    parser = argparse.ArgumentParser(description=(text or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures, for benchmarks.compare")
    return parser


@contextmanager
def recording(bench: str, path: Path | None) -> Iterator[Results]:
    """Collect figures; at the end write them, and exit with 1 if a target was missed."""
    results = Results(bench)
    yield results
    if path is not None:
        results.save(path)
    if results.missed:
        sys.exit("missed: " + "; ".join(results.missed))
