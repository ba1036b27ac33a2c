"""What runs the stages of a job: an engine, opened for one job, runs tasks and gives their results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, runtime_checkable

from attrs import frozen

from ...transfer.progress._events import ignore

if TYPE_CHECKING:
    from ..._client import Client
    from ...slides.workers._prober import Prober
    from ...storage import Store
    from ...transfer.progress._events import Progress
    from .._plan import JobPlan
    from ..database._samples import Stage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@frozen
class StageTools:
    """What a task works with, in the process that runs it."""

    client: Client
    store: Callable[[], Store]
    """Opens the store, or returns the one that is open."""
    prober: Prober


class StageTask(Protocol[T_co]):
    """The work of one stage on one item, which may be done twice without harm, and by another process."""

    stage: ClassVar[Stage]

    @property
    def number(self) -> int:
        """The number of the item, from which nobody learns what it is."""
        ...

    @property
    def reference(self) -> str:
        """The reference of the item, for events."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files and folders that must be there before it begins."""
        ...

    @property
    def file_name(self) -> str:
        """The name of its only file in events; empty where the events name each file."""
        ...

    async def perform(self, tools: StageTools, progress: Progress) -> T_co:
        """Do it; raises the AignosticsError of a failure."""
        ...


@frozen(kw_only=True)
class EngineSetup:
    """What an engine is opened for: a job, or a preflight."""

    plan: JobPlan
    client: Client
    store: Callable[[], Store]
    """Opens the store, or returns the one that is open."""
    store_address: str | None
    """The address by which another process opens the same store; None if it has none."""
    job_id: str
    """The id of the job; for a preflight, any."""
    results: Path
    """The folder for outputs, which may not exist yet."""
    seconds_per_slide: float = 60.0
    is_trial: bool = False
    """Whether it is a preflight, which writes nothing."""
    on_wait: Callable[[str], None] = lambda _reason: None
    """Told why nothing happens."""
    on_remark: Callable[[str], None] = lambda _remark: None
    """Told what a person should know."""
    is_stopping: Callable[[], bool] = lambda: False
    """Whether nothing new is to be begun, so that nothing has to be waited for."""
    on_grown: Callable[[], None] = lambda: None
    """Called when more tasks may be under way than before."""

    @property
    def name(self) -> str:
        """A name for the job, from which nobody learns what it is."""
        return f"aig-{hashlib.sha256(self.job_id.encode()).hexdigest()[:12]}"

    @property
    def mark(self) -> Path:
        """A hidden file in the folder of results, by which others know that they see the same folder."""
        return self.results / f".{self.name}"


class OpenEngine(Protocol):
    """An engine that is open for one job or preflight, as `StageEngine.open` yields it.

    All members are used in the event loop of the job, `run` by many tasks at once.
    """

    @property
    def description(self) -> str:
        """A description for people of what runs the tasks, as `PreflightReport.engine` has it."""
        ...

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """Warnings for people, as pairs of problem and remedy; may be empty. A preflight reads them once."""
        ...

    @property
    def unseen(self) -> Sequence[str]:
        """The paths that could not be seen from where the tasks run, as texts; may be empty.

        A preflight reads them at its end.
        """
        ...

    def window(self, stage: Stage) -> int:
        """Return how many tasks of a stage, at least 1, should be under way at a time.

        A job calls it before each search for further items, so it should return at once; the number may
        change. A preflight calls it once.
        """
        ...

    async def run(self, task: StageTask[T], progress: Progress = ignore) -> T:
        """Run a task, and return its result.

        A task can be repeated without harm, also by another process. `progress`, which shows nothing by
        default, is called in the event loop with each `TransferEvent` of the task. Cancelling the call must
        end the task. Raises the AignosticsError with which the task failed: a job then repeats the task,
        quarantines the item or stops, depending on the error; a preflight reports a SlideError, and any other
        ends it. What is no AignosticsError ends both.
        """
        ...


@runtime_checkable
class StageEngine(Protocol):
    """An engine that reads and uploads slides of a bulk job and downloads outputs, such as `LocalEngine`.

        summary = await job.run(client, engine=LocalEngine())

    Whatever the engine, the process that runs the job alone creates runs, watches them and writes the
    database.
    """

    def open(self, setup: EngineSetup) -> AbstractAsyncContextManager[OpenEngine]:
        """Return an async context manager that yields an `OpenEngine` for one job.

        `BulkJob.run` and `run_preflight` call it in the event loop. `setup` has the plan, the client, the
        store and the folder for results. Leaving the block must end what the engine has started, also after
        an error or a cancellation.
        """
        ...
