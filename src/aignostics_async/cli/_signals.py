"""SIGINT and SIGTERM for a command that should rather come to an end than be cut short."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BOTH = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def drained_by_signals(drain: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """Call `drain` at the first signal, cancel this task at the second; a third one ends the process.

    Gives the signals that came.
    """
    came: list[signal.Signals] = []
    task, before = asyncio.current_task(), signal.getsignal(signal.SIGINT)
    if sys.platform == "win32" or task is None:
        yield came
        return
    loop = asyncio.get_running_loop()

    def leave() -> None:
        for each in _BOTH:
            loop.remove_signal_handler(each)

    def take(number: signal.Signals) -> None:
        came.append(number)
        if len(came) == 1:
            drain()
        else:
            leave()
            task.cancel()

    for each in _BOTH:
        loop.add_signal_handler(each, take, each)
    try:
        yield came
    finally:
        leave()
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupting_at_once() -> Iterator[None]:
    """Let signals end the process while it blocks, as it does where it asks a person."""
    before = {each: signal.getsignal(each) for each in _BOTH}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
