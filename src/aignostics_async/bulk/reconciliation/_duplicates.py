"""Runs that the database does not know: second ones of an intent, and those of copies of the job.

A request is repeated after a silence, but a commit may be later than that. So while the job works, it
searches the listing for runs with the references of an intent that has a run already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen

from ..._core._logging import get_logger
from ...errors import AignosticsError
from ...submission._marks import RunMark, new_token
from ..database import _commands, _ownership_queries, _queries, _run_commands
from ._matching import CLOCK_SKEW
from ._ownership import (
    SecondRun,
    contested_intents,
    duplicate_of,
    is_awaited,
    overlapped_by,
    owned_items,
    shared_items,
)
from ._tags import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..._client import Client
    from ..database._database import Database
    from ..database._ownership_queries import Ownership
    from ..database._queries import IntentRow
    from ..database._run_commands import ObservedRun
    from ._platform import PlatformClient
    from ._quiescence import Moment

_log = get_logger("aignostics_async.bulk")
_HOW = "the platform has it, and this database had forgotten it"
SHARED_REMEDY = (
    "if that run is this job's, from a copy of its folder, 'bulk adopt' takes it in; else leave the slide, "
    "or have it analysed by this job too, which is billed: 'bulk retry --rerun'"
)


def _describe_shared(run_id: str) -> str:
    return f"run {run_id}, created since this job was made, has an item with its reference"


@frozen(kw_only=True)
class DuplicateRun:
    """A run that is a second one of an intent."""

    run_id: str
    intent: int
    done: str | None
    """What was done about it; None if a person has to decide."""


@frozen
class AdoptionResult:
    """What was done about the runs that the database did not know."""

    adopted: list[str] = field(factory=list)
    """Runs that are the job's now."""
    doubtful: list[str] = field(factory=list)
    """Runs that may be listed in part, to be read again."""
    unread: list[str] = field(factory=list)
    """Runs that could not be read."""
    held: dict[str, str] = field(factory=dict)
    """Items that are held for a decision: by their reference, the run that has them."""

    @property
    def unsettled(self) -> list[str]:
        """Runs that have to be read again before anything may be sent."""
        return [*self.unread, *self.doubtful]

    @property
    def is_open(self) -> bool:
        """Whether something has to be read again before anything may be sent."""
        return bool(self.unsettled)


@frozen(kw_only=True)
class Reconciler:
    """Settles the platform's runs that the database does not know and that concern the job."""

    database: Database
    platform: PlatformClient
    client: Client
    version: str
    tag: str
    """The job's tag in references; empty if it has none."""
    since: float
    """When the job was made."""
    replica_lag: float
    """Seconds after which no stale replica answers as before."""
    job: str = ""
    """The id of the job, as the marks of its runs have it."""
    holder: str = field(factory=new_token)
    """The token of this process, for the same."""
    user: str | None = None
    """Who submits, as runs name their user; None if nobody knows."""
    on_duplicate: Callable[[DuplicateRun], None] = lambda _second: None
    """Called once with each second run."""
    # Runs that were read to their end and have no item of the job.
    _strangers: set[str] = field(factory=set, init=False)
    # What a run showed when it was read, and when it was first read like that.
    _read: dict[str, tuple[frozenset[str], Moment]] = field(factory=dict, init=False)

    async def find_duplicates(self) -> list[DuplicateRun]:
        """Find second runs of intents, write them down, and return them.

        One that this very process has sent is cancelled: its mark says so, and nobody else can have taken it
        (see `SecondRun`). So is one that a tag in its references proves to be the job's, where the platform
        keeps no marks. All others are left to a person. Raises AignosticsError if the listing can't be read;
        what was found until then is written down.
        """
        found = []
        listed = await self.platform.runs(self.since - CLOCK_SKEW)
        for run in await self._unknown(listed):
            if self._is_another_job_s(run):
                self._strangers.add(run.run_id)
                continue
            references = await self.platform.references(run.run_id)
            if references is None:
                continue
            # Read after the references, in one query: by now the run may belong to an intent.
            ownership = await self.database.read(_ownership_queries.ownership())
            if (intent := self._second_of(run, references, ownership)) is not None:
                found.append(await self._report(run, intent, references, listed))
            # The items of an empty run may not be listed yet.
            elif references and not any(plain(each, self.tag) in ownership.items for each in references):
                self._strangers.add(run.run_id)
        return found

    async def adopt(self, *, is_copy: bool) -> AdoptionResult:
        """Settle the runs that have items of the job and that its database does not know.

        A run that consists of the job's own items becomes the job's, if its mark or a tag proves that it is,
        or the database is a copy from before. Otherwise the items of such a run that were not sent are held
        for a person's decision. What a request without an answer may have created is left to the
        reconciliation of that request.

        A young run may be listed in part, and then looks like a smaller one: it has to read the same a
        replica lag later. Until then, and while a run can't be read, nothing may be sent.
        """
        result = AdoptionResult()
        listed = await self.platform.runs(self.since - CLOCK_SKEW)
        unknown = await self._unknown(listed)
        ownership = await self.database.read(_ownership_queries.ownership())
        # The oldest first: of two runs of the same items the first belongs to the job.
        for run in reversed(unknown):
            before = await self.platform.moment()
            references = await self.platform.references(run.run_id)
            if references is None:
                result.unread.append(run.run_id)
            elif not is_awaited(references, ownership):
                await self._settle(run, references, before, ownership, result, listed=listed, is_copy=is_copy)
        return result

    async def _settle(
        self,
        run: ObservedRun,
        references: frozenset[str],
        before: Moment,
        ownership: Ownership,
        result: AdoptionResult,
        *,
        listed: Sequence[ObservedRun],
        is_copy: bool,
    ) -> None:
        is_proven = is_copy or bool(self.tag) or self._is_marked_as_own(run, listed)
        is_provable = is_proven and not self._is_another_job_s(run)
        owned = owned_items(references, ownership, self.tag) if is_provable else []
        shared = owned or shared_items(references, ownership, self.tag)
        is_whole = await self._is_settled(run, references, before)
        if (shared or not references) and not is_whole:
            result.doubtful.append(run.run_id)
        elif owned and not contested_intents(references, ownership):
            if await self.platform.claim(run, self.holder):
                await self._adopt(run, references, owned, ownership)
                result.adopted.append(run.run_id)
            elif run.mark is None or run.mark.withdrawn is None:
                result.doubtful.append(run.run_id)
        elif shared:
            result.held.update(await self._hold(run, references, shared, ownership))
        elif (intent := self._second_of(run, references, ownership)) is not None:
            await self._report(run, intent, references, listed)
        else:
            self._strangers.add(run.run_id)

    async def _adopt(
        self, run: ObservedRun, references: frozenset[str], numbers: list[int], ownership: Ownership
    ) -> None:
        reference = next(iter(references))
        tag = reference[len(plain(reference, self.tag)) :]
        command = _run_commands.adopt(run, numbers, tag=tag, how=_HOW)
        ownership.adopt(run.run_id, references, numbers, await self.database.write(command))
        _log.warning("run %s was adopted: it has %d items of the job", run.run_id, len(numbers))

    async def _hold(
        self, run: ObservedRun, references: frozenset[str], numbers: list[int], ownership: Ownership
    ) -> dict[str, str]:
        """Hold items that a run has, and return that run by their references."""
        is_of_job = all(plain(each, self.tag) in ownership.items for each in references)
        for intent in contested_intents(references, ownership) if is_of_job else ():
            reason = f"run {run.run_id} has some of its items, and others"
            await self.database.write(_commands.doubt(intent, reason))
        held = await self.database.write(
            _commands.hold(dict.fromkeys(numbers, run.run_id), _describe_shared, SHARED_REMEDY)
        )
        names = {number: reference for reference, number in ownership.items.items()}
        return {names[number]: run.run_id for number in held}

    async def _is_settled(self, run: ObservedRun, references: frozenset[str], before: Moment) -> bool:
        """Whether a run is listed whole: it was read like this a lag ago.

        `before` is from before it was read. Its age is no proof: the clocks that date runs and answers may
        differ.
        """
        first = self._read.get(run.run_id)
        if first is not None and first[0] == references:
            return before.since(first[1]) >= self.replica_lag
        self._read[run.run_id] = references, await self.platform.moment()
        return False

    async def _unknown(self, listed: Iterable[ObservedRun]) -> list[ObservedRun]:
        """Return runs of the job's version that the database does not know, the newest first."""
        known = await self.database.read(_queries.known_runs()) | self._strangers
        return [run for run in listed if run.version == self.version and run.run_id not in known]

    def _is_another_job_s(self, run: ObservedRun) -> bool:
        """Whether a run is marked by another job, or by a request of none."""
        return run.mark is not None and run.mark.job != self.job

    def _is_marked_as_own(self, run: ObservedRun, listed: Sequence[ObservedRun]) -> bool:
        """Whether a run has a mark of this job that nobody has copied, as far as the listing shows."""
        mark = run.mark
        if mark is None or mark.job != self.job or mark.withdrawn is not None:
            return False
        is_of_user = self.user is None or run.user in (None, self.user)
        return is_of_user and _is_alone(mark, listed)

    def _second_of(self, run: ObservedRun, references: frozenset[str], ownership: Ownership) -> int | None:
        """Return the intent of which a run is a second one, or has some of the items again."""
        intent = duplicate_of(run.run_id, references, ownership)
        if intent is None and run.mark is not None and run.mark.job == self.job:
            return overlapped_by(run.run_id, references, ownership, self.tag)
        return intent

    async def _report(
        self, run: ObservedRun, intent: int, references: frozenset[str], listed: Sequence[ObservedRun]
    ) -> DuplicateRun:
        may_cancel = await self._may_cancel(run, intent, references, listed)
        done = await self._cancelled(run.run_id) if may_cancel else None
        second = DuplicateRun(run_id=run.run_id, intent=intent, done=done)
        # A run that was written down is not found again, so the callback must be called in any case.
        with anyio.CancelScope(shield=True):
            await self.database.write(_run_commands.find_duplicate(run, intent, done))
            self.on_duplicate(second)
        told = done or "it may be billed, unless you cancel it"
        _log.error("run %s is a second one of items that have a run already: %s", run.run_id, told)
        return second

    async def _may_cancel(
        self, run: ObservedRun, intent: int, references: frozenset[str], listed: Sequence[ObservedRun]
    ) -> bool:
        """Whether a second run is this process's own, so that nothing of anybody else's is cancelled."""
        attempts = await self.database.read(_queries.attempts())
        row = await self.database.read(_queries.intent(intent))
        if run.mark is None:
            is_unmarked = all(each.mark is None for each in attempts if each.intent == intent)
            return bool(self.tag) and is_unmarked and await self._has_run(row)
        attempt = run.mark.attempt
        second = SecondRun(
            run=run,
            first=None if row.run_id is None else await self.platform.details(row.run_id),
            sent=next((each for each in attempts if (each.mark, each.intent) == (attempt, intent)), None),
            holder=self.holder,
            is_alone=_is_alone(run.mark, listed),
            is_whole=references == await self._references(row) and await self._has_run(row),
        )
        return second.is_cancellable and await self.platform.withdraw(run, self.holder)

    async def _has_run(self, intent: IntentRow) -> bool:
        """Whether the run that an intent has claimed is there: the platform may have named another one."""
        if intent.run_id is None:
            return True  # its items are in other runs
        return await self.platform.references(intent.run_id) == await self._references(intent)

    async def _references(self, intent: IntentRow) -> frozenset[str]:
        members = await self.database.read(_queries.members(intent.number))
        return frozenset(each.reference + intent.tag for each in members)

    async def _cancelled(self, run_id: str) -> str | None:
        try:
            await self.client.run(run_id).cancel()
        except AignosticsError as error:
            _log.warning("run %s could not be cancelled: %s", run_id, error)
            return None
        return "it was cancelled"


def _is_alone(mark: RunMark, listed: Iterable[ObservedRun]) -> bool:
    """Whether only one run has been created by the request of a mark; else it was copied. Pure."""
    return sum(each.mark is not None and each.mark.attempt == mark.attempt for each in listed) == 1
