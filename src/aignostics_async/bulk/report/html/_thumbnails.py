"""Pictures of slides for the page, as many as can be had in time; a report waits for no slide."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from ...._core._logging import get_logger
from ...._core._tasks import plain_task_group
from ....errors import ConfigurationError, SlideError
from ....slides.workers._prober import Prober
from .._consistent_view import consistent_view
from .._rows import read_pictured

PICTURED = 200
"""How many of the first slides, and how many of those in trouble, have pictures."""

_PER_SLIDE = 10.0  # seconds
_PATIENCE = 60.0  # seconds for all: nobody waits long for a report
_log = get_logger("aignostics_async.bulk")


async def take_pictures(database: Path) -> dict[int, bytes]:
    """Return JPEG files by the numbers of items.

    Slides are read in processes of their own, each for some seconds at most; one that can't be read has no
    picture. There is none at all without the `slides` extra. Raises JobError and JobDatabaseError where the
    database can't be read.
    """
    wanted = await anyio.to_thread.run_sync(_wanted, database)
    pictures: dict[int, bytes] = {}

    async def take(prober: Prober, number: int, path: str) -> None:
        with suppress(SlideError):
            pictures[number] = await prober.picture(path)

    try:
        with anyio.move_on_after(_PATIENCE):
            async with Prober(timeout=_PER_SLIDE) as prober, plain_task_group() as group:
                for number, path in wanted.items():
                    group.start_soon(take, prober, number, path)
    except ConfigurationError as error:
        _log.info("the report has %d pictures of %d: %s", len(pictures), len(wanted), error)
    return pictures


def _wanted(database: Path) -> dict[int, str]:
    with consistent_view(database) as execute:
        return dict(read_pictured(execute, PICTURED))
