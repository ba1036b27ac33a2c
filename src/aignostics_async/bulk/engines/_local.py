"""The engine of one machine: tasks run in the event loop of the job, in its threads and processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from attrs import frozen

from ...slides.workers._prober import Prober
from ...transfer.progress._events import Progress, ignore
from ..database._samples import Stage
from ._protocol import EngineSetup, OpenEngine, StageTask, StageTools

T = TypeVar("T")


class LocalEngine:
    """The engine that runs the stages of a bulk job on this machine; the default.

        summary = await job.run(client, engine=LocalEngine())

    Slides are read in as many processes of their own as there are processors, from 2 to 8; the transfers of
    the client together use at most `Limits.transfers` connections. One engine can run several jobs.
    """

    @asynccontextmanager
    async def open(self, setup: EngineSetup) -> AsyncIterator[OpenEngine]:
        """Return an async context manager that yields the engine, open for one job.

        `BulkJob.run` and `run_preflight` call it. Processes that read slides start when they are needed;
        leaving ends them, also after an error or a cancellation.
        """
        if not setup.is_trial:
            with suppress(OSError):  # a download tells what is wrong with the folder
                setup.mark.unlink(missing_ok=True)  # of a process that was killed
        async with Prober(decode=setup.plan.decode, timeout=setup.seconds_per_slide) as prober:
            yield OpenLocalEngine(StageTools(setup.client, setup.store, prober))


@frozen
class OpenLocalEngine:
    """The engine of one machine at work."""

    tools: StageTools
    description = "this machine"
    remarks = ()
    unseen = ()

    def window(self, stage: Stage) -> int:
        """Return how many tasks of a stage should be under way at a time."""
        if stage is Stage.PROBE:
            # Two for each process: one is read while the other one's answer is looked at.
            return 2 * self.tools.prober.workers
        return self.tools.client.settings.limits.transfers

    async def run(self, task: StageTask[T], progress: Progress = ignore) -> T:
        """Return the result of a task; raises the AignosticsError of its failure."""
        return await task.perform(self.tools, progress)
