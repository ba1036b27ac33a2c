"""Failures that are likely to pass: how long to wait, and when to lose patience."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from anyio import current_time

from ..errors import (
    AignosticsError,
    ConnectionFailed,
    ServerError,
    TokenEndpointUnavailable,
    TooManyRequests,
)

if TYPE_CHECKING:
    from .._config import Settings
    from ._schedule import Pace

_log = logging.getLogger("aignostics_async")

TRANSIENT = (ConnectionFailed, ServerError, TooManyRequests, TokenEndpointUnavailable)


class Outage:
    """The time for which something could not be had."""

    def __init__(self, pace: Pace, settings: Settings) -> None:
        self._pace = pace
        self._settings = settings
        self._since: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether the last try failed."""
        return self._since is not None

    def end(self) -> None:
        """Take in an answer."""
        self._since = None
        self._pace.succeeded()

    def outlasts(self, error: AignosticsError) -> bool:
        """Take in a failure; whether it lasts longer than the patience, the wait that is due included."""
        now = current_time()
        asked: float | None = getattr(error, "retry_after", None)
        self._pace.failed(now, asked, self._settings.retries.initial_wait, random.random())
        self._since = now if self._since is None else self._since
        again = self._pace.paused_until
        if again - self._since > self._settings.outage_timeout:
            self._since = None
            return True
        _log.warning("watching: a request failed, trying again in %.1f s: %s", again - now, error)
        return False
