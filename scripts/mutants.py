"""Plant small faults in the sources, one at a time, and see whether the tests notice.

    python scripts/mutants.py run --seed N [--count 30] [--tests "tests/unit"] [--within src/...]

The faults are drawn by seed and planted in a scratch copy; the checkout is never touched. Prints `killed`
with the first test that fails, or `survived`. Ends with 1 if any fault survived, and with 2 if the tests fail
without one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tree.mutation import sample
from tree.trial import Scratch

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    arguments = _parser().parse_args()
    drawn = sample(arguments.root, arguments.seed, arguments.count, arguments.within)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(arguments.root.resolve(), Path(folder, "tree"))
        clean = scratch.test(arguments.tests, arguments.timeout)
        if clean.failed:
            print(
                f"the tests fail without a fault: {clean.reason}; choose others with --tests", file=sys.stderr
            )
            return 2
        survived = 0
        for number, mutant in enumerate(drawn):
            with scratch.planted(mutant):
                trial = scratch.test(arguments.tests, arguments.timeout)
            survived += not trial.failed
            result = f"killed by {trial.reason}" if trial.failed else "survived"
            print(f"{number}  {mutant}\n   {result}", flush=True)
    print(f"{len(drawn) - survived} killed, {survived} survived")
    return 1 if survived else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    run = parser.add_subparsers(required=True, metavar="run").add_parser(
        "run", help="plant faults, run tests"
    )
    run.add_argument("--root", type=Path, default=ROOT, help="the checkout; this one by default")
    run.add_argument("--seed", type=int, required=True)
    run.add_argument("--count", type=int, default=30, help="how many faults; 30 by default")
    run.add_argument("--tests", default="tests/unit", help="arguments of pytest; tests/unit by default")
    run.add_argument("--within", default="src", help="a folder or file of src that the faults are planted in")
    run.add_argument(
        "--timeout", type=float, default=600, help="seconds per run of the tests; 600 by default"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
