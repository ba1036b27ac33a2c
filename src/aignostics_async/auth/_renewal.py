"""One renewal at a time, for all who wait, ahead of need: what every source of tokens shares."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from copy import copy

from .._errors import AignosticsError, LoginRequired, TokenEndpointUnavailable, UsageError
from ._tokens import Token

_log = logging.getLogger("aignostics_async.auth")

# Seconds, and the parts of a lifetime that take their place where it is short.
_AHEAD, _AHEAD_PART = 300.0, 0.2
_MARGIN, _MARGIN_PART = 30.0, 0.05
_REPLACEMENT_TRUSTED = 60.0
_FIRST_COOL_DOWN, _LONGEST_COOL_DOWN = 1.0, 30.0
_LONGEST_RETRY_AFTER = 120.0
_LOOK_AGAIN = 1.0  # after a refusal: somebody may sign in, and looking costs no network call


class Renewal:
    """Serve a token, and renew it with `obtain` before it ends.

    A token is *fresh* until 300 s or a fifth of its lifetime before its end, whichever is less, and less some
    jitter. Then one renewal begins in the background while the old token is served. In the last 30 s or
    twentieth of its lifetime callers wait. The renewal runs in a task that no caller owns, so cancelling a
    caller never loses a rotated refresh token; its result, or its failure, is for all who wait. After a
    failure nobody asks again for 1 s, doubling to 30 s, or as long as the endpoint said, up to 120 s.

    `obtain` is given the token that is held and no longer good enough, if there is one, and gives another one
    or raises. A renewal serves one running event loop at a time.
    """

    def __init__(self, obtain: Callable[[Token | None], Awaitable[Token]]) -> None:
        self._obtain = obtain
        self._token: Token | None = None
        self._is_rejected = False
        self._replaces_rejected = False
        self._renewed_at = 0.0
        self._jitter = random.uniform(0.8, 1)
        self._loop: asyncio.AbstractEventLoop | None = None
        # The strong reference that a task needs.
        self._flight: asyncio.Task[Token | AignosticsError] | None = None
        self._failure: AignosticsError | None = None
        self._failures = 0
        self._resume_at = 0.0

    async def get_token(self, rejected: Token | None = None) -> Token:
        """Return a usable token; costs no await while there is one."""
        self._belong_here()
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

    async def aclose(self) -> None:
        """Wait for a renewal that is under way, so that its result is not lost."""
        if self._flight is not None and self._loop is asyncio.get_running_loop():
            await asyncio.wait([self._flight])

    def _belong_here(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and self._loop.is_running():
            raise UsageError("this token source serves another event loop; make one source per event loop")
        self._loop, self._flight = loop, None

    def _is_trusted_replacement(self) -> bool:
        return self._replaces_rejected and time.monotonic() < self._renewed_at + _REPLACEMENT_TRUSTED

    def _begin_in_background(self) -> None:
        if self._flight is None and time.monotonic() >= self._resume_at:
            self._begin()

    def _begin(self) -> asyncio.Task[Token | AignosticsError]:
        self._flight = asyncio.create_task(self._renew(), name="aignostics token renewal")
        self._flight.add_done_callback(self._landed)
        return self._flight

    def _landed(self, flight: asyncio.Task[Token | AignosticsError]) -> None:
        if self._flight is flight:
            self._flight = None
        # Where every caller was cancelled nobody looks at a fault; asyncio would complain about that.
        if not flight.cancelled():
            flight.exception()

    async def _wait(self, rejected: Token | None) -> Token:
        self._is_rejected |= rejected is not None and rejected is self._token
        flight = self._flight
        if flight is None:
            self._raise_recent_failure()
            flight = self._begin()
        outcome = await asyncio.shield(flight)
        if isinstance(outcome, Token):
            return outcome
        # A copy for each: one error that is raised again and again keeps every frame that it went through.
        raise copy(outcome)

    def _raise_recent_failure(self) -> None:
        left = self._resume_at - time.monotonic()
        if self._failure is None or left <= 0:
            return
        failure = copy(self._failure)
        if isinstance(failure, TokenEndpointUnavailable):
            failure.retry_after = left
        raise failure

    async def _renew(self) -> Token | AignosticsError:
        """Return the outcome as a value: an exception would carry the frames of this task to all callers."""
        try:
            token = await self._obtain(self._token)
        except AignosticsError as error:
            failure = copy(error)
        else:
            self._token, self._renewed_at = token, time.monotonic()
            self._replaces_rejected, self._is_rejected = self._is_rejected, False
            self._failure, self._failures, self._resume_at = None, 0, 0.0
            return token
        self._failures += 1
        self._failure, self._resume_at = failure, time.monotonic() + cool_down(failure, self._failures)
        # Once for each outage: a busy service would fill its log.
        _log.log(
            logging.WARNING if self._failures == 1 else logging.DEBUG, "no new access token: %s", failure
        )
        return failure


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
    doubled: float = min(_FIRST_COOL_DOWN * 2 ** min(failures - 1, 10), _LONGEST_COOL_DOWN)
    wait = doubled * random.uniform(0.75, 1)
    asked = failure.retry_after if isinstance(failure, TokenEndpointUnavailable) else None
    return max(wait, min(asked or 0.0, _LONGEST_RETRY_AFTER))
