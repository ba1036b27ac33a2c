"""Progress as typed events, and one consumer of them: bars on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from attrs import frozen

from .._errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID


@frozen
class TransferEvent:
    """A file started, advanced, or is over.

    `done` and `total` are bytes; `total` is None while it is not known. `done` falls back when a try starts
    anew.
    """

    kind: Literal["started", "advanced", "finished", "failed"]
    direction: Literal["upload", "download"]
    reference: str
    name: str
    done: int = 0
    total: int | None = None


Progress = Callable[[TransferEvent], None]


def ignore(_event: TransferEvent) -> None:
    """Show nothing."""


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
        self._tasks: dict[str, TaskID] = {}
        self._files: dict[tuple[str, str, str], TransferEvent] = {}
        self._sums: dict[str, list[int]] = {}

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
        """Take in an event."""
        key = (event.direction, event.reference, event.name)
        before = self._files.get(key)
        self._files[key] = event
        if event.direction not in self._tasks:
            self._tasks[event.direction] = self._bars.add_task(event.direction)
            self._sums[event.direction] = [0, 0, 0, 0]
        # Sums are kept up by differences: a run has thousands of files and more events.
        sums = self._sums[event.direction]
        for index, value in enumerate(_counts(event)):
            sums[index] += value - (_counts(before)[index] if before else 0)
        files, over, done, total = sums
        self._bars.update(
            self._tasks[event.direction],
            description=f"{event.direction} {over}/{files}",
            completed=done,
            total=total,
        )


def _counts(event: TransferEvent) -> tuple[int, int, int, int]:
    over = event.kind in ("finished", "failed")
    total = event.done if event.total is None else event.total
    return 1, int(over), event.done, total
