"""The third stage: chunks of uploaded items, and exactly one run for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen

from ..._core._tasks import plain_task_group, run_all
from ..._inputs import Item
from ...errors import JobStopped
from ...submission._delivery import check_credentials
from ..database import _commands, _queries, _run_commands
from ..database._journal import EventType
from ..database._states import IntentState
from ..preflight.slide_probe._result import ProbedSlide
from ..preflight.sources._slide_entry import SlideEntry
from ..reconciliation._chunking import chunks
from ..reconciliation._matching import CLOCK_SKEW
from ._failure_policy import Breaker
from ._signals import Part

if TYPE_CHECKING:
    from ..database._queries import IntentRow, ItemRow
    from ..reconciliation._platform import Platform
    from ..reconciliation._protocol import Sent
    from ..reconciliation._submitter import Submitter
    from ._context import Work
    from ._stage import Stage

_AT_ONCE = 16
"""Chunks whose run is not known. With so many open the platform is not well, and is asked for no more."""
_SIGNING_AT_ONCE = 8
_OPEN = (IntentState.SEALED, IntentState.SENDING, IntentState.UNKNOWN)
_TOLD = {
    IntentState.CREATED: EventType.RUN_CREATED,
    IntentState.AMBIGUOUS: EventType.RUN_AMBIGUOUS,
    IntentState.DISSOLVED: EventType.RUN_REFUSED,
}


@frozen(kw_only=True)
class Submitting:
    """Seals chunks and pursues each until it has its run."""

    work: Work
    platform: Platform
    submitter: Submitter
    uploading: Stage
    tag: str
    since: float
    """When the job was made."""
    _in_flight: set[int] = field(factory=set, init=False)
    _listed: deque[float] = field(factory=lambda: deque(maxlen=1), init=False)
    _breaker: Breaker = field(factory=Breaker, init=False)
    _done: anyio.Event = field(factory=anyio.Event, init=False)

    @property
    def is_done(self) -> bool:
        """Whether no run can come any more."""
        return self._done.is_set()

    async def run(self) -> None:
        """Work until every uploaded item has its run, or a person has to decide; or until the job drains."""
        async with plain_task_group() as group:
            while not self.work.is_draining:
                ring = self.work.bells.next(Part.SUBMITTING)
                # Both before the items are read: a chunk that is refused meanwhile leaves some to be sealed.
                is_last = self.uploading.is_done
                is_idle = not self._in_flight
                sealed = await self._seal(is_last=is_last)
                for intent in await self._take():
                    self._in_flight.add(intent.number)
                    group.start_soon(self._one, intent)
                if is_last and is_idle and not sealed and not self._in_flight:
                    break
                await ring.wait()
        self._done.set()
        self.work.bells.ring_from(Part.SUBMITTING)

    async def _take(self) -> Sequence[IntentRow]:
        # At most so many are in flight: among twice as many is every one that can be begun.
        rows = await self.work.database.read(_queries.intents_in(*_OPEN, most=2 * _AT_ONCE))
        waiting = [row for row in rows if row.number not in self._in_flight]
        return waiting[: _AT_ONCE - len(self._in_flight)]

    async def _seal(self, *, is_last: bool) -> int:
        """Make chunks of what is uploaded, and return how many."""
        plan, database = self.work.plan, self.work.database
        stored = await database.read(_queries.waiting())
        if plan.max_items is not None:
            stored = stored[: max(0, plan.max_items - await database.read(_queries.billed()))]
        ready = list(chunks(stored, plan.chunk_size, is_last=is_last))
        if ready:
            await self._see_runs()
        for chunk in ready:
            await database.write(_commands.seal([each.number for each in chunk], tag=self.tag))
        return len(ready)

    async def _see_runs(self) -> None:
        """Take in which runs there are: what is there before a chunk is sealed can't be its run."""
        begun = await self.platform.moment()
        runs = await self.work.patiently(lambda: self.platform.runs(self._seen_until))
        await self.work.database.write(_run_commands.see_runs(runs))
        if begun.server is not None:
            # The next listing goes back as far as where this one began, and on by what clocks may differ.
            self._listed.append(begun.server - CLOCK_SKEW)

    @property
    def _seen_until(self) -> float:
        return max(self.since, self._listed[-1]) if self._listed else self.since

    async def _one(self, intent: IntentRow) -> None:
        try:
            stop = await self.work.patiently(lambda: self._pursue(intent.number))
            if stop is not None:
                raise JobStopped(f"the platform refuses its runs: {stop.reason}", cause=stop.error)
            await self._tell(intent.number)
        except JobStopped as error:
            self.work.stop(error)
        finally:
            self._in_flight.discard(intent.number)
            self.work.bells.ring_from(Part.SUBMITTING)

    async def _pursue(self, number: int) -> Sent | None:
        # As it stands now: a try before may have sent a request.
        return await self.submitter.pursue(await self.work.database.read(_queries.intent(number)))

    async def _tell(self, number: int) -> None:
        now = await self.work.database.read(_queries.intent(number))
        if (what := _TOLD.get(now.state)) is not None:
            self.work.journal.tell(what, run_id=now.run_id, text=now.reason)
        if now.state is IntentState.DISSOLVED and now.size == 1:
            if self._breaker.refused("alone"):  # its reason names the slide, or the request
                raise JobStopped(
                    f"the platform refuses one slide after the other, the last one so: {now.reason}"
                )
        elif now.state is IntentState.CREATED:
            self._breaker.succeeded()


class Signing:
    """Gives the items of an intent as they are sent, with fresh URLs."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def __call__(self, intent: IntentRow) -> Sequence[Item]:
        """Return the items; raises ConfigurationError where the store's credentials end too soon."""
        work = self._work
        lifetime = work.client._session.settings.url_lifetime  # noqa: SLF001 - of our own
        await check_credentials(work.store, lifetime)

        async def sign(row: ItemRow) -> Item:
            entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
            info = ProbedSlide.from_dict(row.info or {}).info
            url = await work.store.presign_get(row.uri or "", lifetime)
            artifact = work.requirements.as_artifact(entry, info, url=url, checksum=row.crc32c or "")
            return Item(row.reference + intent.tag, artifacts=[artifact])

        rows = await work.database.read(_queries.members(intent.number))
        return await run_all([partial(sign, row) for row in rows], limit=_SIGNING_AT_ONCE)
