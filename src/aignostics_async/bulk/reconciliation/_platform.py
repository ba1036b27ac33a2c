"""What a job asks of the platform: the time, one run for one intent, and which runs there are."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..._core._clock import SYSTEM_CLOCK, Clock
from ..._core._pager import LARGEST_PAGE, SMALLEST_PAGE
from ..._inputs import Item
from ...errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    Unauthorized,
)
from ...models import ApplicationVersion
from ...submission import creation_outcome
from ...submission._create import create_run
from ..database._run_commands import ObservedRun
from ..database._states import AttemptOutcome
from ._matching import CLOCK_SKEW
from ._protocol import AttemptResult
from ._quiescence import Moment

if TYPE_CHECKING:
    from ..._client import Client

_LATER = 5.0  # seconds, where the platform does not say how much later


class PlatformClient:
    """The platform, for one application version."""

    def __init__(self, client: Client, version: ApplicationVersion, clock: Clock = SYSTEM_CLOCK) -> None:
        self._client = client
        self._clock = clock
        self._bridge = client._session.bridge  # noqa: SLF001 - of our own
        self._most_items = client._session.settings.limits.items_per_run  # noqa: SLF001
        self._version = version

    async def moment(self, *, fresh: bool = False) -> Moment:
        """Return the time; a fresh one is asked for, and has no Date where that fails."""
        now = self._clock.uptime()
        if fresh:
            try:
                await anext(aiter(self._client.runs.list(page_size=SMALLEST_PAGE)), None)
            except AignosticsError:
                return Moment(now)
        return Moment(now, parse_date(self._bridge.api.date))

    async def create(self, items: Sequence[Item]) -> AttemptResult:
        """Send a request for a run, once, and return what became of it; if cancelled, it may have left."""
        try:
            run_id = await create_run(self._bridge, self._version, items, self._most_items, once=True)
        except AignosticsError as error:
            return classify(error)
        return AttemptResult(outcome=AttemptOutcome.CREATED, run_id=run_id)

    async def runs(self, since: float) -> list[ObservedRun]:
        """Return all runs that were triggered after a moment of the server's clock, of whatever version.

        Raises AignosticsError where the listing could not be read to its end: a part of it proves nothing.
        """
        runs: list[ObservedRun] = []
        async for details in self._client.runs.list(sort="-triggered_at", page_size=LARGEST_PAGE):
            triggered_at = details.triggered_at.timestamp()
            if triggered_at < since - CLOCK_SKEW:
                break
            run = ObservedRun(details.run_id, triggered_at, details.status, details.application_version_id)
            runs.append(run)
        return runs

    async def references(self, run_id: str) -> frozenset[str] | None:
        """Return the references of a run's items; None if they could not be read to their end.

        Raises what signing in again would mend.
        """
        try:
            results = self._client.run(run_id).results(page_size=LARGEST_PAGE)
            return frozenset([item.reference async for item in results])
        except AignosticsError as error:
            if is_signed_out(error):
                raise
            return None


def is_signed_out(error: AignosticsError) -> bool:
    """Whether nothing can be asked any more until somebody signs in."""
    return isinstance(error, AuthenticationError | Unauthorized) and not isinstance(
        error, TokenEndpointUnavailable
    )


def parse_date(value: str | None) -> float | None:
    """Return a Date header as seconds, or None for one that says no time."""
    try:
        return None if value is None else parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def classify(error: AignosticsError) -> AttemptResult:
    """Return what a request for a run came to that ended like this. What is not listed proves nothing."""
    answer = AttemptOutcome(creation_outcome(error))
    told = error.reason if isinstance(error, SubmissionUnknown) else str(error)
    wait = error.retry_after if isinstance(error, APIStatusError) else None
    return AttemptResult(outcome=answer, reason=told, wait=_LATER if wait is None else wait, error=error)
