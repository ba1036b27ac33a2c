"""`make chaos-cluster`: kill workers, scheduler and coordinator of jobs, and judge what is left.

Exits with 1 when a job is not as promised; its folder is left then.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

from ._round import RATE, Outcome, Round


def main() -> int:
    """Play the jobs, print a line for each, and return the exit status."""
    parser = argparse.ArgumentParser(prog="cluster_chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many jobs, each with moments of its own")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--slides", type=int, default=300)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cluster-chaos-"))
    slide = write_slide(folder / "slide.tiff", width=300, height=260)
    outcomes = []
    for seed in range(given.first, given.first + given.seeds):
        outcomes.append(_played(folder / f"{seed}", slide, seed, given.slides))
        print(_line(outcomes[-1]), flush=True)
    well = sum(outcome.is_well for outcome in outcomes)
    again = sum(outcome.runs_twice for outcome in outcomes)
    print(f"{well} of {len(outcomes)} jobs are as promised; {again} interrupted uploads were done again")
    if well < len(outcomes):
        print(f"what is left of the others is in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def _played(folder: Path, slide: Path, seed: int, slides: int) -> Outcome:
    engine = "dask" if seed % 2 else "local"
    with Emulator(folder / "emulator", clock_rate=RATE, speed=1, url_lifetime=10**6) as emulator:
        outcome = Round(emulator, slide, folder / f"s{seed}", seed, slides, engine).play()
    if outcome.is_well:
        shutil.rmtree(folder)
    return outcome


def _line(outcome: Outcome) -> str:
    seen = outcome.judgement
    return (
        f"seed {outcome.seed:3}: {'as promised' if outcome.is_well else 'BROKEN':11} "
        f"{outcome.slides} slides, {seen.runs} runs, {seen.duplicates} twice, {len(seen.lost)} lost, "
        f"{len(seen.wrong)} wrong, {len(seen.uploaded_again)} sent again, {outcome.runs_twice} interrupted; "
        f"killed at {outcome.kills}, ended with {outcome.statuses}, {outcome.seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
