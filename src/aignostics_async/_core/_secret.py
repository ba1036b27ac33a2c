"""A text that shows nowhere by accident."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, ParamSpec, Self, SupportsIndex, TypeVar

from ..errors import AignosticsError

P = ParamSpec("P")
T = TypeVar("T")


class Secret:
    """A token, code, password or signed URL that can be sent but is not shown.

        secret = Secret("text")
        print(secret)  # Secret(...)
        secret.reveal()  # "text"

    The repr does not have the text, so logs, `attrs.asdict` and variables of tracebacks that have the object
    do not show it. The type of the text is not checked. Secrets compare by text, and an empty one is falsy.
    Copying returns the same object; pickling raises TypeError.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Keep it out of logs and errors."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # With surrogates, so that a text that can't be encoded compares, too.
        ours, theirs = (each.reveal().encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled; make it where it is used")


class SecretText(str):
    """A text that its repr does not show: a signed URL, or a header that may be a credential.

    It is used like any other text. What collects the variables of a traceback shows their repr.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecretText(...)"

    def __getitem__(self, key: SupportsIndex | slice) -> SecretText:
        # Tools cut long texts before they show them.
        return SecretText(super().__getitem__(key))


def conceals_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Let the errors of a function show none of its arguments, and no variable of the frames below it.

        @conceals_arguments
        def open_store(address: str) -> Store: ...

    Arguments may be secrets, addresses may hold a password, and what collects a traceback shows the variables
    of its frames. An AignosticsError is raised here again, without the frames that it came through.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except AignosticsError as error:
            failure = error.with_traceback(None)
            failure.__context__ = None
        finally:
            del args, kwargs
        raise failure

    return call


def conceals_fields(cls: type[T]) -> type[T]:
    """Let the constructor of an attrs class be one that `conceals_arguments`."""
    constructed: Any = cls
    constructed.__init__ = conceals_arguments(constructed.__init__)
    return cls
