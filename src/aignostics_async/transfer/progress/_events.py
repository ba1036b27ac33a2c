"""Progress as typed events, callbacks that may raise, totals, and lines of text for logs and pipes."""

from __future__ import annotations

import inspect
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Generic, Literal, ParamSpec, Self, TextIO

from attrs import define, evolve, field, frozen

from ..._core._arguments import check_function, no_awaitables
from ..._core._clock import seconds
from ..._core._display_text import human_size
from ..._http._retry import telling_retries

Direction = Literal["upload", "download"]
_WINDOW = 10.0  # seconds over which a rate is taken


@frozen
class TransferEvent:
    """A step of a file's transfer: it started, advanced, is retried, finished or failed.

        def show(event: TransferEvent) -> None:
            print(event.kind, event.reference, event.name, event.done, event.total)

        await run.download("results/", progress=show)

    `kind` is the step, and `direction` is `"upload"` or `"download"`. `reference` is that of the item, and
    `name` the file name of an upload or the artifact name of a download (from a cluster, `output 1` and so
    on). `done` is the number of bytes so far, 0 by default, and decreases when another attempt starts over.
    `total` is the size of the file in bytes; None, the default, while it is unknown. When a file has failed,
    both are 0. `retries` is how often a request for the file was repeated, 0 by default. `verified` tells of
    a finished upload whether the store's bytes are verified, and is None, the default, otherwise.

    A progress callback is a plain function of one event. It is called in the event loop, about ten times a
    second for each connection of a file, and so must return at once. If it raises, the call that it was
    passed to stops its transfers, which may take some seconds, and raises the exception. An async callback
    raises UsageError.
    """

    kind: Literal["started", "advanced", "retried", "finished", "failed"]
    """What happened to the file."""
    direction: Direction
    """`"upload"` or `"download"`."""
    reference: str
    """The reference of the item."""
    name: str
    """The file name of an upload, or the artifact name of a download; `output 1` and so on from a cluster."""
    done: int = 0
    """The bytes so far; 0 by default. It decreases when another attempt starts over; 0 after a failure."""
    total: int | None = None
    """The size of the file in bytes; None, the default, while unknown, and 0 after a failure."""
    retries: int = 0
    """How often a request for the file was repeated; 0 by default."""
    verified: bool | None = None
    """For a finished upload, whether the bytes in the store are verified, as in `Stored.verified`; otherwise
    None.
    """


Progress = Callable[[TransferEvent], None]
_P = ParamSpec("_P")


def ignore(_event: TransferEvent) -> None:
    """Show nothing."""


class CallbackRaised(BaseException):
    """Carries what a progress callback raised to the call that the callback was passed to.

    On the way the work in threads is stopped. It is no Exception, so that nothing takes a BrokenPipeError of
    the callback for one of the network or the disk.
    """

    def __init__(self, error: BaseException, guard: object) -> None:
        super().__init__()
        self.error = error
        self.guard = guard


class ProgressGuard(Generic[_P]):
    """A progress callback to call from inside: what it raises is carried out as CallbackRaised.

    Raises UsageError for one that is async or no function when made, and for one that returns an awaitable
    when called.
    """

    def __init__(self, progress: Callable[_P, object] | None) -> None:
        check_callback(progress)
        self._progress = progress

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        if self._progress is None:
            return
        try:
            call_plain(self._progress, *args, **kwargs)
        except CallbackRaised:  # of a callback inside this one
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised to the caller
            raise CallbackRaised(error, self) from None


@contextmanager
def guard_progress(progress: Callable[_P, object] | None) -> Iterator[Callable[_P, None]]:
    """Give a guarded callback to use inside the block, and raise from the block what `progress` raises.

    The exception is raised unchanged, once everything inside the block has stopped. Raises UsageError for one
    that is async or no function, before anything is done.
    """
    guard = ProgressGuard(progress)
    raised: BaseException | None = None
    try:
        yield guard
    except CallbackRaised as carried:
        if carried.guard is not guard:
            raise
        raised = carried.error
    if raised is not None:
        context = raised.__context__
        try:
            raise raised
        finally:
            raised.__context__ = context  # not the carrier
            del raised, context


def check_callback(progress: Callable[..., object] | None) -> None:
    """Raise UsageError unless this is a plain function, or None for no callback."""
    if progress is not None:
        check_function(progress, "a callback")


def call_plain(callback: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None:
    """Call a callback; raises UsageError if it returns an awaitable, and what the callback raises."""
    returned = callback(*args, **kwargs)
    if returned is not None and inspect.isawaitable(returned):
        _discard(returned)
        raise no_awaitables()


def _discard(awaitable: Any) -> None:
    """Close a coroutine, or cancel a task, that is not awaited."""
    close = getattr(awaitable, "close", None) or getattr(awaitable, "cancel", None)
    if close is not None:
        close()


class ProgressReporter:
    """Reports the events of one file: its start, its bytes, its retries and its end."""

    def __init__(self, progress: Progress, started: TransferEvent) -> None:
        self._progress = progress
        self._event = started
        self._retries = ExitStack()

    def __enter__(self) -> Self:
        self._progress(self._event)
        self._retries.enter_context(telling_retries(self._retry))
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._retries.close()

    def advance(self, done: int, total: int | None = None) -> None:
        """Report that `done` bytes of `total` are there."""
        total = self._event.total if total is None else total
        self._report(evolve(self._event, kind="advanced", done=done, total=total))

    def end(self, kind: Literal["finished", "failed"], size: int, *, verified: bool | None = None) -> None:
        """Report that the file ended, with its size in bytes, and for an upload whether it is verified."""
        self._report(evolve(self._event, kind=kind, done=size, total=size, verified=verified))

    def _retry(self) -> None:
        self._report(evolve(self._event, kind="retried", retries=self._event.retries + 1))

    def _report(self, event: TransferEvent) -> None:
        self._event = event
        self._progress(event)


@define
class TransferTally:
    """The totals and the rate of the events of one direction.

        tally = TransferTally()
        await run.download("results/", progress=lambda event: tally.add(event, time.monotonic()))
        print(tally.describe())

    `files` counts the files that started, `over` those that finished or failed, `failed` those that failed,
    `unverified` the finished uploads that are not verified, and `retries` how often a request was repeated.
    `done` is the number of bytes so far, and `total` that of all files; a file whose size is unknown counts
    with its bytes so far, and one that failed with none. All start at 0.
    """

    files: int = 0
    """Files that started."""
    over: int = 0
    """Files that finished or failed."""
    failed: int = 0
    """Files that failed."""
    unverified: int = 0
    """Uploads that finished without a proof that the store has their bytes."""
    retries: int = 0
    """How often a request was repeated, over all files."""
    done: int = 0
    """Bytes so far."""
    total: int = 0
    """Bytes of all files; of a file whose size is unknown, the bytes so far."""
    _in_progress: dict[tuple[str, str], TransferEvent] = field(factory=dict)
    _recent: deque[tuple[float, int]] = field(factory=deque)

    def add(self, event: TransferEvent, now: float) -> None:
        """Count an event.

            tally.add(event, time.monotonic())

        `now` is the time of the event by a monotonic clock, in seconds; it must not decrease. The event of a
        file replaces its previous one; files are told apart by reference and name.
        """
        key = event.reference, event.name
        before = self._in_progress.pop(key, None)
        is_over = event.kind in ("finished", "failed")
        if not is_over:
            self._in_progress[key] = event
        self.files += before is None
        self.over += is_over
        self.failed += event.kind == "failed"
        self.unverified += event.verified is False
        self.retries += event.retries - (before.retries if before else 0)
        self.done += event.done - (before.done if before else 0)
        self.total += _size(event) - (_size(before) if before else 0)
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > _WINDOW:
            self._recent.popleft()

    @property
    def rate(self) -> float:
        """The rate in bytes per second over the events of the last 10 s before the latest one; 0 without two
        of different times.
        """
        if not self._recent:
            return 0.0
        (begin, before), (end, after) = self._recent[0], self._recent[-1]
        return max(0, after - before) / (end - begin) if end > begin else 0.0

    def describe(self) -> str:
        """Return the totals as one line, such as `2 of 5 files, 1 MB of 2 MB, 500 kB/s, 1 failed, 3 retries`.

        Failures, unverified uploads and retries appear only if there are any.
        """
        failed = f", {self.failed} failed" if self.failed else ""
        failed += f", {self.unverified} unverified" if self.unverified else ""
        retries = f", {self.retries} retries" if self.retries else ""
        return f"{self.over} of {self.files} files, {self.describe_bytes()}{failed}{retries}"

    def describe_bytes(self) -> str:
        """Return bytes and rate as text with decimal units, such as `1 MB of 2 MB, 500 kB/s`."""
        return f"{human_size(self.done)} of {human_size(self.total)}, {human_size(round(self.rate))}/s"


class ProgressLines:
    """Progress as lines for logs and pipes; pass the object as `progress`.

        with ProgressLines(every=10) as lines:
            await run.download("results/", progress=lines)

    At the first event after every `every` seconds, 30 by default, and at the end of the block, it prints one
    line for each direction with the totals since its creation, such as `download: 2 of 5 files, 1 MB of 2 MB,
    500 kB/s`. `every` may be a timedelta. It prints to `stream`; None, the default, is standard error. An
    error of the stream, such as BrokenPipeError, stops the transfer and is raised. Raises ConfigurationError
    for an `every` of another type.
    """

    def __init__(self, *, every: float | timedelta = 30.0, stream: TextIO | None = None) -> None:
        self._every = seconds(every)
        self._stream = stream or sys.stderr
        self._tallies: dict[Direction, TransferTally] = {}
        self._next: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._write()

    def __call__(self, event: TransferEvent) -> None:
        """Register an event."""
        now = time.monotonic()
        self._tallies.setdefault(event.direction, TransferTally()).add(event, now)
        if self._next is None:
            self._next = now + self._every
        elif now >= self._next:
            self._next = now + self._every
            self._write()

    def _write(self) -> None:
        for direction, tally in self._tallies.items():
            print(f"{direction}: {tally.describe()}", file=self._stream, flush=True)


def _size(event: TransferEvent) -> int:
    return event.done if event.total is None else event.total
