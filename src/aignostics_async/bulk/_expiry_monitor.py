"""A warning about results that are not downloaded and that the platform will delete soon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio

from .database._journal import EventType
from .report._expiry import read_expiry

if TYPE_CHECKING:
    from .database._database import Database
    from .database._journal import Journal

_INTERVAL = 6 * 3600.0  # seconds


async def monitor_expiry(database: Database, journal: Journal) -> None:
    """Emit an event when results expire soon, and repeat it; runs until it is cancelled."""
    while True:
        expiry = await database.read(lambda execute: read_expiry(execute, time.time()))
        if expiry.items:
            first = "" if expiry.first is None else f", the first on {expiry.first:%Y-%m-%d %H:%M} UTC"
            text = f"the platform deletes the results of {expiry.items} slides soon{first}"
            journal.emit(EventType.RESULTS_EXPIRE, text=text)
        await anyio.sleep(_INTERVAL)
