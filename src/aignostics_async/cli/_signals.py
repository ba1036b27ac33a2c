"""SIGINT and SIGTERM for commands that should finish their work instead of breaking it off."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def drained_by_signals(drain: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """Call `drain` at the first signal and cancel this task at the second; a third ends the process.

    Yields the list of received signals.
    """
    received: list[signal.Signals] = []
    task, before = asyncio.current_task(), signal.getsignal(signal.SIGINT)
    if sys.platform == "win32" or task is None:
        yield received
        return
    loop = asyncio.get_running_loop()

    def remove_handlers() -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)

    def receive(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            drain()
        else:
            remove_handlers()
            task.cancel()

    for each in _SIGNALS:
        loop.add_signal_handler(each, receive, each)
    try:
        yield received
    finally:
        remove_handlers()
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupting_at_once() -> Iterator[None]:
    """Let signals end the process while it blocks, for example in a question."""
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
