"""The process of a job: `python -m cluster_chaos._coordinator FOLDER RATE [SCHEDULER_FILE]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fast_clock import FastClock

from aignostics_async import AignosticsError, Client
from aignostics_async.bulk import BulkJob, DaskEngine, LocalEngine, StageEngine
from aignostics_async.cli._failures import exit_status
from aignostics_async.emulator.process import IMPATIENT


async def main(folder: Path, rate: float, engine: StageEngine) -> int:
    """Work on the job, and return the exit status of `bulk resume`."""
    async with Client.from_env(settings=IMPATIENT) as client, BulkJob(folder, clock=FastClock(rate)) as job:
        try:
            summary = await job.run(client, engine=engine)
        except AignosticsError as error:
            print(error, file=sys.stderr)
            return exit_status(error)
    return summary.status.exit_status


if __name__ == "__main__":
    stages: StageEngine = DaskEngine(scheduler_file=sys.argv[3]) if len(sys.argv) > 3 else LocalEngine()
    sys.exit(asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), stages)))
