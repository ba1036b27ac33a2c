"""The driver of the reconciliation: carries out the steps of `_protocol`."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from attrs import Factory, field, frozen

from ..._core._backoff import Backoff
from ..._core._clock import SYSTEM_CLOCK
from ...errors import AignosticsError, Forbidden, JobStopped
from ...submission._marks import RunMark, new_mark, new_token
from ..database import _commands, _queries
from ..database._job_folder import HighWaterMark
from ..database._states import AttemptOutcome, IntentState
from ._matching import CLOCK_SKEW, RunQuery
from ._platform import is_signed_out
from ._protocol import (
    AttemptResult,
    Begin,
    Claim,
    Conclude,
    FindMarked,
    ListRuns,
    Prepare,
    ReadClock,
    ReadReferences,
    Resolve,
    RunListing,
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

# Seconds.
_LISTING_INTERVAL = 15.0
_MAX_OUTAGE = 3600.0
_NOT_NOW_BACKOFF = Backoff(2.0, 60.0)
_BEGINS = (Prepare, ReadClock, Begin, FindMarked, ListRuns, Wait)
"""Steps that a job which drains does not begin."""
_NOT_NOW = frozenset({AttemptOutcome.LATER, AttemptOutcome.NOT_SENT})


@frozen(kw_only=True)
class Submitter:
    """Leads intents to their runs, several at once."""

    database: Database
    platform: PlatformClient
    high_water_mark: HighWaterMarkFile
    generation: int
    version: str
    """The id of the application version."""
    since: float
    """When the job was made. The Date of a request may be ahead of the clock that dates its run."""
    job: str
    """The id of the job, for the marks of its runs; not empty."""
    holder: str = field(factory=new_token)
    """The token of this process, for the same."""
    user: str | None = None
    """Who submits, as runs name their user; None if nobody knows."""
    timeouts: ReconciliationTimeouts
    prepare: Callable[[IntentRow], Awaitable[Sequence[Item]]]
    """Returns the items of an intent with fresh URLs."""
    clock: Clock = SYSTEM_CLOCK
    """The one that `platform` tells the time by."""
    sleep: Callable[[float], Awaitable[None]] = SYSTEM_CLOCK.sleep
    """Sleeps for some seconds, or less if the job drains."""
    is_draining: Callable[[], bool] = bool
    """Whether nothing new is to be begun."""
    on_doubt: Callable[[str], None] = lambda _reason: None
    """Called with the reason when it is unknown whether a request has created a run."""
    on_wait: Callable[[str], None] = lambda _reason: None
    """Called with the reason when the platform can't be reached, or asks to wait."""
    _marking: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    # The uptime of a moment after the end of the process before, which may have sent requests, too.
    _begun: float = field(default=Factory(lambda self: self.clock.uptime(), takes_self=True), init=False)
    # By intent, the requests of this process whose outcome was unknown.
    _unknown: dict[int, list[AttemptResult]] = field(factory=dict, init=False)
    # The uptime after the latest of all.
    _asked: deque[float] = field(factory=lambda: deque(maxlen=1), init=False)

    async def reconcile(self, intent: IntentRow) -> AttemptResult | None:
        """Lead an intent to its run, or until the job drains and no request of it is under way.

        Returns the result that stops the job, if there is one.

        May be cancelled, or die, between any two steps; the next call continues from what was written down.
        Raises AignosticsError if its items can't be prepared, and then nothing was sent, and JobStopped if
        the platform can't be reached, or asks to wait, for an hour.
        """
        reconciliation = _Reconciliation(self, intent)
        unknown = self._unknown.setdefault(intent.number, [])
        steps = reconcile(intent.state, self.timeouts, _LISTING_INTERVAL, unknown=len(unknown))
        given: Any = None
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                return (reconciliation.sent or unknown[-1]) if end.value is IntentState.SEALED else None
            if self.is_draining() and isinstance(step, _BEGINS):
                return None
            given = await reconciliation.act(step)

    async def create(self, intent: int, items: Sequence[Item], mark: RunMark | None = None) -> AttemptResult:
        """Send a request for a run once, and return its outcome."""
        sent = await self.platform.create(items, mark)
        if sent.run_id in await self.database.read(_queries.others_runs(intent)):
            reason = f"the platform named run {sent.run_id}, which is another one"
            sent = AttemptResult(outcome=AttemptOutcome.UNKNOWN, reason=reason)
        if sent.outcome is AttemptOutcome.UNKNOWN:
            self._unknown.setdefault(intent, []).append(sent)
        return sent

    def doubt(self, reason: str) -> None:
        """Register that it is unknown whether a request has created a run."""
        self._asked.append(self.clock.uptime())
        self.on_doubt(reason)

    async def left_to_search(self) -> float:
        """Return how many seconds longer a request that was repeated may create a second run."""
        doubted = await self.database.read(_queries.doubted())
        if doubted is None:
            return 0.0
        now = await self.platform.moment(fresh=True)
        passed = now.uptime - (self._asked[-1] if self._asked else self._begun)
        if not self._asked:
            # No request depends on it, so the disk is believed as far as both clocks agree.
            passed = max(passed, doubted.age(time.time(), now.server))
        return self.timeouts.late_commit - passed

    def new_mark(self, intent: IntentRow) -> RunMark | None:
        """Return the mark of a request that is about to be sent; None where the platform keeps none."""
        if not self.platform.has_marks:
            return None
        return new_mark(holder=self.holder, job=self.job, intent=intent.uuid)

    async def begin(self, intent: int, server_date: float | None, mark: RunMark | None = None) -> None:
        """Write down a request that is about to be sent, in the database and in the high-water mark."""
        told = {} if mark is None else {"mark": mark.attempt, "holder": mark.holder}
        await self.database.write(_commands.begin(intent, server_date, **told))
        async with self._marking:
            written = HighWaterMark(self.generation, await self.database.read(_queries.requests()))
            await to_thread.run_sync(self.high_water_mark.write, written)


class _Reconciliation:
    """The steps of one intent."""

    def __init__(self, submitter: Submitter, intent: IntentRow) -> None:
        self._submitter = submitter
        self._intent = intent
        self._items: Sequence[Item] = ()
        self._mark: RunMark | None = None
        self._failing_since: float | None = None
        self._waits = 0
        self.sent: AttemptResult | None = None

    async def act(self, step: Step) -> Any:  # noqa: C901, PLR0911 - one line for each step
        """Carry out a step, and return its result."""
        submitter, number = self._submitter, self._intent.number
        match step:
            case Prepare():
                # For each request again, since URLs expire.
                self._items = await submitter.prepare(self._intent)
            case ReadClock(is_fresh):
                return await submitter.platform.moment(fresh=is_fresh)
            case Begin(server_date):
                self._mark = submitter.new_mark(self._intent)
                await submitter.begin(number, server_date, self._mark)
            case Send():
                self.sent = await submitter.create(number, self._items, self._mark)
                return self.sent
            case Conclude(answer, state, run_id, reason):
                await submitter.database.write(_commands.conclude(number, answer, state, run_id, reason))
                if state is IntentState.UNKNOWN:
                    submitter.doubt(reason)
            case Resolve(state, run_id, reason):
                await submitter.database.write(_commands.resolve(number, state, run_id, reason))
            case FindMarked():
                return await self._find_marked()
            case ListRuns():
                return await self._list()
            case Claim(run):
                return await submitter.platform.claim(run, submitter.holder)
            case ReadReferences(run_id):
                return await submitter.platform.references(run_id)
            case Wait(seconds):
                await submitter.sleep(self._longer(seconds))
        return None

    def _longer(self, seconds: float) -> float:
        """Return how long to wait: longer each time the platform asks to wait, or can't be reached."""
        if self.sent is None or self.sent.outcome not in _NOT_NOW:
            self._waits = 0
            return seconds
        if self.sent.error is not None:
            self._tolerate(self.sent.error)
        self._waits += 1
        return _NOT_NOW_BACKOFF.wait(self._waits, random.random(), retry_after=seconds)

    def _tolerate(self, error: AignosticsError) -> None:
        """Tolerate an error that may pass; raises JobStopped when it has lasted for too long."""
        now = self._submitter.clock.monotonic()  # a suspended machine is no outage
        if self._failing_since is None:
            self._failing_since = now
            self._submitter.on_wait(str(error))
        if now - self._failing_since > _MAX_OUTAGE:
            raise JobStopped(str(error), cause=error)

    async def _find_marked(self) -> RunListing | None:
        """Return the runs that the platform finds by the intent's mark; None where it can't, or fails."""
        submitter = self._submitter
        query = await self._query()
        if not submitter.platform.has_marks or not query.attempts:
            return None
        try:
            runs = await submitter.platform.marked(query.intent)
        except AignosticsError as error:
            if is_signed_out(error) or isinstance(error, Forbidden):
                raise
            return None  # the listing tells it, too
        return RunListing(await submitter.platform.moment(), runs, query)

    async def _list(self) -> RunListing | None:
        submitter = self._submitter
        begun = await submitter.platform.moment(fresh=True)
        try:
            runs = await submitter.platform.runs(submitter.since - CLOCK_SKEW)
        except AignosticsError as error:
            if is_signed_out(error) or isinstance(error, Forbidden):
                raise
            self._tolerate(error)
            return None
        self._failing_since = None
        return RunListing(begun, runs, await self._query())

    async def _query(self) -> RunQuery:
        """Return what is known about the run that the requests of the intent may have created."""
        submitter, intent = self._submitter, self._intent
        items = await submitter.database.read(_queries.members(intent.number))
        attempts = await submitter.database.read(_queries.attempts())
        own = [each.mark for each in attempts if each.intent == intent.number]
        return RunQuery(
            references=frozenset(item.reference + intent.tag for item in items),
            version=submitter.version,
            since=submitter.since,
            known=await submitter.database.read(_queries.others_runs(intent.number)),
            job=submitter.job,
            intent=intent.uuid,
            holder=submitter.holder,
            attempts=frozenset(mark for mark in own if mark is not None),
            other_attempts=frozenset(
                each.mark for each in attempts if each.mark is not None and each.intent != intent.number
            ),
            is_marked=None not in own,
            user=submitter.user,
        )
