"""Runs that are there twice, or that the database has forgotten: found by their references in a listing.

Silence was waited for before a request was sent again, and yet a commit may have been later than that. So,
as long as the job works, the listing is looked through for runs with the references of an intent that has
its run already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen

from ..._core._logging import get_logger
from ...errors import AignosticsError, JobError
from ..database import _queries, _run_commands
from ._tags import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..._client import Client
    from ..database._database import Database
    from ..database._queries import Ownership
    from ..database._run_commands import ObservedRun
    from ._platform import PlatformClient
    from ._quiescence import Moment

_log = get_logger("aignostics_async.bulk")
_HOW = "the platform has it, and this database had forgotten it"


@frozen(kw_only=True)
class DuplicateRun:
    """A run that is a second one of an intent."""

    run_id: str
    intent: int
    done: str | None
    """What was done about it; None where that is for a person."""


@frozen
class AdoptionResult:
    """Runs that the database had forgotten: the ones that are the job's now, and those to be read again."""

    adopted: Sequence[str]
    doubtful: Sequence[str]


@frozen(kw_only=True)
class Reconciler:
    """Looks through the platform's runs for ones that concern the job."""

    database: Database
    platform: PlatformClient
    client: Client
    version: str
    tag: str
    """The job's mark in references, or nothing."""
    since: float
    """When the job was made."""
    replica_lag: float
    """Seconds of the server's clock after which no stale replica answers as before."""
    on_duplicate: Callable[[DuplicateRun], None] = lambda _second: None
    """Is told of each second run, once."""
    # Runs that were read to their end and have no item of the job.
    _strangers: set[str] = field(factory=set, init=False)
    # What was first read of a run as it is now, and when.
    _read: dict[str, tuple[frozenset[str], Moment]] = field(factory=dict, init=False)

    async def find_duplicates(self) -> list[DuplicateRun]:
        """Find second runs of intents, write them down, and return them.

        With a mark in its references such a run is proven to be ours and is cancelled; without, a person is
        told. Raises AignosticsError where the listing could not be read; what was found until then is written
        down.
        """
        found = []
        for run in await self._unknown():
            references = await self.platform.references(run.run_id)
            if references is None:
                continue
            # Read after the run was seen, and all at once: by now it may be an intent's own.
            ownership = await self.database.read(_queries.ownership())
            if (intent := duplicate_of(run.run_id, references, ownership)) is not None:
                found.append(await self._report(run, intent))
            # One without items is none: what it has is not listed yet.
            elif references and not any(plain(each, self.tag) in ownership.items for each in references):
                self._strangers.add(run.run_id)
        return found

    async def adopt(self) -> AdoptionResult:
        """Make runs of the job's items its own that the database does not know.

        A run that is listed in part looks like a smaller one that is whole: what is taken has to read the
        same a lag later. Until then it is in doubt, and nothing may be sent. Raises JobError where a run
        can't be read.
        """
        adopted, doubtful = [], []
        unknown = await self._unknown()
        ownership = await self.database.read(_queries.ownership())
        # The oldest first: of two runs of the same items the first one is the job's.
        for run in reversed(unknown):
            before = await self.platform.moment()
            references = await self.platform.references(run.run_id)
            if references is None:
                raise JobError(
                    f"run {run.run_id} may be of this job and can't be read, so nothing can be sent; try "
                    "again later"
                )
            numbers = own(references, ownership, self.tag)
            if (numbers or not references) and not await self._is_settled(run.run_id, references, before):
                doubtful.append(run.run_id)
            elif numbers:
                reference = next(iter(references))
                tag = reference[len(plain(reference, self.tag)) :]
                command = _run_commands.adopt(run, numbers, tag=tag, how=_HOW)
                ownership.adopt(run.run_id, references, numbers, await self.database.write(command))
                _log.warning("run %s was adopted: it has %d items of the job", run.run_id, len(numbers))
                adopted.append(run.run_id)
            elif (intent := duplicate_of(run.run_id, references, ownership)) is not None:
                await self._report(run, intent)
        return AdoptionResult(adopted, doubtful)

    async def _is_settled(self, run_id: str, references: frozenset[str], before: Moment) -> bool:
        """Whether a run was read like this a lag ago, or longer; `before` is from before this reading."""
        first = self._read.get(run_id)
        if first is not None and first[0] == references:
            return before.since(first[1]) >= self.replica_lag
        self._read[run_id] = references, await self.platform.moment()
        return False

    async def _unknown(self) -> list[ObservedRun]:
        """Return runs that may concern the job and whose references are not known, the newest first."""
        runs = await self.platform.runs(self.since)
        known = await self.database.read(_queries.known_runs()) | self._strangers
        return [run for run in runs if run.version == self.version and run.run_id not in known]

    async def _report(self, run: ObservedRun, intent: int) -> DuplicateRun:
        done = await self._cancelled(run.run_id) if self.tag else None
        second = DuplicateRun(run_id=run.run_id, intent=intent, done=done)
        # Once it is written down it is not found again: who has to know of it is told in any case.
        with anyio.CancelScope(shield=True):
            await self.database.write(_run_commands.find_duplicate(run, intent, done))
            self.on_duplicate(second)
        told = done or "it may be billed, unless you cancel it"
        _log.error("run %s is a second one of items that have a run already: %s", run.run_id, told)
        return second

    async def _cancelled(self, run_id: str) -> str | None:
        try:
            await self.client.run(run_id).cancel()
        except AignosticsError as error:
            _log.warning("run %s could not be cancelled: %s", run_id, error)
            return None
        return "it was cancelled"


def duplicate_of(run_id: str, references: frozenset[str], ownership: Ownership) -> int | None:
    """Return the intent of which a run is a second one, if it is. Pure.

    It is none while an intent with the same references is open: it may be that one's first. That of an intent
    whose items went on in others is one, too.
    """
    if run_id in ownership.runs or references in ownership.open:
        return None
    return ownership.intents.get(references, ownership.dissolved.get(references))


def own(references: frozenset[str], ownership: Ownership, tag: str) -> list[int]:
    """Return the items of a run that is the job's own: all of it are its items, and none has a run. Pure.

    A job with a mark has it in every run; one without is somebody else's.
    """
    if tag and any(plain(reference, tag) == reference for reference in references):
        return []
    numbers = {ownership.items.get(plain(reference, tag)) for reference in references}
    found = {number for number in numbers if number is not None}
    is_whole = bool(found) and len(found) == len(references)
    return sorted(found) if is_whole and not ownership.placed & found else []
