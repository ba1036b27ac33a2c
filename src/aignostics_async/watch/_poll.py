"""Looking at one run again and again, at the settings' interval, until nothing will change any more."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import anyio
from attrs import frozen

from .._errors import (
    ConnectionFailed,
    NotFound,
    ServerError,
    TokenEndpointUnavailable,
    TooManyRequests,
)
from ..models import InvalidItem, ItemResult, RunDetails, RunStatus

if TYPE_CHECKING:
    from .._config import Settings
    from ..resources._run import Run

_log = logging.getLogger("aignostics_async")
_T = TypeVar("_T")


async def looks(run: Run, settings: Settings) -> AsyncIterator[Look]:
    """Give complete looks at a run; the last one is final, with every item final or the grace over."""
    final_since: float | None = None
    outage = Outage(settings)
    while True:
        look = await outage.outlast(lambda: _look(run))
        yield look
        if look.is_complete:
            return
        if look.details.status.is_final:
            final_since = final_since or time.monotonic()
            if time.monotonic() - final_since > settings.results_grace:
                return
        await _pause(settings)


async def one_look(run: Run) -> AsyncIterator[Look]:
    """Give one complete look at a run."""
    yield await _look(run)


@frozen
class Look:
    """One complete look at a run: its details, then its results, read after them."""

    details: RunDetails
    items: tuple[ItemResult, ...]
    invalid: tuple[InvalidItem, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing in it will change any more. A run has items, except one that was rejected."""
        if self.details.status == RunStatus.REJECTED:
            return True
        items_final = bool(self.items) and all(item.status.is_final for item in self.items)
        return self.details.status.is_final and items_final


class Outage:
    """Rides out failures that are likely to pass, for as long as the settings' patience lasts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def outlast(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Return what `ask` gives, asking again at the interval; raises its last error in the end."""
        end = time.monotonic() + self._settings.outage_patience
        while True:
            try:
                return await ask()
            except (ConnectionFailed, ServerError, TooManyRequests, TokenEndpointUnavailable) as error:
                if time.monotonic() > end:
                    raise
                _log.warning("looking at a run failed, trying again: %s", error)
            await _pause(self._settings)


async def patient(ask: Callable[[], Awaitable[RunDetails]], grace: float) -> RunDetails:
    """Return what `ask` gives, asking again for `grace` seconds while a new run is not found.

    Reads may come from a replica that has not heard of the run yet.
    """
    end = time.monotonic() + grace
    wait = 0.05
    while True:
        try:
            return await ask()
        except NotFound:
            if time.monotonic() + wait > end:
                raise
        await anyio.sleep(wait)
        wait *= 2


async def _look(run: Run) -> Look:
    # Details first: when they are final, the results that are read after them are too.
    details = await run.details()
    items: list[ItemResult] = []
    invalid: list[InvalidItem] = []
    try:
        async for page in run.results().pages():
            items.extend(page.items)
            invalid.extend(page.invalid)
    except NotFound:
        # A run that was just received may have no results to list yet.
        if details.status.is_final:
            raise
    return Look(details, tuple(items), tuple(invalid))


async def _pause(settings: Settings) -> None:
    # Jitter keeps watchers that started together from asking together.
    await anyio.sleep(settings.poll_interval * (1 - random.random() / 10))
