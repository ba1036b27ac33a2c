"""Errors that say what to write, where Python would only say that an object does not support something."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar

from ..errors import UsageError

_T = TypeVar("_T")
# What `await`, `for`, `next`, `async for`, `anext`, `with`, `async with`, `[...]`, `len` and a call look for.
# Each `enter` needs its `exit`: Python looks for both before it calls the first.
_PROTOCOLS = (
    "__await__", "__iter__", "__next__", "__aiter__", "__anext__", "__enter__", "__exit__", "__aenter__",
    "__aexit__", "__getitem__", "__len__", "__call__",
)  # fmt: skip


def explains_misuse(usage: str, *, inside: Collection[str] = ()) -> Callable[[type[_T]], type[_T]]:
    """Return a class decorator: protocols that the class does not have raise UsageError with `usage`.

    Type checkers do not see them, and so report the mistakes themselves. `inside` names attributes that an
    object has only when it was entered.
    """

    def refuse(_self: object, *_args: object) -> NoReturn:
        raise UsageError(usage)

    def is_true(_self: object) -> bool:
        return True  # else `if pager:` would ask for its length

    def explain_missing(self: object, name: str) -> NoReturn:
        if name in inside:
            raise UsageError(usage)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def decorate(cls: type[_T]) -> type[_T]:
        for name in _PROTOCOLS:
            # Every class itself has a __call__: that of its metaclass.
            if not any(name in vars(each) for each in cls.__mro__):
                setattr(cls, name, refuse)
        cls.__bool__ = is_true  # type: ignore[attr-defined]
        if inside:
            cls.__getattr__ = explain_missing  # type: ignore[attr-defined]
        return cls

    return decorate
