"""Progress as typed events, what they come to, and lines of text for where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal, Self, TextIO

from attrs import define, evolve, field, frozen

from .._http._retry import telling_retries

if TYPE_CHECKING:
    from types import TracebackType

Direction = Literal["upload", "download"]
_WINDOW = 10.0  # seconds over which a rate is taken


@frozen
class TransferEvent:
    """A file started, advanced, is tried again, or is over.

    `done` and `total` are bytes; `total` is None while it is not known. `done` falls back when a try starts
    anew. `retries` counts the further tries so far.
    """

    kind: Literal["started", "advanced", "retried", "finished", "failed"]
    direction: Direction
    reference: str
    name: str
    done: int = 0
    total: int | None = None
    retries: int = 0


Progress = Callable[[TransferEvent], None]


def ignore(_event: TransferEvent) -> None:
    """Show nothing."""


class ProgressReporter:
    """Tells the events of one file: that it started, how far it is, its retries, and its end."""

    def __init__(self, tell: Progress, started: TransferEvent) -> None:
        self._tell = tell
        self._event = started
        self._retries = ExitStack()

    def __enter__(self) -> Self:
        self._tell(self._event)
        self._retries.enter_context(telling_retries(self._retry))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._retries.close()

    def advance(self, done: int, total: int | None = None) -> None:
        """Tell that so many bytes of so many are there."""
        total = self._event.total if total is None else total
        self._say(evolve(self._event, kind="advanced", done=done, total=total))

    def end(self, kind: Literal["finished", "failed"], size: int) -> None:
        """Tell that the file is over, with so many bytes."""
        self._say(evolve(self._event, kind=kind, done=size, total=size))

    def _retry(self) -> None:
        self._say(evolve(self._event, kind="retried", retries=self._event.retries + 1))

    def _say(self, event: TransferEvent) -> None:
        self._event = event
        self._tell(event)


@define
class Tally:
    """What the events of one direction come to."""

    files: int = 0
    over: int = 0
    failed: int = 0
    retries: int = 0
    done: int = 0
    """Bytes."""
    total: int = 0
    """Bytes, of the files whose size is known."""
    _last: dict[tuple[str, str], TransferEvent] = field(factory=dict)
    _recent: deque[tuple[float, int]] = field(factory=deque)

    def take(self, event: TransferEvent, now: float) -> None:
        """Take in an event at a time in seconds."""
        before = self._last.get((event.reference, event.name))
        self._last[event.reference, event.name] = event
        # Sums are kept up by differences: a run has thousands of files and more events.
        new, old = _counts(event), _counts(before)
        self.files += new[0] - old[0]
        self.over += new[1] - old[1]
        self.failed += new[2] - old[2]
        self.retries += new[3] - old[3]
        self.done += new[4] - old[4]
        self.total += new[5] - old[5]
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > _WINDOW:
            self._recent.popleft()

    @property
    def rate(self) -> float:
        """Bytes per second, over the last seconds."""
        (begin, before), (end, after) = self._recent[0], self._recent[-1]
        return max(0, after - before) / (end - begin) if end > begin else 0.0


class ProgressLines:
    """A line for each direction on standard error, every 30 s and at the end; pass it as `progress`.

    For logs and pipes. Use it as a context manager: the last lines come when the block ends.
    """

    def __init__(self, *, every: float = 30.0, stream: TextIO | None = None) -> None:
        self._every = every
        self._stream = stream or sys.stderr
        self._tallies: dict[Direction, Tally] = {}
        self._next: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write()

    def __call__(self, event: TransferEvent) -> None:
        """Take in an event."""
        now = time.monotonic()
        self._tallies.setdefault(event.direction, Tally()).take(event, now)
        if self._next is None:
            self._next = now + self._every
        elif now >= self._next:
            self._next = now + self._every
            self._write()

    def _write(self) -> None:
        for direction, tally in self._tallies.items():
            failed = f", {tally.failed} failed" if tally.failed else ""
            retries = f", {tally.retries} retries" if tally.retries else ""
            print(
                f"{direction}: {tally.over} of {tally.files} files, {tally.done / 1e6:,.1f} of "
                f"{tally.total / 1e6:,.1f} MB, {tally.rate / 1e6:,.1f} MB/s{failed}{retries}",
                file=self._stream,
                flush=True,
            )


def _counts(event: TransferEvent | None) -> tuple[int, int, int, int, int, int]:
    if event is None:
        return 0, 0, 0, 0, 0, 0
    over = event.kind in ("finished", "failed")
    total = event.done if event.total is None else event.total
    return 1, int(over), int(event.kind == "failed"), event.retries, event.done, total
