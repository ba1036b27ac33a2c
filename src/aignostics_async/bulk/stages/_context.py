"""What the stages of a job share."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from attrs import define, field

from ..._core._clock import SYSTEM_CLOCK, Clock
from ...errors import AignosticsError, JobRefused, JobStopped
from ...submission._billing_index import BillingIndex
from ..database import _commands
from ..database._journal import EventType
from ..engines._protocol import EngineSetup
from ._failure_policy import FailureAction, Failures, decide
from ._signals import StageSignals
from ._throughput import ThroughputMeter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from ..._client import Client
    from ...storage import Store
    from ...transfer.progress._events import Progress, TransferEvent
    from .._plan import JobPlan
    from ..database._database import Database
    from ..database._journal import Journal
    from ..database._queries import ItemRow
    from ..database._samples import Stage
    from ..preflight._requirements import Requirements

T = TypeVar("T")


@define(kw_only=True, eq=False)
class JobContext:
    """A job at work, as its stages see it."""

    job_id: str
    plan: JobPlan
    results: Path
    folders: Mapping[int, str]
    """The names of the items' folders of results, by their numbers."""
    database: Database
    client: Client
    store: Store
    requirements: Requirements = field(init=False)
    """The requirements of the application version."""
    journal: Journal
    progress: Progress
    clock: Clock = SYSTEM_CLOCK
    taken: set[int] = field(factory=set, init=False)
    """Items that a stage works on, so that no other stage takes them."""
    billing_index: BillingIndex = field(factory=BillingIndex)
    signals: StageSignals = field(factory=StageSignals)
    meter: ThroughputMeter = field(factory=ThroughputMeter)
    stopped: list[JobStopped] = field(factory=list, init=False)
    """The errors that stop the job."""
    _draining: anyio.Event = field(factory=anyio.Event, init=False)
    _sending_ended: anyio.Event = field(factory=anyio.Event, init=False)
    _transfers: set[anyio.CancelScope] = field(factory=set, init=False)

    @property
    def is_draining(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._draining.is_set()

    @property
    def may_send(self) -> bool:
        """Whether slides may be prepared and runs created."""
        return not self._sending_ended.is_set()

    def drain(self) -> None:
        """Begin nothing new, and finish what was begun."""
        self._draining.set()
        self._sending_ended.set()
        self.signals.notify()

    def stop_sending(self, error: JobStopped) -> None:
        """Create no further runs, let those that exist come to an end, and let the job end with an error."""
        self.stopped.append(error)
        self._sending_ended.set()
        self.signals.notify()

    def abort(self) -> None:
        """Drain, and cancel the transfers under way; a request for a run is concluded, never cancelled."""
        self.drain()
        for scope in list(self._transfers):
            scope.cancel()

    @contextmanager
    def cancellable(self) -> Iterator[None]:
        """Let `abort` cancel what happens in the block."""
        with anyio.CancelScope() as scope:
            self._transfers.add(scope)
            try:
                yield
            finally:
                self._transfers.discard(scope)

    def stop(self, error: JobStopped) -> None:
        """Drain, and end the job with an error."""
        self.stopped.append(error)
        self.drain()

    async def sleep(self, seconds: float) -> None:
        """Sleep, at most until the job drains."""
        with self.clock.move_on_after(seconds):
            await self._draining.wait()

    async def sleep_while_sending(self, seconds: float) -> None:
        """Sleep, at most until no run may be created any more."""
        with self.clock.move_on_after(seconds):
            await self._sending_ended.wait()

    def engine_setup(self, store_address: str | None) -> EngineSetup:
        """Return what an engine is opened for; the store is the one at an address, if it has one."""
        return EngineSetup(
            plan=self.plan,
            client=self.client,
            store=lambda: self.store,
            store_address=store_address,
            job_id=self.job_id,
            results=self.results,
            on_wait=lambda reason: self.journal.emit(EventType.WAITING, text=reason),
            on_remark=lambda text: self.journal.emit(EventType.ENGINE, text=text),
            on_grown=self.signals.notify,
            is_stopping=lambda: self.is_draining,
        )

    async def with_retries(self, do: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a step that the whole job depends on, repeated while its failure may pass.

        Raises JobStopped if it will not pass, and JobRefused unchanged.
        """
        failures = Failures()
        while True:
            began = self.clock.monotonic()
            try:
                return await do()
            except (JobRefused, JobStopped):
                raise
            except AignosticsError as error:
                failures.add(began, self.clock.monotonic())
                decision = decide(error, failures.count, failures.lasted, random.random())
                if decision.action is not FailureAction.RETRY or self.is_draining:
                    raise JobStopped(str(error), cause=error) from error
                self.journal.emit(EventType.WAITING, text=str(error))
            await self.sleep(decision.wait)

    def counting(self, stage: Stage) -> Progress:
        """Return a callback for the events of one item, which counts the bytes that a stage moves."""
        files: dict[str, Callable[[int], None]] = {}

        def tell(event: TransferEvent) -> None:
            # An upload that finishes without having advanced was there already.
            if event.kind == "advanced" or (event.kind == "finished" and event.direction == "download"):
                files.setdefault(event.name, self.meter.passing(stage))(event.done)
            self.progress(event)

        return tell

    async def quarantine(self, row: ItemRow, fault: str, remedy: str = "", **columns: Any) -> None:
        """Quarantine an item and set columns; the others continue. A final item keeps its state."""
        command = _commands.quarantine(row.number, fault, remedy or None, **columns)
        if not await self.database.write(command):
            return
        self.journal.emit(EventType.QUARANTINED, reference=row.reference, text=fault)
