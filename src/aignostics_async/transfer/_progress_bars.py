"""Progress bars on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from .._core._display_text import visible
from ..errors import MissingExtra
from ._progress import Direction, TransferEvent, TransferTally

if TYPE_CHECKING:
    from rich.progress import TaskID


_PACE = 600.0  # seconds over which the time that is left is estimated


class ProgressBars:
    """Progress bars on standard error, one for each direction; pass the object as `progress`.

        with ProgressBars() as bars:
            await run.download("results/", progress=bars)

    The bars are shown inside the block; with `transient=True` they disappear at its end (False by default).
    `show` adds bars for other work. Where standard error is no terminal, the bars are printed once, at the
    end; use `ProgressLines` there. Raises MissingExtra without the `cli` extra.
    """

    def __init__(self, *, transient: bool = False) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError:
            raise MissingExtra("drawing progress bars", extra="cli") from None
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),  # the width that the text leaves
            TextColumn("{task.fields[detail]}", markup=False),
            TimeRemainingColumn(elapsed_when_finished=True),
            speed_estimate_period=_PACE,
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
        """Update the bar of a name, and add it if it is new.

            bars.show("probing", completed=3, total=10, detail="3 of 10 slides")

        `completed` and `total` have the same unit, such as files or bytes; `total` is None while it is
        unknown. `detail` is shown behind the bar, and is empty by default. Control characters in `name` and
        `detail` are shown, not obeyed.
        """
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(visible(name), total=None, detail="")
        self._bars.update(self._tasks[name], completed=completed, total=total, detail=visible(detail))

    def print(self, line: str, *, style: str = "") -> None:
        """Print a line above the bars.

            bars.print("case-7 failed", style="red")

        `style` is a style of rich, such as `"bold red"`; none by default. Control characters in `line` are
        shown, not obeyed. Raises rich's `MissingStyle` for an unknown style.
        """
        self._bars.console.print(visible(line), style=style, markup=False, highlight=False)
