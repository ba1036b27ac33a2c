"""Progress bars on a terminal: a consumer of the events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from ..errors import ConfigurationError
from ._progress import Direction, Tally, TransferEvent

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID


class ProgressBars:
    """Progress bars on standard error, one for each direction; pass it as `progress`.

    Needs the `cli` extra. Use it as a context manager: the bars live inside the block.
    """

    def __init__(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TransferSpeedColumn,
            )
        except ImportError:
            raise ConfigurationError(
                "progress bars need the cli extra: pip install 'aignostics-async[cli]'"
            ) from None
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[Direction, TaskID] = {}
        self._tallies: dict[Direction, Tally] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, event: TransferEvent) -> None:
        """Add an event."""
        tally = self._tallies.setdefault(event.direction, Tally())
        tally.add(event, time.monotonic())
        if event.direction not in self._tasks:
            self._tasks[event.direction] = self._bars.add_task(event.direction)
        retries = f", {tally.retries} retries" if tally.retries else ""
        self._bars.update(
            self._tasks[event.direction],
            description=f"{event.direction} {tally.over}/{tally.files}{retries}",
            completed=tally.done,
            total=tally.total,
        )
