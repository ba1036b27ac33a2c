"""Token refresh with single flight: one refresh at a time for all callers, begun before the token ends."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from threading import RLock
from typing import Any, TypeVar

from .._core._backoff import Backoff
from .._core._lifetime import running_loop
from .._core._logging import get_logger
from .._core._tasks import is_cancelled
from .._core._token import Token
from .._core._uncancellable import LoopEnded
from ..errors import AignosticsError, LoginRequired, TokenEndpointUnavailable

_log = get_logger("aignostics_async.auth")

# Seconds, and the share of a short lifetime that replaces them.
_AHEAD, _AHEAD_SHARE = 300.0, 0.2
_MARGIN, _MARGIN_SHARE = 30.0, 0.05
_REPLACEMENT_TRUSTED = 60.0
_COOL_DOWN = Backoff(initial=1.0, maximum=30.0)
_MAX_RETRY_AFTER = 120.0
_LOGIN_REQUIRED_COOL_DOWN = 1.0  # somebody may sign in, and looking costs no request


E = TypeVar("E", bound=Exception)
Launch = Callable[[Callable[[], Coroutine[Any, Any, Any]]], "Future[Any]"]


class TokenRefresher:
    """Serve a token, and replace it with the one that `obtain` gives before it ends.

    A token is *fresh* until 300 s, or a fifth of its lifetime if that is less, before its end, less some
    jitter. Then one refresh begins in the background, and the old token is served meanwhile. In the last 30 s
    or twentieth of its lifetime callers wait. A refresh belongs to no caller: its result or failure is for
    all who wait, in any event loop. After a failure nothing is asked for 1 s, doubling to 30 s, or for as
    long as the endpoint said, up to 120 s; callers get the failure at once.

    `obtain` is given the held token, if there is one, and returns another one or raises. `launch` starts it:
    uncancellable, or in the event loop of the first caller.
    """

    def __init__(self, obtain: Callable[[Token | None], Awaitable[Token]], launch: Launch) -> None:
        self._obtain = obtain
        self._launch = launch
        self._token: Token | None = None
        self._is_rejected = False
        self._replaces_rejected = False
        self._refreshed_at = 0.0
        self._jitter = random.uniform(0.8, 1)
        self._failure: AignosticsError | None = None
        self._failures = 0
        self._resume_at = 0.0
        self._reset_flight()

    def _reset_flight(self) -> None:
        # Reentrant: an eager task runs before its launch returns.
        self._lock = RLock()
        self._in_flight: Future[Token | Exception] | None = None
        self._waiting = 0
        self._process = os.getpid()

    async def get_token(self, rejected: Token | None = None) -> Token:
        """Return a usable token; costs no await while there is one. Raises AuthenticationError."""
        self._check_process()
        token = self._token
        if token is not None and token is not rejected:
            left = token.seconds_left
            if left > self._jitter * ahead(token):
                return token
            if left > margin(token):
                self._begin_in_background()
                return token
        elif token is not None and self._is_trusted_replacement():
            # The API rejects a token that was just made: it would reject the next one too.
            return token
        return await self._wait(rejected)

    async def wait(self) -> None:
        """Wait for the refresh in flight; it goes on if this is cancelled."""
        self._check_process()
        flight = self._in_flight
        if flight is not None:
            with suppress(LoopEnded):
                await asyncio.wrap_future(flight)

    def cancel(self) -> None:
        """Cancel a refresh that runs in an event loop, unless somebody waits for it."""
        self._check_process()
        task: asyncio.Task[Any] | None = getattr(self._in_flight, "task", None)
        if task is not None and not self._waiting and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(task.cancel)

    def _check_process(self) -> None:
        """Forget the refresh of a parent process: a forked one has neither its threads nor its loops."""
        if self._process != os.getpid():
            self._reset_flight()

    def _is_trusted_replacement(self) -> bool:
        return self._replaces_rejected and time.monotonic() < self._refreshed_at + _REPLACEMENT_TRUSTED

    def _begin_in_background(self) -> None:
        with self._lock:
            is_idle = self._in_flight is None or self._in_flight.done()
            if is_idle and time.monotonic() >= self._resume_at:
                self._begin()

    def _begin(self) -> Future[Token | Exception]:
        """Start a refresh; where nothing can be started, that is its outcome."""
        try:
            flight = self._launch(self._refresh)
        except AignosticsError as error:
            flight = Future()
            flight.set_result(self._failed(copy(error)))
        self._in_flight = flight
        return flight

    async def _wait(self, rejected: Token | None) -> Token:
        running_loop()
        outcome: Token | Exception = TokenEndpointUnavailable("the token callable was cancelled; try again")
        for _ in range(2):
            # If the event loop of the caller that ran the refresh has ended, run it in this one.
            with suppress(LoopEnded):
                outcome = await self._share(rejected)
                break
        if isinstance(outcome, Token):
            return outcome
        raise _fresh_copy(outcome)

    async def _share(self, rejected: Token | None) -> Token | Exception:
        """Wait for the refresh in flight, or for a new one."""
        with self._lock:
            self._is_rejected |= rejected is not None and rejected is self._token
            flight = self._in_flight
            if flight is None or flight.done():
                self._raise_recent_failure()
            self._waiting += 1
            if flight is None or flight.done():
                flight = self._begin()
        try:
            # Each caller waits for a future of its own, which it may cancel.
            return await asyncio.wrap_future(flight)
        finally:
            with self._lock:
                self._waiting -= 1

    def _raise_recent_failure(self) -> None:
        left = self._resume_at - time.monotonic()
        if self._failure is None or left <= 0:
            return
        failure = _fresh_copy(self._failure)
        if isinstance(failure, TokenEndpointUnavailable):
            failure.retry_after = left
        raise failure

    async def _refresh(self) -> Token | Exception:
        """Return the outcome as a value: an exception would carry these frames to all callers."""
        try:
            token = await self._obtain(self._token)
        except AignosticsError as error:
            return self._failed(copy(error))
        except (Exception, asyncio.CancelledError) as error:  # whatever a user's callable or store raises
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            unavailable = TokenEndpointUnavailable(
                f"the token source failed ({type(error).__name__}; see `__cause__`)"
            )
            unavailable.__cause__ = error
            return self._failed(unavailable)
        with self._lock:
            self._token, self._refreshed_at = token, time.monotonic()
            self._replaces_rejected, self._is_rejected = self._is_rejected, False
            self._failure, self._failures, self._resume_at = None, 0, 0.0
        return token

    def _failed(self, failure: AignosticsError) -> AignosticsError:
        with self._lock:
            self._failures += 1
            self._failure, self._resume_at = failure, time.monotonic() + cool_down(failure, self._failures)
            # Callers that wait get the error. Otherwise warn, once per outage: a busy service asks often.
            is_news = self._failures == 1 and not self._waiting
        _log.log(logging.WARNING if is_news else logging.DEBUG, "no new access token: %s", failure)
        return failure


def _fresh_copy(failure: E) -> E:
    """Return a copy to raise: an error that is raised repeatedly keeps every frame it went through."""
    fresh = copy(failure)
    fresh.__cause__ = failure.__cause__
    return fresh


def ahead(token: Token) -> float:
    """Return how many seconds before its end a token is refreshed in the background."""
    return _at_most(_AHEAD, _AHEAD_SHARE, token)


def margin(token: Token) -> float:
    """Return how many seconds before its end a token is no longer sent."""
    return _at_most(_MARGIN, _MARGIN_SHARE, token)


def _at_most(limit: float, share: float, token: Token) -> float:
    # A fixed time could exceed a short lifetime, and the token would be refreshed without end.
    return limit if token.lifetime is None else min(limit, share * token.lifetime)


def cool_down(failure: AignosticsError, failures: int) -> float:
    """Return for how many seconds nothing is asked after `failures` failures in a row."""
    if isinstance(failure, LoginRequired):
        return _LOGIN_REQUIRED_COOL_DOWN
    asked = failure.retry_after if isinstance(failure, TokenEndpointUnavailable) else None
    return _COOL_DOWN.wait(failures, random.random(), retry_after=min(asked or 0.0, _MAX_RETRY_AFTER))
