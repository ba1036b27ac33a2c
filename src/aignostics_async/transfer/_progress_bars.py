"""Progress bars on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from .._core._display_text import visible
from ..errors import MissingExtra
from ._progress import Direction, TransferEvent, TransferTally

if TYPE_CHECKING:
    from rich.progress import TaskID


class ProgressBars:
    """Progress bars on standard error, one for each direction; pass the object as `progress`.

        with ProgressBars() as bars:
            await run.download("results/", progress=bars)

    The bars are shown inside the block; with `transient` they disappear at its end. `show` adds bars for
    other work. Raises MissingExtra without the `cli` extra.
    """

    def __init__(self, *, transient: bool = False) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        except ImportError:
            raise MissingExtra("drawing progress bars", extra="cli") from None
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),  # what the text leaves of the width
            TextColumn("{task.fields[detail]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=transient,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._tallies: dict[Direction, TransferTally] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._bars.stop()

    def __call__(self, event: TransferEvent) -> None:
        """Register an event and update the bar of its direction."""
        tally = self._tallies.setdefault(event.direction, TransferTally())
        tally.add(event, time.monotonic())
        self.show(event.direction, completed=tally.done, total=tally.total, detail=tally.describe())

    def show(self, name: str, *, completed: int, total: int | None, detail: str = "") -> None:
        """Update the bar with a name, and add it if it is new.

        `total` is None while it is unknown. `detail` is shown behind the bar.
        """
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(visible(name), total=None, detail="")
        self._bars.update(self._tasks[name], completed=completed, total=total, detail=visible(detail))

    def print(self, line: str, *, style: str = "") -> None:
        """Print a line above the bars; `style` is a style of rich, such as `"red"`."""
        self._bars.console.print(visible(line), style=style, markup=False, highlight=False)
