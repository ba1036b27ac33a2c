"""Callbacks of the caller: an exception in one ends the job, once what is known was written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from ...transfer.progress._events import call_plain

_P = ParamSpec("_P")


class CallbackGuard:
    """Keeps the first exception that a callback raises, calls none any more, and lets the work end.

    An exception raised through the stages would cancel a request for a run, and its outcome would be lost.
    """

    def __init__(self, on_failure: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self.failure: BaseException | None = None

    def guarded(self, callback: Callable[_P, object]) -> Callable[_P, None]:
        """Return what calls a callback and never raises."""

        def call(*values: _P.args, **options: _P.kwargs) -> None:
            if self.failure is not None:
                return
            try:
                call_plain(callback, *values, **options)
            except BaseException as error:  # noqa: BLE001 - it is raised when the work has ended
                self.failure = error
                self._on_failure()

        return call
