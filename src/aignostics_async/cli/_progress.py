"""The progress of transfers, of a preflight and of a job."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from .. import ProgressBars, ProgressLines, TransferEvent, TransferTally
from ..bulk import BulkJob, PreflightProgress
from ._output import is_quiet

_INTERVAL = 0.5  # seconds


@contextmanager
def transfer_progress() -> Iterator[ProgressBars | ProgressLines | None]:
    """Give bars for a terminal, a line every 30 s for anything else, and nothing to a quiet command."""
    if is_quiet():
        yield None
        return
    with ProgressBars() if sys.stderr.isatty() else ProgressLines() as progress:
        yield progress


@contextmanager
def preflight_progress() -> Iterator[Callable[[PreflightProgress], None] | None]:
    """Yield a callback that shows the progress of a preflight; None without a terminal or if quiet."""
    if is_quiet() or not sys.stderr.isatty():
        yield None
        return
    with ProgressBars(transient=True) as bars:

        def show(progress: PreflightProgress) -> None:
            detail = f"{progress.done:,}/{progress.total:,}"
            bars.show("reading slides", completed=progress.done, total=progress.total, detail=detail)

        yield show


class JobProgress:
    """A bar for each stage of a job, with bytes and rate of its transfers."""

    def __init__(self, bars: ProgressBars) -> None:
        self._bars = bars
        self._tallies = {"upload": TransferTally(), "download": TransferTally()}

    def __call__(self, event: TransferEvent) -> None:
        """Register the progress of a file."""
        self._tallies[event.direction].add(event, time.monotonic())

    async def follow(self, job: BulkJob) -> None:
        """Show the progress of the job; runs until cancelled."""
        while True:
            await self.show(job)
            await anyio.sleep(_INTERVAL)

    async def show(self, job: BulkJob) -> None:
        """Show the current progress of the job."""
        for each in await job.stage_progress():
            tally = None if each.transfers is None else self._tallies[each.transfers]
            moved = "" if tally is None or not tally.done else f"  {tally.describe_bytes()}"
            detail = f"{each.items:,}/{each.total:,}{moved}"
            self._bars.show(each.stage, completed=each.items, total=each.total, detail=detail)
