"""The lifetime of a client: open or closed, and in which event loop."""

from __future__ import annotations

import asyncio

from ..errors import UsageError


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop; raises UsageError where there is none, as under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    raise UsageError(
        "no asyncio event loop is running; call this from a coroutine that asyncio.run() runs (this package "
        "does not run on trio)"
    )


class Lifetime:
    """State of a client that is entered once, used in the event loop that entered it, and closed once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def begin(self) -> None:
        """Bind to the running event loop; raises UsageError the second time."""
        if self._closed:
            raise UsageError("this client was closed; make a new one")
        if self._loop is not None:
            raise UsageError("this client is open already; enter it once and share it")
        self._loop = running_loop()

    def end(self) -> None:
        """Make every later use a UsageError."""
        self._closed = True

    @property
    def ended(self) -> bool:
        """Whether the client was closed."""
        return self._closed

    def check(self) -> None:
        """Raise UsageError unless the client is open and this is its event loop."""
        if self._closed:
            raise UsageError("this client was closed; make a new one")
        if self._loop is None:
            raise UsageError("this client is not open; use it inside `async with Client(...) as client:`")
        if self._loop is not running_loop():
            raise UsageError(
                "this client belongs to another event loop, where its connections live; make one client "
                "per event loop, for example one per asyncio.run()"
            )
