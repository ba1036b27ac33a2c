"""`make chaos`: kill jobs at every step, and hold what is left to what is promised.

Exits with 1 when any figure is not as promised, and names the rounds; their folders are left then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, evolve

from aignostics_async.contracts._lines import NEWEST, OLDEST

from ._judge import Judgement
from ._lane import RATE, Lane
from ._plans import Death, Outcome, Plan
from ._schedule import TRIALS, Trial, first_wave, wave
from ._table import table
from ._weakened import GUARDS

_MOST_WAVES = 6


def main() -> int:
    """Play a trial, print its figures, and return the exit status."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument(
        "--trial", choices=TRIALS, default="whole", help="quick: each point once; marks: what marks withstand"
    )
    parser.add_argument("--contract", choices=(OLDEST, NEWEST), default=NEWEST, help="by default the newest")
    parser.add_argument("--rate", type=float, default=RATE, help="seconds of the platform's clock in one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=3, help="emulators, each with one job at a time")
    parser.add_argument(
        "--weaken", choices=GUARDS, help="take a guard away: its first job that goes wrong ends the trial"
    )
    given = parser.parse_args()
    trial = TRIALS[given.trial]
    if given.weaken is not None:
        trial = evolve(trial, kinds=[GUARDS[given.weaken].kind])
    folder, begun = Path(tempfile.mkdtemp(prefix="chaos-")), time.monotonic()
    outcomes = _play(trial, folder, given)
    is_kept = _tell(outcomes, trial) if given.weaken is None else _tell_weakened(outcomes)
    print(f"{time.monotonic() - begun:.0f} s, seed {given.seed}, contract {given.contract}")
    if is_kept:
        shutil.rmtree(folder)
    else:
        print(f"what is left of them is in {folder}", file=sys.stderr)
    return 0 if is_kept else 1


def _play(trial: Trial, folder: Path, given: argparse.Namespace) -> list[Outcome]:
    seed: int = given.seed
    outcomes: list[Outcome] = []
    for number in range(_MOST_WAVES):
        plans = first_wave(trial, seed) if number == 0 else wave(trial, outcomes, seed + 1000 * number)
        if not plans:
            break
        plans = [evolve(plan, guard=given.weaken) for plan in plans]
        print(f"{len(plans)} jobs", flush=True)
        outcomes += _side_by_side(plans, folder / str(number), given)
        if given.weaken is not None and not all(outcome.is_well for outcome in outcomes):
            break
    return outcomes


def _side_by_side(plans: Sequence[Plan], folder: Path, given: argparse.Namespace) -> list[Outcome]:
    """Play rounds on several emulators, each in a process of its own that has no threads to be forked."""
    sys.stdout.flush()
    lanes, pids = min(given.lanes, len(plans)), []
    for number in range(lanes):
        pid = os.fork()
        if pid == 0:
            _lane(plans[number::lanes], folder / str(number), given)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    told = [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    outcomes = [_read(line) for line in told]
    missing = {plan.name for plan in plans} - {outcome.plan for outcome in outcomes}
    if given.weaken is not None:
        return outcomes
    return [*outcomes, *[Outcome(name, "kills", trouble="its lane ended") for name in sorted(missing)]]


def _lane(plans: Sequence[Plan], folder: Path, given: argparse.Namespace) -> None:
    status = 1
    try:
        lane = Lane(folder, given.rate, given.contract, TRIALS[given.trial].url_lifetime)
        descriptor = os.open(folder / "lane.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, 2)
        with lane.emulator, folder.with_suffix(".jsonl").open("w", buffering=1) as file:
            file.write(json.dumps(asdict(lane.measure())) + "\n")
            for plan in plans:
                outcome = _played(lane, plan)
                file.write(json.dumps(asdict(outcome)) + "\n")
                if given.weaken is not None and not outcome.is_well:
                    break  # it has failed, as it has to
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never return
        traceback.print_exc()
    finally:
        os._exit(status)


def _played(lane: Lane, plan: Plan) -> Outcome:
    try:
        return lane.play(plan)
    except Exception as error:  # noqa: BLE001 - one round's trouble is told, and ends no other
        traceback.print_exc()
        return Outcome(plan.name, plan.kind, trouble=f"{type(error).__name__}: {error}")


def _read(line: str) -> Outcome:
    told = json.loads(line)
    deaths = [Death(**each) for each in told.pop("deaths")]
    judgement = told.pop("judgement")
    return Outcome(**told, deaths=deaths, judgement=judgement and Judgement(**judgement))


def _tell(outcomes: Sequence[Outcome], trial: Trial) -> bool:
    lines = table(outcomes, trial)
    for line in lines:
        print(line)
    for outcome in outcomes:
        if not outcome.is_well:
            print(f"see {outcome.plan}: {outcome}", file=sys.stderr)
    return all(line.is_kept for line in lines)


def _tell_weakened(outcomes: Sequence[Outcome]) -> bool:
    """Tell of the first jobs that went wrong without a guard, and return whether there are none."""
    wrong = [outcome for outcome in outcomes if not outcome.is_well]
    print(f"{len(outcomes)} jobs without the guard, {len(wrong)} of them went wrong")
    for outcome in wrong:
        print(f"see {outcome.plan}: {outcome}", file=sys.stderr)
    return not wrong


if __name__ == "__main__":
    sys.exit(main())
