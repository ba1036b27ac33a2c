"""Progress bars on a terminal, or in a notebook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self

from ..._core._display_text import visible
from ...errors import MissingExtra
from ._events import Direction, TransferEvent, TransferTally
from ._notebook_bars import NotebookBars

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


_PACE = 600.0  # seconds over which the time that is left is estimated


class ProgressBars:
    """Progress bars on standard error, one for each direction; pass the object as `progress`.

        with ProgressBars() as bars:
            await run.download("results/", progress=bars)

    The bars are shown inside the block; with `transient=True` they disappear at its end (False by default).
    `show` adds bars for other work. In a notebook they are in the output of the cell. Elsewhere, where
    standard error is no terminal, they are printed once, at the end, and not with `transient=True`; use
    `ProgressLines` there. Raises MissingExtra without the `cli` extra.
    """

    def __init__(self, *, transient: bool = False) -> None:
        try:
            from rich.console import Console
        except ImportError:
            raise MissingExtra("drawing progress bars", extra="cli") from None
        console = Console(stderr=True, emoji=False)  # else `:smile:` in a name becomes a picture
        self._bars: _Bars = (
            NotebookBars(transient=transient)
            if console.is_jupyter
            else _TerminalBars(console, transient=transient)
        )
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
        unknown. `detail` is shown behind the bar, and is empty by default. Control characters are shown, not
        obeyed.
        """
        self._bars.update(visible(name), completed, total, visible(detail))

    def print(self, line: str, *, style: str = "") -> None:
        """Print a line above the bars; in a notebook below them.

            bars.print("case-7 failed", style="red")

        `style` is a style of rich, such as `"bold red"`, empty by default, and ignored in a notebook, else
        rich's `MissingStyle` is raised for an unknown one. Control characters are shown, not obeyed.
        """
        self._bars.print(visible(line), style)


class _Bars(Protocol):
    """Bars by name, wherever they are drawn; all texts are safe to show."""

    def start(self) -> None: ...

    def update(self, name: str, completed: int, total: int | None, detail: str) -> None: ...

    def print(self, line: str, style: str, /) -> None: ...

    def stop(self) -> None: ...


class _TerminalBars:
    """Bars on a terminal, drawn by rich."""

    def __init__(self, console: Console, *, transient: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),  # the width that the text leaves
            TextColumn("{task.fields[detail]}", markup=False),
            TimeRemainingColumn(elapsed_when_finished=True),
            speed_estimate_period=_PACE,
            console=console,
            transient=transient,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self.start, self.stop = self._progress.start, self._progress.stop

    def update(self, name: str, completed: int, total: int | None, detail: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, detail="")
        self._progress.update(self._tasks[name], completed=completed, total=total, detail=detail)

    def print(self, line: str, style: str, /) -> None:
        self._progress.console.print(line, style=style, markup=False, highlight=False)
