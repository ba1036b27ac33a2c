"""What the failure of a step means for an item and for the job. Pure.

A fault of one slide quarantines it. A failing network is waited for. What will fail for every slide stops
the job: at once if that is certain, else after some slides in a row.
"""

from __future__ import annotations

from enum import Enum, auto

from attrs import define, frozen

from ..._core._backoff import Backoff
from ...errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    ChecksumMismatch,
    ConfigurationError,
    DiskFull,
    FileUnwritable,
    Forbidden,
    JobError,
    LocalFileChanged,
    TokenEndpointUnavailable,
    TransferInterrupted,
    Unauthorized,
    UrlRefused,
)
from ...errors._api import ABSENCES

_FOR_ALL = (AuthenticationError, ConfigurationError, DiskFull, Forbidden, JobError, Unauthorized)
_BACKOFF = Backoff(1.0, 60.0)
_MAX_RETRY_AFTER = 600.0  # seconds
_MAX_ATTEMPTS = 5
_MAX_OUTAGE = 3600.0  # seconds
_MAX_INTERRUPTION = 900.0  # seconds
_ALIKE = 5


class FailureAction(Enum):
    """What to do about a failed step."""

    RETRY = auto()
    """Repeat it, after a wait."""
    REPROBE = auto()
    """The file has changed: probe it again."""
    QUARANTINE = auto()
    """Quarantine the item."""
    STOP = auto()
    """Stop the job: the next item would fail, too."""


@frozen
class Decision:
    """An action, and the seconds to wait before it."""

    action: FailureAction
    wait: float = 0.0


@define
class Failures:
    """The failures of one step that is repeated."""

    count: int = 0
    lasted: float = 0.0
    """Seconds from the first one to the latest."""
    _first: float = 0.0

    def add(self, began: float, now: float) -> None:
        """Register that an attempt failed, and when it began."""
        self.count += 1
        # An attempt of that length worked for long: its failure is the first of a new outage.
        if self.count == 1 or now - began > _MAX_OUTAGE / 2:
            self._first = now
        self.lasted = now - self._first


def decide(error: AignosticsError, tries: int, since: float, draw: float = 0.0) -> Decision:
    """Return what to do after a step has failed `tries` times, the first of them `since` seconds ago.

    `draw` is a random number from 0 to 1, for the jitter of the wait.
    """
    asked = error.retry_after if isinstance(error, APIStatusError | TokenEndpointUnavailable) else None
    wait = _BACKOFF.wait(tries, draw, retry_after=min(asked or 0.0, _MAX_RETRY_AFTER))
    # A failure of one file looks like one of the storage, which has a rule of its own below.
    if error.is_transient and not isinstance(error, TransferInterrupted):
        return Decision(FailureAction.STOP) if since > _MAX_OUTAGE else Decision(FailureAction.RETRY, wait)
    if isinstance(error, _FOR_ALL):
        return Decision(FailureAction.STOP)
    if isinstance(error, LocalFileChanged):
        return Decision(FailureAction.REPROBE)
    may_pass = (
        # It must not hold a worker for an hour.
        (isinstance(error, TransferInterrupted) and since <= _MAX_INTERRUPTION)
        or (isinstance(error, ChecksumMismatch) and tries < _MAX_ATTEMPTS)
        # A URL may expire before it is used, if the machine was suspended; the next one is fresh.
        or (isinstance(error, UrlRefused) and tries == 1)
    )
    return Decision(FailureAction.RETRY, wait) if may_pass else Decision(FailureAction.QUARANTINE)


_OF_STORAGES = (APIStatusError, TransferInterrupted, UrlRefused)
OF_SENDING = (*_OF_STORAGES, ChecksumMismatch)
OF_DOWNLOADS = (*_OF_STORAGES, FileUnwritable)
"""Errors that tell of the next item, too: not of a slide that can't be read or results with a wrong checksum,
but of a store that keeps other bytes than it was sent, and a folder of results that can't be written."""


@define
class CircuitBreaker:
    """Stops a job if its items fail alike, one after the other: the items are not the cause then."""

    _counted: tuple[type[AignosticsError], ...] = OF_SENDING
    _kind: str = ""
    _count: int = 0

    def succeeded(self) -> None:
        """Register that a step of an item succeeded."""
        self._count = 0

    def failed(self, error: AignosticsError) -> bool:
        """Register that an item was quarantined for an error; return whether the job should stop."""
        # A run that is gone says nothing about the next one.
        if isinstance(error, ABSENCES) or not isinstance(error, self._counted):
            return False
        # What is in trouble fails with one status now and another then.
        kind = "transient" if error.is_transient else f"{type(error).__name__} {getattr(error, 'status', '')}"
        return self.refused(kind)

    def refused(self, kind: str) -> bool:
        """Register that an item was refused, and how; return whether the job should stop."""
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind = kind
        return self._count >= _ALIKE
