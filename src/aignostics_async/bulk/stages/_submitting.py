"""The third stage: seals uploaded items in chunks, and creates exactly one run for each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from attrs import field, frozen

from ..._core._secret import SecretText
from ..._core._tasks import plain_task_group, run_all
from ..._inputs import Item
from ..._internals import check_health
from ...errors import JobStopped, QuotaExceeded
from ...slides._fingerprints import measure
from ...slides.workers._probed_slide import ProbedSlide
from ...storage._object_store import ObjectStore
from ...storage._upload import sign_get
from ...submission._slide_uploads import check_credentials
from ..database import _commands, _queries, _run_commands
from ..database._journal import EventType
from ..database._states import AttemptOutcome, IntentState, ItemState
from ..preflight.sources._slide_entry import SlideEntry
from ..reconciliation._chunking import chunks
from ..reconciliation._matching import CLOCK_SKEW
from ..reconciliation._protocol import MAX_UNKNOWN
from ._failure_policy import CircuitBreaker
from ._signals import StageId

if TYPE_CHECKING:
    from .._plan import JobPlan
    from ..database._queries import IntentRow, ItemRow
    from ..reconciliation._platform import PlatformClient
    from ..reconciliation._protocol import AttemptResult
    from ..reconciliation._submitter import Submitter
    from ._billing import BillingGuard
    from ._context import JobContext
    from ._stage import ItemStage

_AT_ONCE = 16
"""Chunks without a run at a time. With that many open, the platform has a problem, and gets no more."""
_SIGNING_AT_ONCE = 8
_DOUBTFUL = (IntentState.SENDING, IntentState.UNKNOWN)
_OPEN = (IntentState.SEALED, *_DOUBTFUL)
_TOLD = {
    IntentState.CREATED: EventType.RUN_CREATED,
    IntentState.AMBIGUOUS: EventType.RUN_AMBIGUOUS,
    IntentState.DISSOLVED: EventType.RUN_REFUSED,
}


_OVERLAP = 1200.0  # seconds
_CHANGED = "its file changed after it was uploaded"
_GONE = "the store has deleted its object"
_AGAIN = "'bulk retry' reads and uploads it again"
_A_DAY = 86400.0
_WAIT = "wait until it is complete; then 'bulk retry' reads and uploads it again"


def _has_changed(row: ItemRow) -> bool:
    """Whether the files of an item are other ones than those that were read."""
    if row.info is None:
        return False
    probed = ProbedSlide.from_dict(row.info)
    try:
        return measure(probed.info.files)[1] != probed.fingerprint
    except OSError:
        return False


async def _gone(context: JobContext, numbers: Sequence[int]) -> list[ItemRow]:
    """Return those of some uploaded items whose object the store has deleted by itself.

    Only old ones are asked about, which an earlier process has uploaded.
    """
    store = context.store
    if not isinstance(store, ObjectStore) or store.object_days is None:
        return []
    rows = await context.database.read(_queries.unchanged_since(numbers, time.time() - _A_DAY))
    return [row for row in rows if await context.with_retries(partial(store.stat, row.key or "")) is None]


class _DeadlinePassed(Exception):
    """A request was to be prepared whose deadline has passed."""


class _ObjectsGone(Exception):
    """A request was to be prepared, and the store has deleted objects of its items."""

    def __init__(self, rows: Sequence[ItemRow]) -> None:
        super().__init__()
        self.rows = rows


def _is_late(plan: JobPlan, server: float = 0.0) -> bool:
    return plan.deadline is not None and max(time.time(), server) >= plan.deadline.timestamp()


def _too_late(plan: JobPlan) -> JobStopped:
    return JobStopped(
        f"the deadline of its runs, {plan.deadline}, has passed, so no further one is created; resume it "
        "with a later deadline, or cancel it"
    )


@frozen(kw_only=True)
class Submitting:
    """Seals chunks, and leads each to its run."""

    context: JobContext
    platform: PlatformClient
    submitter: Submitter
    uploading: ItemStage
    billing: BillingGuard
    tag: str
    since: float
    """When the job was made."""
    _in_flight: set[int] = field(factory=set, init=False)
    _listed: deque[float] = field(factory=lambda: deque(maxlen=1), init=False)
    _breaker: CircuitBreaker = field(factory=CircuitBreaker, init=False)
    _done: anyio.Event = field(factory=anyio.Event, init=False)

    @property
    def is_done(self) -> bool:
        """Whether no further run can come."""
        return self._done.is_set()

    async def run(self) -> None:
        """Work until every uploaded item has a run or waits for a person's decision, or the job drains."""
        async with plain_task_group() as group:
            while self.context.may_send:
                signal = self.context.signals.next(StageId.SUBMITTING)
                # Both are read before the items: a chunk that is refused meanwhile leaves some to seal.
                is_last = self.uploading.is_done
                is_idle = not self._in_flight
                is_late = await self._is_late()
                sealed = 0 if is_late else await self._seal(is_last=is_last)
                for intent in await self._take(*(_DOUBTFUL if is_late else _OPEN)):
                    self._in_flight.add(intent.number)
                    group.start_soon(self._one, intent)
                if is_late and not self._in_flight and await self._has_unsent():
                    self.context.stop_sending(_too_late(self.context.plan))
                if is_last and is_idle and not sealed and not self._in_flight:
                    break
                if self.context.may_send:
                    await signal.wait()
        self._done.set()
        self.context.signals.notify_from(StageId.SUBMITTING)

    async def _is_late(self) -> bool:
        """Whether the deadline of further runs has passed, by this machine's clock or the platform's."""
        if self.context.plan.deadline is None:
            return False
        server = (await self.platform.moment()).server or 0.0
        return _is_late(self.context.plan, server)

    async def _has_unsent(self) -> bool:
        return await self.context.database.read(_queries.has_unsent())

    async def _take(self, *states: IntentState) -> Sequence[IntentRow]:
        # At most that many are in flight, so twice that many include every one that can begin.
        rows = await self.context.database.read(_queries.intents_in(*states, limit=2 * _AT_ONCE))
        waiting = [row for row in rows if row.number not in self._in_flight]
        return waiting[: _AT_ONCE - len(self._in_flight)]

    async def _seal(self, *, is_last: bool) -> int:
        """Seal the uploaded items in chunks, and return how many chunks."""
        plan, database = self.context.plan, self.context.database
        stored = await database.read(_queries.waiting())
        held = await self.billing.hold([each.number for each in stored])
        stored = [each for each in stored if each.number not in held]
        if plan.max_items is not None:
            stored = stored[: max(0, plan.max_items - await database.read(_queries.billed()))]
        ready = list(chunks(stored, plan.chunk_size, is_last=is_last))
        if ready:
            await self._record_runs()
        for chunk in ready:
            numbers = [each.number for each in chunk]
            left_out = await self._quarantine_changed(numbers) | await self._quarantine_gone(numbers)
            if usable := [number for number in numbers if number not in left_out]:
                await database.write(_commands.seal(usable, tag=self.tag))
        return len(ready)

    async def _quarantine_changed(self, numbers: Sequence[int]) -> set[int]:
        """Quarantine items with a file that changed after its upload, and return which.

        Such a file was still being written. One that is gone by now was whole when it was uploaded.
        """
        changed = set()
        for row in await self.context.database.read(_queries.items(numbers)):
            if await to_thread.run_sync(_has_changed, row):
                await self._quarantine(row, _CHANGED, _WAIT)
                changed.add(row.number)
        return changed

    async def _quarantine_gone(self, numbers: Sequence[int]) -> set[int]:
        """Quarantine items whose object the store has deleted by itself, and return which."""
        gone = await _gone(self.context, numbers)
        for row in gone:
            await self._quarantine(row, _GONE, _AGAIN)
        return {row.number for row in gone}

    async def _quarantine(self, row: ItemRow, fault: str, remedy: str) -> None:
        """Quarantine an item without its object, so that a retry reads and uploads it again."""
        columns = {"fault": fault, "remedy": remedy, "uri": None, "crc32c": None, "stored_size": None}
        await self.context.database.write(_commands.move_item(row.number, ItemState.QUARANTINED, **columns))
        self.context.journal.emit(EventType.QUARANTINED, reference=row.reference, text=fault)

    async def _record_runs(self) -> None:
        """Record the runs that exist: a run from before a chunk was sealed can't be its run."""
        begun = await self.platform.moment()
        since = max([self.since - CLOCK_SKEW, *self._listed])
        runs = await self.context.with_retries(partial(self.platform.runs, since))
        await self.context.database.write(_run_commands.record_runs(runs))
        if begun.server is not None:
            # The next listing goes back to the beginning of this one. A Date may be far ahead.
            self._listed.append(min(begun.server, time.time()) - _OVERLAP)

    async def _one(self, intent: IntentRow) -> None:
        try:
            await self.context.with_retries(partial(check_health, self.context.client))
            stop = await self.context.with_retries(lambda: self._reconcile_intent(intent.number))
            if stop is not None:
                self._stop(stop)
                return
            await self._tell(intent.number)
        except _ObjectsGone as error:
            await self.context.database.write(_commands.dissolve(intent.number, _GONE))
            for row in error.rows:
                await self._quarantine(row, _GONE, _AGAIN)
        except _DeadlinePassed:
            pass  # it is not sent; the loop stops for a person once no other request is in doubt
        except JobStopped as error:
            self.context.stop(error)
        finally:
            self._in_flight.discard(intent.number)
            self.context.signals.notify_from(StageId.SUBMITTING)

    def _stop(self, result: AttemptResult) -> None:
        """Stop the job; if the quota is used up, the runs that exist are finished first."""
        if isinstance(result.error, QuotaExceeded):
            error = JobStopped(f"the quota is used up: {result.reason}", cause=result.error)
            self.context.stop_sending(error)
            return
        if result.outcome is AttemptOutcome.UNKNOWN:
            raise JobStopped(
                f"a request for a run was sent {MAX_UNKNOWN} times, and there is no run: {result.reason}",
                cause=result.error,
            )
        raise JobStopped(f"the platform refuses its runs: {result.reason}", cause=result.error)

    async def _reconcile_intent(self, number: int) -> AttemptResult | None:
        # Read again: the attempt before may have sent a request.
        return await self.submitter.reconcile(await self.context.database.read(_queries.intent(number)))

    async def _tell(self, number: int) -> None:
        now = await self.context.database.read(_queries.intent(number))
        if (what := _TOLD.get(now.state)) is not None:
            self.context.journal.emit(what, run_id=now.run_id, text=now.reason)
        if now.state is IntentState.DISSOLVED and now.size == 1:
            if self._breaker.refused("alone"):  # its reason names the slide, or the request
                raise JobStopped(
                    f"the platform refused several slides in a row, the last one with: {now.reason}"
                )
        elif now.state is IntentState.CREATED:
            self._breaker.succeeded()
            await self.billing.record(now)


class Signing:
    """Returns the items of an intent as they are sent, with fresh URLs."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    async def __call__(self, intent: IntentRow) -> Sequence[Item]:
        """Return the items; raises ConfigurationError if the store's credentials expire too soon."""
        context = self._context
        if _is_late(context.plan):
            raise _DeadlinePassed
        lifetime = context.client.settings.url_lifetime
        await check_credentials(context.store, lifetime)

        async def sign(row: ItemRow) -> Item:
            entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
            info = ProbedSlide.from_dict(row.info or {}).info
            url = SecretText(await sign_get(context.store, row.uri or "", lifetime))
            artifact = context.requirements.as_artifact(entry, info, url=url, checksum=row.crc32c or "")
            return Item(row.reference + intent.tag, artifacts=[artifact], metadata=entry.item_metadata)

        rows = await context.database.read(_queries.members(intent.number))
        if gone := await _gone(context, [row.number for row in rows]):
            raise _ObjectsGone(gone)
        return await run_all([partial(sign, row) for row in rows], limit=_SIGNING_AT_ONCE)
