"""What a worker thread and the event loop share about one piece of work."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cancelled(Exception):
    """The work was cancelled; raised in its thread, and seen by nobody else."""


class CancelToken:
    """Counts bytes, and can be cut short.

    The thread adds to `moved`, the loop reads it; no lock is needed for a number with one writer. `cut` takes
    away the connection under a thread that waits for it, which no other way of asking reaches.
    """

    def __init__(self) -> None:
        self.moved = 0
        self._cut = threading.Event()
        self._lock = threading.Lock()
        self._plug: socket.socket | None = None

    def hold(self, plug: socket.socket) -> None:
        """Register the connection the thread is about to wait on; raises Cancelled if it is too late."""
        with self._lock:
            self._plug = plug
        self.check()

    def release(self) -> None:
        """Forget the connection: the thread is about to close it, or to leave it to another token."""
        with self._lock:
            self._plug = None

    def cut(self) -> None:
        """End the work, from any thread."""
        self._cut.set()
        with self._lock:
            if self._plug is not None:
                # A connection that is gone already has no thread waiting for it.
                with contextlib.suppress(OSError):
                    self._plug.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise Cancelled if the work was cut short."""
        if self._cut.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait in the thread, unless and until the work is cut short."""
        if seconds > 0 and self._cut.wait(seconds):
            raise Cancelled
