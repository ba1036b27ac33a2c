"""What becomes of an item, and of the job, when a step fails. Pure.

A fault of one slide sets that slide aside; a network that fails is waited for; what will fail for every slide
stops the job, at once where that is certain and after some slides where it only looks like it.
"""

from __future__ import annotations

from enum import Enum, auto

from attrs import define, frozen

from ...errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    ChecksumMismatch,
    ConfigurationError,
    ConnectionFailed,
    DiskFull,
    Forbidden,
    JobError,
    LocalFileChanged,
    NotFound,
    ServerError,
    TokenEndpointUnavailable,
    TooManyRequests,
    TransferInterrupted,
    Unauthorized,
    UrlRefused,
)

_PASSING = (ConnectionFailed, ServerError, TooManyRequests, TokenEndpointUnavailable)
_FOR_ALL = (AuthenticationError, ConfigurationError, DiskFull, Forbidden, JobError, Unauthorized)
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_MOST_TRIES = 5
_LONGEST_OUTAGE = 3600.0  # seconds
_LONGEST_INTERRUPTION = 900.0  # seconds
_ALIKE = 5


class FailureAction(Enum):
    """What to do about a failed step."""

    RETRY = auto()
    """Try it again, after a wait."""
    REPROBE = auto()
    """The file is another one now: look at it again."""
    QUARANTINE = auto()
    """Set the item aside."""
    STOP = auto()
    """Stop the job: the next item would fare no better."""


@frozen
class Decision:
    """A verdict, and the seconds to wait before it is carried out."""

    action: FailureAction
    wait: float = 0.0


@define
class Failures:
    """The failures of one step that is tried again."""

    count: int = 0
    lasted: float = 0.0
    """Seconds from the first one to the latest."""
    _first: float = 0.0

    def add(self, began: float, now: float) -> None:
        """Take in that a try failed, and when it began."""
        self.count += 1
        # A try of that length went well for long: its failure is the first of a new outage.
        if self.count == 1 or now - began > _LONGEST_OUTAGE / 2:
            self._first = now
        self.lasted = now - self._first


def decide(error: AignosticsError, tries: int, since: float) -> Decision:
    """Return what to do after a step has failed `tries` times, the first of them `since` seconds ago."""
    asked = error.retry_after if isinstance(error, APIStatusError | TokenEndpointUnavailable) else None
    wait = max(
        min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT), min(asked or 0.0, 10 * _LONGEST_WAIT)
    )
    if isinstance(error, _PASSING):
        return (
            Decision(FailureAction.STOP) if since > _LONGEST_OUTAGE else Decision(FailureAction.RETRY, wait)
        )
    if isinstance(error, _FOR_ALL):
        return Decision(FailureAction.STOP)
    if isinstance(error, LocalFileChanged):
        return Decision(FailureAction.REPROBE)
    may_pass = (
        # One file's trouble looks like the storage's own at first, and must not keep a place for an hour.
        (isinstance(error, TransferInterrupted) and since <= _LONGEST_INTERRUPTION)
        or (isinstance(error, ChecksumMismatch) and tries < _MOST_TRIES)
        # A URL may end before it is used, where the machine slept; the next one is signed anew.
        or (isinstance(error, UrlRefused) and tries == 1)
    )
    return Decision(FailureAction.RETRY, wait) if may_pass else Decision(FailureAction.QUARANTINE)


@define
class CircuitBreaker:
    """Stops a job whose items fail one like the other: it is not the items then."""

    _kind: str = ""
    _count: int = 0

    def succeeded(self) -> None:
        """Take in that an item made a step."""
        self._count = 0

    def failed(self, error: AignosticsError) -> bool:
        """Take in that an item was set aside for an error; return whether the job should stop."""
        # A slide that can't be read, or a run that is gone, says nothing of the next one; a storage that
        # refuses does.
        if isinstance(error, NotFound) or not isinstance(
            error, TransferInterrupted | UrlRefused | APIStatusError
        ):
            return False
        return self.refused(f"{type(error).__name__} {error.status}")

    def refused(self, kind: str) -> bool:
        """Take in that an item was refused, and how; return whether the job should stop."""
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind = kind
        return self._count >= _ALIKE
