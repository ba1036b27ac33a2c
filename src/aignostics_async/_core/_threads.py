"""Threads that either run or say that they do not, so that nobody waits for one that never began."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from ..errors import ConfigurationError

_PATIENCE = 0.05  # seconds between looks at a thread that has not begun


def start_thread(work: Callable[[], object], name: str, *, daemon: bool) -> Thread:
    """Start a thread, and return it once it runs.

    Raises ConfigurationError if the system gives no thread, or if it ended before its work began, as with a
    trace function that can't be installed or without memory.
    """
    began = Event()

    def run() -> None:
        began.set()
        work()

    thread = Thread(target=run, name=name, daemon=daemon)
    try:
        thread.start()
    except RuntimeError as error:
        raise _refused(name, str(error)) from None
    while not began.wait(_PATIENCE):
        # It may have begun and ended since.
        if not thread.is_alive() and not began.is_set():
            raise _refused(name, "it ended before it began")
    return thread


def _refused(name: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"no thread can be started for {name} ({problem}); raise the limit of threads of this user or "
        "container, or run fewer at once, for example with Limits(transfers=...)"
    )
