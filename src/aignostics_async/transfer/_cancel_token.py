"""How the event loop tells a worker thread to stop."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cancelled(Exception):
    """The work was told to stop. Raised in its worker thread and caught by the engine."""


class CancelToken:
    """Counts the bytes of one call in a worker thread, and tells it to stop.

    The thread adds to `moved` and the loop reads it; a number with one writer needs no lock. A thread that
    waits for the network is reached through its socket: `cancel` shuts it down under the thread.
    """

    def __init__(self) -> None:
        self.moved = 0
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def hold(self, sock: socket.socket) -> None:
        """Register the socket that the thread is about to wait for; raises Cancelled if it is too late."""
        with self._lock:
            self._socket = sock
        self.check()

    def release(self) -> None:
        """Forget the socket. Must come before its descriptor is closed, or kept for another call."""
        with self._lock:
            self._socket = None

    def cancel(self) -> None:
        """Tell the thread to stop. Callable from any thread, any number of times."""
        self._cancelled.set()
        with self._lock:
            if self._socket is not None:
                # Not SSLSocket.shutdown, which takes the TLS state away from the thread that uses it.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise Cancelled if the thread was told to stop."""
        if self._cancelled.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Sleep in the thread; raises Cancelled as soon as it is told to stop."""
        if seconds > 0 and self._cancelled.wait(seconds):
            raise Cancelled
