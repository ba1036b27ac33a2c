"""Signals: what a command finishes before it ends, and what it says meanwhile.

SIGHUP, which a closed terminal sends, is handled as SIGTERM is: the process would end in the midst of a
token's rotation otherwise, and the login with it. Only SIGINT and SIGTERM count as a second signal, because a
terminal and its shell both send SIGHUP.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ._output import err

Receiver = Callable[[signal.Signals], None]

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(each for each in (signal.SIGINT, signal.SIGTERM, _HANGUP) if each is not None)
# What was there before this module handles any of them, such as a tool's that writes down what it measured.
_USUAL = {each: signal.getsignal(each) or signal.SIG_DFL for each in _SIGNALS}

_receivers: list[Receiver] = []
"""Who is told of a signal: the last one."""


def run_interruptible(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a command, cancel it at the first signal, and return its exit status.

    What saves a rotated login is waited for, and a person is told so; a second signal ends the process.
    """
    received: list[signal.Signals] = []

    def note(number: signal.Signals) -> None:
        if received and number != _HANGUP:
            _end_at_once(number)
        received.append(number)
        _say_what_is_waited_for()

    async def main() -> int:
        task = asyncio.current_task()

        def stop(number: signal.Signals) -> None:
            note(number)
            if task is not None and len(received) == 1:
                task.cancel()

        with _receiving(_in_loop(stop)):
            return await work()

    with _handling_signals(), _receiving(note):
        try:
            status = asyncio.run(main())
        except KeyboardInterrupt:
            status = 128 + signal.SIGINT
        except asyncio.CancelledError:
            if not received:
                raise
            status = 128 + received[0]
        for thread in _unfinished():
            thread.join()
    return status


@contextmanager
def drained_by_signals(drain: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """Call `drain` at the first signal and cancel this task at the second; a third ends the process.

    Yields the list of received signals.
    """
    received: list[signal.Signals] = []
    task = asyncio.current_task()

    def receive(number: signal.Signals) -> None:
        if received and number == _HANGUP:
            return
        received.append(number)
        if len(received) == 1:
            drain()
        elif len(received) == 2 and task is not None:
            task.cancel()
        else:
            _end_at_once(number)

    with _handling_signals(), _receiving(_in_loop(receive)):
        yield received


@contextmanager
def interrupting_at_once() -> Iterator[None]:
    """Let signals end the process as they usually do, while it asks a question or serves requests."""
    with _handled(_USUAL | {signal.SIGINT: signal.default_int_handler}):
        yield


def wait_for_line() -> None:
    """Wait until a terminal's line can be read on standard input, or a signal's handler raises.

    A read would miss the signal that comes just before it: Python handles signals between its own steps, and
    the next step is after the read.
    """
    if sys.platform != "win32":  # where nothing but a socket can be waited for
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        try:
            select.select([sys.stdin, woken], [], [])
        finally:
            signal.set_wakeup_fd(before)
            os.close(woken)
            os.close(wake)


def _handling_signals() -> Any:
    return _handled(dict.fromkeys(_SIGNALS, _handle))


@contextmanager
def _handled(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    """Handle signals while the block runs, but for those that are ignored, as `nohup` ignores SIGHUP."""
    before = {each: signal.getsignal(each) for each in handlers}
    handled = {each: handler for each, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    try:
        for each in handled:
            signal.signal(each, handlers[each])
        yield
    finally:
        for each, handler in handled.items():
            signal.signal(each, handler)


def _handle(number: int, _frame: object) -> None:
    _receivers[-1](signal.Signals(number))


@contextmanager
def _receiving(receiver: Receiver) -> Iterator[None]:
    _receivers.append(receiver)
    try:
        yield
    finally:
        _receivers.remove(receiver)


def _in_loop(receive: Receiver) -> Receiver:
    """Return a receiver that calls another one in the running loop, where it may print."""
    loop = asyncio.get_running_loop()
    on_the_way: list[signal.Signals] = []

    def schedule(number: signal.Signals) -> None:
        if on_the_way and number == signal.SIGINT:
            raise KeyboardInterrupt  # the loop is blocked
        on_the_way.append(number)
        loop.call_soon_threadsafe(deliver)

    def deliver() -> None:
        receive(on_the_way.pop(0))

    return schedule


def _end_at_once(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _say_what_is_waited_for() -> None:
    if _unfinished():
        with suppress(OSError, RuntimeError):  # nobody reads it, or this interrupts another line
            err(
                "waiting for the identity provider's answer, a minute at most, so that the login is not "
                "lost; interrupt again to end at once"
            )


def _unfinished() -> list[threading.Thread]:
    """Return the threads of the package that the interpreter waits for: each saves a login."""
    return [each for each in threading.enumerate() if each.name.startswith("aignostics ") and not each.daemon]
