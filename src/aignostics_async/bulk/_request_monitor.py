"""Requests of other processes to pause or cancel a job, which are files in its folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from .database import _job_commands

if TYPE_CHECKING:
    from .database._database import Database
    from .database._job_folder import JobFolder

_INTERVAL = 0.5  # seconds


async def monitor_requests(folder: JobFolder, database: Database, drain: Callable[[], None]) -> None:
    """Drain when another process asks to pause or to cancel the job."""
    cancel, pause = anyio.Path(folder.cancel), anyio.Path(folder.pause)
    while not await cancel.exists():
        if await pause.exists():
            await database.write(_job_commands.set_job(is_paused=True))
            break
        await anyio.sleep(_INTERVAL)
    drain()
