"""Cancelling several runs by what they have in common, after a look at what would be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .._core._json import is_same_json
from .._core._tasks import run_all
from .._identifiers import split_version_id
from ..errors import AignosticsError, Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from ..contracts._protocol import RunFilter
    from ..models import RunDetails
    from ._run import Run

_AT_ONCE = 4
Look = Callable[[Sequence["RunDetails"]], bool]


@frozen
class RunMatcher:
    """Whether a run is one that was asked for. The server's filter only finds; what costs is checked here."""

    filters: RunFilter
    since: datetime | None
    handle: Callable[[str], Run]

    def check(self) -> None:
        """Raise UsageError for a filter that selects every run."""
        given = (
            self.filters.application_id,
            self.filters.application_version,
            self.filters.reference,
            self.filters.metadata,
            self.since,
        )
        if all(each is None for each in given):
            raise UsageError(
                "nothing selects the runs to cancel; give application_id, application_version, reference, "
                "metadata or since"
            )

    async def takes(self, run: RunDetails) -> bool:
        """Whether a run matches and is not final; a reference costs one request."""
        if run.status.is_final or not self._fits(run):
            return False
        if self.filters.reference is None:
            return True
        try:
            await self.handle(run.run_id).item(self.filters.reference)
        except NotFound:
            return False
        return True

    def _fits(self, run: RunDetails) -> bool:
        wanted = self.filters
        return (
            wanted.application_id in (None, split_version_id(run.application_version_id)[0])
            and wanted.application_version in (None, run.application_version_id)
            and (self.since is None or run.triggered_at >= self.since)
            and (wanted.metadata is None or _holds(run.metadata, wanted.metadata))
        )


def _holds(metadata: object, wanted: Mapping[str, Any]) -> bool:
    """Whether metadata have all values of a mapping, which may be nested."""
    if not isinstance(metadata, Mapping):
        return False
    return all(
        _holds(metadata.get(key), value)
        if isinstance(value, Mapping)
        else key in metadata and is_same_json(metadata[key], value)
        for key, value in wanted.items()
    )


async def cancel_all(runs: Sequence[Run]) -> tuple[str, ...]:
    """Cancel runs, and return the ids of those that were not over already.

    One that can't be cancelled does not affect the others; their errors are raised in one ExceptionGroup.
    """
    failures: list[AignosticsError] = []

    async def cancel(run: Run) -> str | None:
        try:
            return run.id if await run.cancel() else None
        except Conflict:
            return None  # it has ended since it was listed
        except AignosticsError as error:
            failures.append(error)
            return None

    ended = await run_all([partial(cancel, run) for run in runs], limit=_AT_ONCE)
    if failures:
        raise ExceptionGroup(f"{len(failures)} runs could not be cancelled", failures)
    return tuple(run_id for run_id in ended if run_id is not None)
