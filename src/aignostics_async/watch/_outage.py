"""How long transient failures are tolerated."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from anyio import current_time

from .._core._logging import get_logger

if TYPE_CHECKING:
    from ..errors import AignosticsError
    from ._schedule import PollSchedule

_log = get_logger("aignostics_async")


class Outage:
    """Consecutive transient failures of one kind of request; `timeout` is in seconds."""

    def __init__(self, schedule: PollSchedule, timeout: float) -> None:
        self._schedule = schedule
        self._timeout = timeout
        self._began: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether the last request failed."""
        return self._began is not None

    def record_success(self) -> None:
        """End the outage."""
        self._began = None
        self._schedule.record_success()

    def record_failure(self, error: AignosticsError) -> bool:
        """Pause polling, or return True if the outage, with the wait that follows, exceeds its timeout."""
        now = current_time()
        retry_after: float | None = getattr(error, "retry_after", None)
        resumes_at = self._schedule.record_failure(now, retry_after, random.random())
        began = now if self._began is None else self._began
        if resumes_at - began > self._timeout:
            # The schedule is that of every watcher: who gives up must not pause those who go on.
            self._began = None
            return True
        self._began = began
        self._schedule.paused_until = resumes_at
        _log.warning("watching: a request failed, trying again in %.1f s: %s", resumes_at - now, error)
        return False
