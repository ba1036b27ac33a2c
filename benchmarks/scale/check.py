"""Hold the model's prediction to runs that differ in two inputs from those that it was fitted to.

The workers' links are so slow that the speed of this machine matters little. What the model lacks, the
start and the end of a job and what protocols add to bytes, is fitted to two runs as a line.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from attrs import frozen

from benchmarks.figures import Results, Target

from .costs import Costs
from .jobs import THREADS, cluster, play
from .model import Site, predict

WITHIN = 0.2


@frozen
class Inputs:
    """What a run is made of."""

    slides: int
    workers: int
    size: int
    link: float
    """Bytes per second of one worker."""


FITTED = (Inputs(16, 1, 1_000_000, 0.5e6), Inputs(32, 1, 1_000_000, 0.5e6))
CHECKED = {
    "slides and workers": Inputs(96, 3, 1_000_000, 0.5e6),
    "size and link": Inputs(32, 1, 2_500_000, 1.0e6),
}


def check(results: Results, costs: Costs) -> None:
    """Print predictions beside runs, each of which should be within a fifth."""
    print(f"load of this machine: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        measured = [_run(Path(folder), each) for each in FITTED]
        alone = [_alone(each, outputs, costs) for each, (_, outputs) in zip(FITTED, measured, strict=True)]
        slope = (measured[1][0] - measured[0][0]) / (alone[1] - alone[0])
        fixed = measured[0][0] - slope * alone[0]
        print(f"fitted: {fixed:.1f} s and {slope:.3f} times the model's time")
        for name, inputs in CHECKED.items():
            results.row(f"other {name}")
            off = _off(Path(folder), inputs, costs, fixed, slope)
            results.add("off by a share of", abs(off), target=Target(at_most=WITHIN))


def _off(folder: Path, inputs: Inputs, costs: Costs, fixed: float, slope: float) -> float:
    """Return by what share of a run its prediction is off."""
    seconds, outputs = _run(folder, inputs)
    predicted = fixed + slope * _alone(inputs, outputs, costs)
    off = predicted / seconds - 1
    print(f"predicted {predicted:.1f} s, took {seconds:.1f} s, {off:+.0%}", flush=True)
    return off


def _run(folder: Path, inputs: Inputs) -> tuple[float, float]:
    """Return the seconds of a run, and the bytes of the outputs of a slide."""
    with cluster(folder / str(len(list(folder.iterdir()))), inputs.workers) as place:
        play(place, THREADS * inputs.workers, 1_000_000)
        done = play(place, inputs.slides, inputs.size, bandwidth=inputs.link * inputs.workers)
    seconds = done.run.seconds
    print(
        f"{inputs.slides} slides of {inputs.size / 1e6:.1f} MB, {inputs.workers} workers with "
        f"{inputs.link / 1e6:.1f} MB/s each: {seconds:.1f} s",
        flush=True,
    )
    return seconds, done.outputs


def _alone(inputs: Inputs, outputs: float, costs: Costs) -> float:
    """Return the seconds that the model itself has for a run."""
    site = Site(
        slide=inputs.size, outputs=outputs, threads=THREADS, link=inputs.link, round_trip=0.0, create=0.0
    )
    return predict(inputs.slides, inputs.workers, site, costs).run
