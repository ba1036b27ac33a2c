"""The requests of a job to the platform: its time, one run for an intent, and the runs that exist."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from ..._core._clock import SYSTEM_CLOCK, Clock
from ..._core._pager import MAX_PAGE_SIZE
from ..._inputs import Item
from ..._internals import (
    contract_facts,
    create_run_once,
    overlapping_run_pages,
    runs_by_metadata,
    server_time,
)
from ...contracts._protocol import NO_OPTIONS, RunOptions
from ...errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    Unauthorized,
)
from ...models import ApplicationVersion, RunDetails
from ...submission._find import runs_since
from ...submission._marks import RunMark, mark_filter
from ...submission._outcome import creation_outcome
from ..database._run_commands import ObservedRun
from ..database._states import AttemptOutcome
from ._claims import claim_run, withdraw_run
from ._protocol import AttemptResult
from ._quiescence import Moment

if TYPE_CHECKING:
    from ..._client import Client
    from ..._core._pager import Page

_T = TypeVar("_T")

_LATER = 5.0  # seconds, where the platform does not say how much later
_MAX_RETRY_AFTER = 600.0  # seconds; nothing was created, so asking too early costs nothing


class PlatformClient:
    """The platform, as the runs of one application version see it."""

    def __init__(
        self,
        client: Client,
        version: ApplicationVersion,
        clock: Clock = SYSTEM_CLOCK,
        options: RunOptions = NO_OPTIONS,
    ) -> None:
        self._options = options
        self._client = client
        self._clock = clock
        self._version = version
        self._date: datetime | None = None

    async def moment(self, *, fresh: bool = False) -> Moment:
        """Return the time: a fresh one is asked for, and has no Date where that fails.

        Otherwise its Date is that of the latest answer to this object, if there was one.
        """
        now = self._clock.uptime()
        if fresh or self._date is None:
            try:
                self._date = await server_time(self._client)
            except AignosticsError:
                return Moment(now)
        return Moment(now, None if self._date is None else self._date.timestamp())

    @property
    def has_marks(self) -> bool:
        """Whether the platform keeps marks of runs."""
        return contract_facts(self._client).has_metadata

    async def create(self, items: Sequence[Item], mark: RunMark | None = None) -> AttemptResult:
        """Send a request for a run once, and return its outcome; if cancelled, it may have been sent."""
        sdk_metadata = None if mark is None else mark.as_json()
        try:
            options = self._options.without_past(datetime.now(UTC))
            options = evolve(options, sdk_metadata=sdk_metadata)
            run_id = await create_run_once(self._client, self._version, items, options)
        except AignosticsError as error:
            return classify(error)
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run_id)

    async def runs(self, since: float) -> list[ObservedRun]:
        """Return all runs that were triggered after a moment by the clock that dates them.

        Raises AignosticsError if the listing can't be read to its end: a part of it proves nothing.
        """
        oldest = datetime.fromtimestamp(max(0.0, since), UTC)
        return [
            observed(run)
            async for run in runs_since(overlapping_run_pages(self._client), oldest, "list runs", self._note)
        ]

    async def marked(self, intent: str) -> list[ObservedRun]:
        """Return runs that the platform finds by the mark of an intent, and that have it.

        Costs one request, and raises AignosticsError. An empty list proves nothing.
        """
        page = await runs_by_metadata(self._client, mark_filter(intent=intent))
        self._note(page)
        found = [observed(run) for run in page.items]
        return [run for run in found if run.mark is not None and run.mark.intent == intent]

    async def claim(self, run: ObservedRun, holder: str) -> bool:
        """Take a run for the job; see `claim_run`. False where it fails, too: then it is not taken yet.

        Costs nothing for a run without a mark, and one that the same process has sent. Raises the error of a
        login that has ended.
        """
        if run.mark is None or holder in (run.mark.holder, run.mark.claimed):
            return True
        return await _unless_it_fails(claim_run(self._client, run.run_id, holder), otherwise=False)

    async def withdraw(self, run: ObservedRun, holder: str) -> bool:
        """Announce that a run is cancelled; see `withdraw_run`. False where it fails, too."""
        if run.mark is None:
            return False
        withdrawing = withdraw_run(self._client, run.run_id, run.mark.attempt, holder)
        return await _unless_it_fails(withdrawing, otherwise=False)

    async def details(self, run_id: str) -> ObservedRun | None:
        """Return a run as its details show it; None if they can't be read."""
        details = await _unless_it_fails(self._client.run(run_id).details(), otherwise=None)
        return None if details is None else observed(details)

    async def references(self, run_id: str) -> frozenset[str] | None:
        """Return the references of a run's items; None if they can't be read to their end.

        Raises the error of a login that has ended.
        """
        return await _unless_it_fails(self._all_references(run_id), otherwise=None)

    async def _all_references(self, run_id: str) -> frozenset[str] | None:
        found: set[str] = set()
        async for page in self._client.run(run_id).results(page_size=MAX_PAGE_SIZE).pages():
            self._note(page)
            if page.invalid:
                return None
            found.update(item.reference for item in page.items)
        return frozenset(found)

    def _note(self, page: Page[Any]) -> None:
        """Note the Date of an answer."""
        self._date = page.date


async def _unless_it_fails(asking: Awaitable[_T], *, otherwise: _T) -> _T:
    """Return what is asked for, or something else if that fails; raises only that a login has ended."""
    try:
        return await asking
    except AignosticsError as error:
        if is_signed_out(error):
            raise
        return otherwise


def observed(run: RunDetails) -> ObservedRun:
    """Return what a job has to know of a run."""
    return ObservedRun(
        run.run_id,
        run.triggered_at.timestamp(),
        run.status,
        run.application_version_id,
        RunMark.read(run.sdk_metadata),
        run.triggered_by,
        None if run.statistics is None else run.statistics.total,
    )


def is_signed_out(error: AignosticsError) -> bool:
    """Whether every request fails until somebody signs in."""
    return isinstance(error, AuthenticationError | Unauthorized) and not isinstance(
        error, TokenEndpointUnavailable
    )


def classify(error: AignosticsError) -> AttemptResult:
    """Return the outcome of a request for a run that raised an error; an unlisted error proves nothing."""
    answer = AttemptOutcome(creation_outcome(error))
    told = error.reason if isinstance(error, SubmissionUnknown) else str(error)
    wait = error.retry_after if isinstance(error, APIStatusError) else None
    return AttemptResult(
        outcome=answer,
        reason=told,
        wait=_LATER if wait is None else min(wait, _MAX_RETRY_AFTER),
        error=error,
    )
