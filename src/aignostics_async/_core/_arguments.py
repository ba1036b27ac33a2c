"""Checks of arguments before anything is done with them: their errors say what a parameter takes."""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from math import inf
from pathlib import Path
from typing import TypeVar

from ..errors import UsageError
from ._redaction import excerpt

T = TypeVar("T")


def as_path(value: str | os.PathLike[str], what: str) -> Path:
    """Return a path; raises UsageError for what no path can be."""
    try:
        path = Path(value)
    except TypeError:
        raise UsageError(f"{what} is a path, not {type(value).__name__}") from None
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise UsageError(f"{what} is a path, and no file of this system can have the name {str(path)!r}")
    return path


def check_function(value: Callable[..., object], what: str) -> None:
    """Raise UsageError for what can't be called, and for an async function: nobody would await it."""
    if not callable(value):
        raise UsageError(f"{what} is a function, not {type(value).__name__}")
    if _is_async(value):
        raise no_awaitables()


def check_async_function(value: Callable[..., object], what: str) -> None:
    """Raise UsageError for what is no async function, and no object with an async `__call__`."""
    if not _is_async(value):
        raise UsageError(f"{what} is an async function, whose calls are awaited; write it with `async def`")


def _is_async(value: object) -> bool:
    call = getattr(value, "__call__", None)  # noqa: B004 - of an object with an async __call__
    return inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call)


async def awaited(answer: Awaitable[T], method: str) -> T:
    """Return what a method of a user's own object gives; raises UsageError if it is not async."""
    given: object = answer
    if inspect.isawaitable(given):
        result: T = await given
        return result
    del answer, given  # it may be a secret, and tracebacks show the variables of this frame
    raise UsageError(f"{method} is not async; make it `async def`")


def async_context(answer: AbstractAsyncContextManager[T], method: str) -> AbstractAsyncContextManager[T]:
    """Return what a method of a user's own object gives; raises UsageError if `async with` can't enter it."""
    given: object = answer
    if isinstance(given, AbstractAsyncContextManager):
        return answer
    if inspect.iscoroutine(given):
        given.close()  # else Python warns that nobody has awaited it
    raise UsageError(
        f"{method} returns no async context manager; make it an async generator that yields once, and "
        "decorate it with `contextlib.asynccontextmanager`"
    )


def no_awaitables() -> UsageError:
    """Return the error for a callback that is async, or returns what would have to be awaited."""
    return UsageError(
        "a callback must be a plain function, which is called from the event loop and returns at once; "
        "start a task or put the event in a queue in it"
    )


def check_seconds(value: float, what: str) -> None:
    """Raise UsageError for what is no number of seconds, more than 0 and finite."""
    if isinstance(value, bool) or not (isinstance(value, int | float) and 0 < value < inf):
        raise UsageError(f"{what} is a number of seconds, more than 0 and finite, not {excerpt(repr(value))}")


def check_kind(value: object, kind: type, what: str) -> None:
    """Raise UsageError unless a value is an instance of a class, or has the methods of a protocol."""
    if not isinstance(value, kind):
        raise UsageError(f"{what} takes a {kind.__name__}, not {type(value).__name__}")
