"""How far a job is, on a terminal: a bar for each stage, and lines for what needs somebody."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import anyio
from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from .._core._display_text import human_size
from ..bulk.database._states import ItemState
from ._bulk_text import event_line, is_news

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from ..bulk import BulkJob
    from ..bulk.database._journal import JobEvent
    from ..transfer._progress import TransferEvent

_INTERVAL = 0.5  # seconds
_WINDOW = 20  # of them, over which a rate is taken
# What each stage is called, the states of items that it has not passed on yet, and what it moves.
_STAGES = (
    ("read", (ItemState.FOUND,), None),
    ("uploaded", (ItemState.READY, ItemState.SENDING), "upload"),
    ("in a run", (ItemState.STORED, ItemState.ASSIGNED), None),
    ("analysed", (ItemState.SUBMITTED,), None),
    ("at home", (ItemState.SUCCEEDED,), "download"),
)


@frozen
class Passed:
    """How many items a stage has passed on, of those that will come to it."""

    stage: str
    items: int
    of: int


def passed(states: Mapping[ItemState, int]) -> list[Passed]:
    """Return how far each stage is. Pure."""
    coming = sum(states.values()) - states.get(ItemState.QUARANTINED, 0)
    left, stages = coming, []
    for stage, before, moves in _STAGES:
        if moves == "download":
            # What failed has nothing to bring home.
            coming, left = (each - states.get(ItemState.FAILED, 0) for each in (coming, left))
        left -= sum(states.get(state, 0) for state in before)
        stages.append(Passed(stage, left, coming))
    return stages


@define
class Moved:
    """Bytes that were moved, and how fast; remembers the files that are under way and no others."""

    done: int = 0
    _under_way: dict[tuple[str, str], int] = field(factory=dict)
    _recent: deque[tuple[float, int]] = field(factory=lambda: deque(maxlen=_WINDOW))

    def take(self, event: TransferEvent) -> None:
        """Take in how far a file is."""
        key = event.reference, event.name
        self.done += event.done - self._under_way.pop(key, 0)
        if event.kind not in ("finished", "failed"):
            self._under_way[key] = event.done

    def told(self, now: float) -> str:
        """Return it in words, as of a time in seconds that is asked for every interval."""
        self._recent.append((now, self.done))
        (begin, before), (end, after) = self._recent[0], self._recent[-1]
        rate = max(0, after - before) / (end - begin) if end > begin else 0.0
        return human_size(self.done) + (f", {human_size(round(rate))}/s" if rate else "") if self.done else ""


class JobBars:
    """Bars on standard error; a context manager in which they live."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[moved]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._moved = {moves: Moved() for _, _, moves in _STAGES if moves is not None}
        self._tasks: dict[str, TaskID] = {}

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

    def event(self, event: JobEvent) -> None:
        """Show what needs somebody."""
        if is_news(event):
            self.say(event_line(event.as_dict()))

    def progress(self, event: TransferEvent) -> None:
        """Take in how far a file is."""
        self._moved[event.direction].take(event)

    def say(self, line: Text) -> None:
        """Show a line above the bars."""
        self._bars.console.print(line)

    async def follow(self, job: BulkJob) -> None:
        """Show how far the job is, for ever."""
        while True:
            await self.show(job)
            await anyio.sleep(_INTERVAL)

    async def show(self, job: BulkJob) -> None:
        """Show how far the job is now."""
        now = time.monotonic()
        for (_, _, moves), each in zip(_STAGES, passed(await job.states()), strict=True):
            if each.stage not in self._tasks:
                self._tasks[each.stage] = self._bars.add_task(each.stage, total=None, moved="")
            told = "" if moves is None else self._moved[moves].told(now)
            self._bars.update(self._tasks[each.stage], completed=each.items, total=each.of, moved=told)
