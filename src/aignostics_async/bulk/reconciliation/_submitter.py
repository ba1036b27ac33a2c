"""One run for each intent: does what `_pursuit` says, with the platform and the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from attrs import field, frozen

from ..._core._clock import SYSTEM_CLOCK
from ...errors import AignosticsError, Forbidden, JobStopped
from ..database import _commands, _queries
from ..database._job_folder import HighWaterMark
from ..database._states import AttemptOutcome, IntentState
from ._matching import RunQuery
from ._platform import is_signed_out
from ._protocol import (
    AttemptResult,
    Begin,
    Conclude,
    Listing,
    ListRuns,
    Prepare,
    ReadClock,
    ReadReferences,
    ReadUptime,
    Resolve,
    Send,
    Step,
    Wait,
    reconcile,
)

if TYPE_CHECKING:
    from ..._core._clock import Clock
    from ..._inputs import Item
    from ..database._database import Database
    from ..database._job_folder import HighWaterMarkFile
    from ..database._queries import IntentRow
    from ._platform import PlatformClient
    from ._quiescence import ReconciliationTimeouts

# Seconds of the server's clock.
_LISTING_INTERVAL = 15.0
_LONGEST_WAIT = 60.0
_LONGEST_OUTAGE = 3600.0
_NOT_NOW = frozenset({AttemptOutcome.LATER, AttemptOutcome.NOT_SENT})


@frozen(kw_only=True)
class Submitter:
    """Pursues intents, one or several at once."""

    database: Database
    platform: PlatformClient
    high_water_mark: HighWaterMarkFile
    generation: int
    version: str
    """The id of the application version."""
    timeouts: ReconciliationTimeouts
    prepare: Callable[[IntentRow], Awaitable[Sequence[Item]]]
    """Gives the items of an intent with fresh URLs."""
    clock: Clock = SYSTEM_CLOCK
    """The one that `platform` tells the time by."""
    sleep: Callable[[float], Awaitable[None]] = SYSTEM_CLOCK.sleep
    """Sleeps so many seconds, or less where the work drains."""
    is_draining: Callable[[], bool] = bool
    """Whether nothing new is to be begun."""
    on_doubt: Callable[[str], None] = lambda _reason: None
    """Is told why a request may have created a run and may not."""
    on_wait: Callable[[str], None] = lambda _reason: None
    """Is told what is waited for, when the platform can't be asked or says not now."""
    _marking: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def reconcile(self, intent: IntentRow) -> AttemptResult | None:
        """Pursue an intent until nothing is open, or until the work drains and nothing is on its way.

        Returns the answer that stops the job, if one does.

        May be cancelled, or die, between any two steps; the next call continues from what was written down.
        Raises AignosticsError where its items could not be prepared, and then nothing was sent; and
        JobStopped where the platform can't be asked, or says not now, for an hour.
        """
        reconciliation = _Reconciliation(self, intent)
        steps = reconcile(intent.state, intent.last_asked, self.timeouts, _LISTING_INTERVAL)
        step = next(steps)
        while not (self.is_draining() and isinstance(step, Prepare | ReadClock | Begin | ListRuns | Wait)):
            given = await reconciliation.act(step)
            try:
                step = steps.send(given)
            except StopIteration as end:
                return reconciliation.sent if end.value is IntentState.SEALED else None
        return None

    async def begin(self, intent: int, server_date: float | None) -> None:
        """Write down a request that is about to leave, here and in the high_water_mark."""
        await self.database.write(_commands.begin(intent, server_date))
        async with self._marking:
            written = HighWaterMark(self.generation, *await self.database.read(_queries.requests()))
            await to_thread.run_sync(self.high_water_mark.write, written)


class _Reconciliation:
    """The steps of one intent."""

    def __init__(self, submitter: Submitter, intent: IntentRow) -> None:
        self._submitter = submitter
        self._intent = intent
        self._first_asked = intent.first_asked
        self._has_asked = intent.requests > 0
        self._items: Sequence[Item] = ()
        self._failing_since: float | None = None
        self._waits = 0
        self.sent: AttemptResult | None = None

    async def act(self, step: Step) -> Any:  # noqa: C901 - one line for each step
        """Do what a step says, and return what it is answered with."""
        submitter, number = self._submitter, self._intent.number
        match step:
            case Prepare():
                # For each request anew, for URLs end.
                self._items = await submitter.prepare(self._intent)
            case ReadUptime():
                return submitter.clock.uptime()
            case ReadClock(is_fresh):
                return await submitter.platform.moment(fresh=is_fresh)
            case Begin(server_date):
                await self._begin(server_date)
            case Send():
                self.sent = await submitter.platform.create(self._items)
                return self.sent
            case Conclude(answer, state, run_id, reason):
                await submitter.database.write(_commands.conclude(number, answer, state, run_id, reason))
                if state is IntentState.UNKNOWN:
                    submitter.on_doubt(reason)
            case Resolve(state, run_id, reason):
                await submitter.database.write(_commands.resolve(number, state, run_id, reason))
            case ListRuns():
                return await self._list()
            case ReadReferences(run_id):
                return await submitter.platform.references(run_id)
            case Wait(seconds):
                await submitter.sleep(self._longer(seconds))
        return None

    def _longer(self, seconds: float) -> float:
        """Return how long to wait, the longer the more often the platform has said not now."""
        if self.sent is None or self.sent.outcome not in _NOT_NOW:
            self._waits = 0
            return seconds
        if self.sent.error is not None:
            self._bear(self.sent.error)
        self._waits += 1
        return max(seconds, min(2.0**self._waits, _LONGEST_WAIT))

    def _bear(self, error: AignosticsError) -> None:
        """Go on in spite of an error that may pass; raises JobStopped when it has not for too long."""
        now = self._submitter.clock.uptime()
        if self._failing_since is None:
            self._failing_since = now
            self._submitter.on_wait(str(error))
        if now - self._failing_since > _LONGEST_OUTAGE:
            raise JobStopped(str(error), cause=error)

    async def _begin(self, server_date: float | None) -> None:
        await self._submitter.begin(self._intent.number, server_date)
        if not self._has_asked:
            self._has_asked, self._first_asked = True, server_date

    async def _list(self) -> Listing | None:
        submitter, intent = self._submitter, self._intent
        begun = await submitter.platform.moment(fresh=True)
        since = self._first_asked or 0.0
        try:
            runs = await submitter.platform.runs(since)
        except AignosticsError as error:
            if is_signed_out(error) or isinstance(error, Forbidden):
                raise
            self._bear(error)
            return None
        self._failing_since = None
        items = await submitter.database.read(_queries.members(intent.number))
        query = RunQuery(
            references=frozenset(item.reference + intent.tag for item in items),
            version=submitter.version,
            asked_at=since,
            known=await submitter.database.read(_queries.others_runs(intent.number)),
        )
        return Listing(begun, runs, query)
