"""Which listed runs are new to a watcher of all runs. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._clock import earlier

if TYPE_CHECKING:
    from ..models import RunDetails

# A run may show in a listing minutes after it was triggered: its request may be slow, a replica may lag.
_MAX_LAG = timedelta(minutes=10)
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@frozen
class Scope:
    """The runs that `watch_all` watches: those of an application or of all, from a time on."""

    application: str | None = None
    since: datetime | None = None

    def includes(self, details: RunDetails) -> bool:
        """Whether a run is in the scope."""
        application, _, _ = details.application_version_id.partition(":")
        return self.application in (None, application) and (
            self.since is None or details.triggered_at >= self.since
        )


class ScopeListing:
    """How far the runs of a scope have been listed.

    Every run triggered before `since` has been seen or is out of scope, so listings need not reach further
    back. Runs that ended since then are remembered, because listings still show them.
    """

    def __init__(self, scope: Scope, seen_before: datetime | None) -> None:
        self._scope = scope
        self.since = max(seen_before or _BEGINNING, scope.since or _BEGINNING)
        self._oldest_found = _END  # since the last listing
        self._ended: dict[str, datetime] = {}

    @property
    def seen_before(self) -> datetime | None:
        """The time that a cursor stores, if there is one."""
        return None if self.since == _BEGINNING else self.since

    def is_new(self, details: RunDetails) -> bool:
        """Whether a listed run is in the scope, and is not known to have ended."""
        if details.run_id in self._ended or details.triggered_at < self.since:
            return False
        return self._scope.includes(details)

    def add(self, details: RunDetails) -> None:
        """Record that a run of the scope is watched from now on."""
        self._oldest_found = min(self._oldest_found, details.triggered_at)

    def end_run(self, details: RunDetails) -> None:
        """Record that the final status of a run was reported."""
        self._ended[details.run_id] = details.triggered_at

    def record_listing(self, since: datetime | None, newest: datetime | None, *, pages: int) -> None:
        """Record a listing of all runs from `since` to the newest one.

        A run that moved from one page to another may have been missed. So after a listing of several pages,
        `since` advances only if that listing found nothing new among the older runs.
        """
        if since is None or newest is None or since > self.since:
            return
        advanced = earlier(newest, _MAX_LAG)
        is_settled = pages == 1 or self._oldest_found >= advanced
        self._oldest_found = _END
        if is_settled:
            self.since = max(self.since, advanced)
            self._ended = {run_id: at for run_id, at in self._ended.items() if at >= self.since}
