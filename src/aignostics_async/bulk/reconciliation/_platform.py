"""The requests of a job to the platform: its time, one run for an intent, and the runs that exist."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from ..._core._clock import SYSTEM_CLOCK, Clock
from ..._core._pager import MAX_PAGE_SIZE, Pager
from ..._inputs import Item
from ..._internals import create_run_once, server_time
from ...errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    InvalidItems,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    Unauthorized,
)
from ...models import ApplicationVersion, InvalidItem
from ...submission import creation_outcome
from ..database._run_commands import ObservedRun
from ..database._states import AttemptOutcome
from ._matching import CLOCK_SKEW
from ._protocol import AttemptResult
from ._quiescence import Moment

if TYPE_CHECKING:
    from ..._client import Client

_T = TypeVar("_T")
_LATER = 5.0  # seconds, where the platform does not say how much later


class PlatformClient:
    """The platform, as the runs of one application version see it."""

    def __init__(self, client: Client, version: ApplicationVersion, clock: Clock = SYSTEM_CLOCK) -> None:
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

    async def create(self, items: Sequence[Item]) -> AttemptResult:
        """Send a request for a run once, and return its outcome; if cancelled, it may have been sent."""
        try:
            run_id = await create_run_once(self._client, self._version, items)
        except AignosticsError as error:
            return classify(error)
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run_id)

    async def runs(self, since: float) -> list[ObservedRun]:
        """Return all runs that were triggered after a moment of the server's clock, of whatever version.

        Raises AignosticsError if the listing can't be read to its end: a part of it proves nothing.
        """
        runs: list[ObservedRun] = []
        listing = self._client.runs.list(sort="-triggered_at", page_size=MAX_PAGE_SIZE)
        async for details in self._entries("list runs", listing):
            triggered_at = details.triggered_at.timestamp()
            if triggered_at < since - CLOCK_SKEW:
                break
            run = ObservedRun(details.run_id, triggered_at, details.status, details.application_version_id)
            runs.append(run)
        return runs

    async def references(self, run_id: str) -> frozenset[str] | None:
        """Return the references of a run's items; None if they can't be read to their end.

        Raises the error of a login that has ended.
        """
        try:
            results = self._client.run(run_id).results(page_size=MAX_PAGE_SIZE)
            return frozenset([item.reference async for item in self._entries("list results", results)])
        except AignosticsError as error:
            if is_signed_out(error):
                raise
            return None

    async def _entries(self, operation: str, pager: Pager[_T]) -> AsyncIterator[_T]:
        """Give the entries of a listing as the pager does, and note the Date of each page."""
        invalid: list[InvalidItem] = []
        async for page in pager.pages():
            self._date = page.date
            invalid.extend(page.invalid)
            for entry in page.items:
                yield entry
        if invalid:
            raise InvalidItems(operation, invalid)


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
        wait=_LATER if wait is None else wait,
        error=error,
    )
