"""One renewal at a time, for all who wait, ahead of need: what every source of tokens shares."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from copy import copy
from threading import RLock
from typing import Any, TypeVar

from .._core._backoff import Backoff
from .._core._token import Token
from ..errors import AignosticsError, LoginRequired, TokenEndpointUnavailable

_log = logging.getLogger("aignostics_async.auth")

# Seconds, and the parts of a lifetime that take their place where it is short.
_AHEAD, _AHEAD_PART = 300.0, 0.2
_MARGIN, _MARGIN_PART = 30.0, 0.05
_REPLACEMENT_TRUSTED = 60.0
_COOL_DOWN = Backoff(initial=1.0, maximum=30.0)
_MAX_RETRY_AFTER = 120.0
_LOOK_AGAIN = 1.0  # after a refusal: somebody may sign in, and looking costs no network call


E = TypeVar("E", bound=Exception)
Launch = Callable[[Callable[[], Coroutine[Any, Any, Any]]], "Future[Any]"]


class Renewal:
    """Serve a token, and renew it with `obtain` before it ends.

    A token is *fresh* until 300 s or a fifth of its lifetime before its end, whichever is less, and less some
    jitter. Then one renewal begins in the background while the old token is served. In the last 30 s or
    twentieth of its lifetime callers wait. A renewal belongs to no caller; its result, or its failure, is for
    all who wait, in whatever event loop. After a failure nobody asks again for 1 s, doubling to 30 s, or as
    long as the endpoint said, up to 120 s.

    `obtain` is given the token that is held and no longer good enough, if there is one, and gives another one
    or raises. `launch` starts it: apart, where nothing may be lost, or in the loop of whoever needs it first.
    """

    def __init__(self, obtain: Callable[[Token | None], Awaitable[Token]], launch: Launch) -> None:
        self._obtain = obtain
        self._launch = launch
        # Over what follows; an eager task runs before its launch returns.
        self._lock = RLock()
        self._token: Token | None = None
        self._is_rejected = False
        self._replaces_rejected = False
        self._renewed_at = 0.0
        self._jitter = random.uniform(0.8, 1)
        self._flight: Future[Token | Exception] | None = None
        self._is_waited_for = False
        self._failure: AignosticsError | None = None
        self._failures = 0
        self._resume_at = 0.0

    async def get_token(self, rejected: Token | None = None) -> Token:
        """Return a usable token; costs no await while there is one."""
        token = self._token
        if token is not None and token is not rejected:
            left = token.seconds_left
            if left > self._jitter * ahead(token):
                return token
            if left > margin(token):
                self._begin_in_background()
                return token
        elif token is not None and self._is_trusted_replacement():
            # The API refuses a token that is just made: another one would not please it either.
            return token
        return await self._wait(rejected)

    async def wait(self) -> None:
        """Wait for a renewal that is under way; it goes on if this is cancelled."""
        flight = self._flight
        if flight is not None:
            await asyncio.wrap_future(flight)

    def cancel(self) -> None:
        """Give up a renewal that runs in a loop of its callers."""
        task: asyncio.Task[Any] | None = getattr(self._flight, "task", None)
        if task is not None and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(task.cancel)

    def _is_trusted_replacement(self) -> bool:
        return self._replaces_rejected and time.monotonic() < self._renewed_at + _REPLACEMENT_TRUSTED

    def _begin_in_background(self) -> None:
        with self._lock:
            is_idle = self._flight is None or self._flight.done()
            if is_idle and time.monotonic() >= self._resume_at:
                self._flight = self._launch(self._renew)

    async def _wait(self, rejected: Token | None) -> Token:
        with self._lock:
            self._is_rejected |= rejected is not None and rejected is self._token
            self._is_waited_for = True
            flight = self._flight
            if flight is None or flight.done():
                self._raise_recent_failure()
                flight = self._flight = self._launch(self._renew)
        # Each waits for a future of its own, which it may cancel.
        outcome = await asyncio.wrap_future(flight)
        if isinstance(outcome, Token):
            return outcome
        raise _again(outcome)

    def _raise_recent_failure(self) -> None:
        left = self._resume_at - time.monotonic()
        if self._failure is None or left <= 0:
            return
        failure = _again(self._failure)
        if isinstance(failure, TokenEndpointUnavailable):
            failure.retry_after = left
        raise failure

    async def _renew(self) -> Token | Exception:
        """Return the outcome as a value: an exception would carry the frames of this to all callers."""
        try:
            token = await self._obtain(self._token)
        except AignosticsError as error:
            return self._failed(copy(error))
        except Exception as error:  # noqa: BLE001 - a callable's own
            unavailable = TokenEndpointUnavailable(f"the token callable failed ({type(error).__name__})")
            unavailable.__cause__ = error
            return self._failed(unavailable)
        with self._lock:
            self._token, self._renewed_at = token, time.monotonic()
            self._replaces_rejected, self._is_rejected = self._is_rejected, False
            self._failure, self._failures, self._resume_at = None, 0, 0.0
            self._is_waited_for = False
        return token

    def _failed(self, failure: AignosticsError) -> AignosticsError:
        with self._lock:
            self._failures += 1
            self._failure, self._resume_at = failure, time.monotonic() + cool_down(failure, self._failures)
            # Who waits is told by the error; and once for each outage, for a busy service would fill its log.
            is_news = self._failures == 1 and not self._is_waited_for
            self._is_waited_for = False
        _log.log(logging.WARNING if is_news else logging.DEBUG, "no new access token: %s", failure)
        return failure


def _again(failure: E) -> E:
    """Return a copy to raise: one error that is raised again and again keeps every frame it went through."""
    fresh = copy(failure)
    fresh.__cause__ = failure.__cause__
    return fresh


def ahead(token: Token) -> float:
    """Return how many seconds before its end a token should be renewed."""
    return _part(token, _AHEAD, _AHEAD_PART)


def margin(token: Token) -> float:
    """Return how many seconds before its end a token is no longer sent."""
    return _part(token, _MARGIN, _MARGIN_PART)


def _part(token: Token, most: float, part: float) -> float:
    # A fixed time would exceed a short lifetime, and the token be renewed for ever.
    return most if token.lifetime is None else min(most, part * token.lifetime)


def cool_down(failure: AignosticsError, failures: int) -> float:
    """Return for how many seconds nobody asks again after so many failures in a row."""
    if isinstance(failure, LoginRequired):
        return _LOOK_AGAIN
    asked = failure.retry_after if isinstance(failure, TokenEndpointUnavailable) else None
    return _COOL_DOWN.wait(failures, random.random(), retry_after=min(asked or 0.0, _MAX_RETRY_AFTER))
